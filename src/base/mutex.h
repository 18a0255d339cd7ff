// Mutexes whose rules the compiler checks: what is guarded by which, and who must hold it.
//
// Role:    every mutex of the library; Mutex, SharedMutex and Condition in place of the standard's.
// Errors:  none of its own; what a condition asks for may throw, and the mutex is held then.
// Threads: thread-safe.
// Why:     `guarded by mutex_` in a comment is believed, in an annotation it is an error to be
//          wrong. Inline around the standard's, so they cost what those cost. The analysis sees
//          one function at a time: a lambda that runs under a lock says so (OTO_REQUIRES, or
//          assert_held() where who calls it is code of ours).
// Source:  clang, "Thread Safety Analysis".
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <utility>

/// A class is a mutex, called `name` in errors.
#define OTO_LOCKABLE(name) __attribute__((capability(name)))
/// A class holds a mutex while it lives.
#define OTO_SCOPED_LOCK __attribute__((scoped_lockable))
/// A member is read and written with the mutex held only.
#define OTO_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
/// So is what a pointer member points at.
#define OTO_PT_GUARDED_BY(mutex) __attribute__((pt_guarded_by(mutex)))
/// Called with the mutex held.
#define OTO_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
/// Called with the mutex held by this thread or shared by several.
#define OTO_REQUIRES_SHARED(...) __attribute__((requires_shared_capability(__VA_ARGS__)))
/// Called without the mutex, because it takes it.
#define OTO_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
/// Takes the mutex and keeps it.
#define OTO_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define OTO_ACQUIRE_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
/// Takes the mutex if it returns the first argument.
#define OTO_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
/// Gives the mutex back, however it was held.
#define OTO_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define OTO_RELEASE_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
/// Tells the compiler that the mutex is held; nothing is done at run time.
#define OTO_ASSERT_HELD(...) __attribute__((assert_capability(__VA_ARGS__)))
/// Left out of the analysis; the reason stands beside it.
#define OTO_NO_ANALYSIS __attribute__((no_thread_safety_analysis))

namespace otolith {

class OTO_LOCKABLE("mutex") Mutex {
 public:
  void lock() OTO_ACQUIRE() { native_.lock(); }
  void unlock() OTO_RELEASE() { native_.unlock(); }
  bool try_lock() OTO_TRY_ACQUIRE(true) { return native_.try_lock(); }
  /// In a lambda that is called with the mutex held.
  void assert_held() const OTO_ASSERT_HELD() {}

 private:
  friend class Condition;
  std::mutex native_;
};

/// Holds a Mutex while it lives, but for the time between unlock() and lock().
class OTO_SCOPED_LOCK MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) OTO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  /// Of a mutex that try_lock() took.
  MutexLock(Mutex& mutex, std::adopt_lock_t) OTO_REQUIRES(mutex) : mutex_(mutex) {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() OTO_RELEASE() {
    if (held_) mutex_.unlock();
  }

  void unlock() OTO_RELEASE() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() OTO_ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// A mutex that many may share to read.
class OTO_LOCKABLE("shared mutex") SharedMutex {
 public:
  void lock() OTO_ACQUIRE() { native_.lock(); }
  void unlock() OTO_RELEASE() { native_.unlock(); }
  void lock_shared() OTO_ACQUIRE_SHARED() { native_.lock_shared(); }
  void unlock_shared() OTO_RELEASE_SHARED() { native_.unlock_shared(); }

 private:
  std::shared_mutex native_;
};

/// Holds a SharedMutex alone, to write.
class OTO_SCOPED_LOCK WriteLock {
 public:
  explicit WriteLock(SharedMutex& mutex) OTO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  ~WriteLock() OTO_RELEASE() { mutex_.unlock(); }

 private:
  SharedMutex& mutex_;
};

/// Shares a SharedMutex with others that read.
class OTO_SCOPED_LOCK ReadLock {
 public:
  explicit ReadLock(SharedMutex& mutex) OTO_ACQUIRE_SHARED(mutex) : mutex_(mutex) {
    mutex_.lock_shared();
  }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;
  ~ReadLock() OTO_RELEASE() { mutex_.unlock_shared(); }

 private:
  SharedMutex& mutex_;
};

/// Waits with a Mutex until something is so; `ready` is asked with the mutex held.
class Condition {
 public:
  template <typename Ready>
  void wait(Mutex& mutex, Ready ready) OTO_REQUIRES(mutex) {
    Lent lent(mutex.native_);
    native_.wait(lent.lock, std::move(ready));
  }
  /// False if it is still not so when `patience` has passed.
  template <typename Ready>
  bool wait_for(Mutex& mutex, std::chrono::nanoseconds patience, Ready ready) OTO_REQUIRES(mutex) {
    Lent lent(mutex.native_);
    return native_.wait_for(lent.lock, patience, std::move(ready));
  }
  void notify_one() noexcept { native_.notify_one(); }
  void notify_all() noexcept { native_.notify_all(); }

 private:
  // What the standard waits with, of a mutex that stays its holder's.
  struct Lent {
    explicit Lent(std::mutex& of) : lock(of, std::adopt_lock) {}
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() { lock.release(); }
    std::unique_lock<std::mutex> lock;
  };

  std::condition_variable native_;
};

}  // namespace otolith
