// Sealer: seals the tail, and sweeps, behind the back of who commits.
//
// Role:    Hall::committed hands a seal over and returns; close() and who finds the tail twice too
//          long wait.
// Shapes:  one thread, from the first commit on; one piece of work at a time; seals asked for
//          meanwhile are one.
// Errors:  none of the work's: it logs its own. Where no thread can be had a seal is done at once,
//          and nothing is swept.
// Threads: thread-safe. A forked child neither uses nor destroys its parent's.
// Why:     a seal takes as long as thousands of commits; a commit's latency must not hold one. Who
//          only appends large commits never seals: what killed recorders left is looked for behind
//          the first commit, and then once an hour.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "io/environment.h"

namespace otolith::db {

/// What it does; neither throws anything.
struct SealerWork {
  std::function<void()> seal;
  std::function<void()> sweep;
};

class Sealer {
 public:
  /// Without a thread of its own seals are made where they are asked for.
  Sealer(SealerWork work, std::shared_ptr<io::Environment> environment, bool own_thread);
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  ~Sealer();

  /// A seal is made soon; behind close() it is not.
  void ask();
  /// A commit was made: sweeps soon, if it has not within the hour.
  void committed();
  /// Sweeps when so much time has passed, if it is not closed before.
  void sweep_behind(std::uint64_t time_ns);
  /// Waits until nothing is asked for or under way; within work done alone() by this thread, for
  /// nothing.
  void wait();
  /// Does other work while none of this is under way. invalid_argument within such work: it cannot
  /// wait for itself.
  void alone(const std::function<void()>& other);
  /// Does what was asked for, and ends the thread.
  void close();

 private:
  void run();
  bool thread_there() OTO_REQUIRES(mutex_);
  bool sweep_due() const OTO_REQUIRES(mutex_);
  void wait_for_work() OTO_REQUIRES(mutex_);
  void take_turn() OTO_REQUIRES(mutex_);
  void give_turn() OTO_REQUIRES(mutex_);

  const SealerWork work_;
  const std::shared_ptr<io::Environment> environment_;
  const bool own_thread_;

  Mutex mutex_;
  Condition changed_;
  bool asked_ OTO_GUARDED_BY(mutex_) = false;
  bool busy_ OTO_GUARDED_BY(mutex_) = false;
  std::thread::id alone_ OTO_GUARDED_BY(mutex_);  // who does other work
  bool closing_ OTO_GUARDED_BY(mutex_) = false;
  std::optional<std::uint64_t> sweep_at_ OTO_GUARDED_BY(mutex_);  // ns of the monotonic clock
  std::uint64_t sweep_next_ OTO_GUARDED_BY(mutex_) = 0;           // no commit asks for one before
  // Started under the mutex; joined without it by who has set closing_, behind which nobody starts
  // it.
  std::thread thread_;
};

}  // namespace otolith::db
