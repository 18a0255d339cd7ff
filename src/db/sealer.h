// Sealer: seals the tail behind the back of who commits.
//
// Role:    Hall::committed hands a seal over and returns; close() and who finds the tail twice too
//          long wait.
// Shapes:  one thread, from the first seal on; one seal at a time; those asked for meanwhile are
//          one.
// Errors:  none of the work's: it logs its own. Where no thread can be had it is done at once.
// Threads: thread-safe. A forked child neither uses nor destroys its parent's.
// Why:     a seal takes as long as thousands of commits; a commit's latency must not hold one.
#pragma once

#include <functional>
#include <thread>

#include "base/mutex.h"

namespace otolith::db {

class Sealer {
 public:
  /// `work` throws nothing. Without a thread of its own the work is done where it is asked for.
  Sealer(std::function<void()> work, bool own_thread);
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  ~Sealer();

  /// The work is done soon; behind close() it is not.
  void ask();
  /// Waits until nothing is asked for or under way.
  void wait();
  /// Does other work while none of this is under way.
  void alone(const std::function<void()>& other);
  /// Does what was asked for, and ends the thread.
  void close();

 private:
  void run();
  bool thread_there() OTO_REQUIRES(mutex_);
  void take_turn() OTO_REQUIRES(mutex_);
  void give_turn() OTO_REQUIRES(mutex_);

  const std::function<void()> work_;
  const bool own_thread_;

  Mutex mutex_;
  Condition changed_;
  bool asked_ OTO_GUARDED_BY(mutex_) = false;
  bool busy_ OTO_GUARDED_BY(mutex_) = false;
  bool closing_ OTO_GUARDED_BY(mutex_) = false;
  // Started under the mutex; joined without it by who has set closing_, behind which nobody starts
  // it.
  std::thread thread_;
};

}  // namespace otolith::db
