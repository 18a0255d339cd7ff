// Where long work may be stopped.
//
// Role:    Ctrl-C and progress of reads: what a caller asks between the steps of its own call.
// Shapes:  one call for each stop point of the calling thread; some are µs apart.
// Errors:  what the caller's function throws ends the work.
// Threads: thread-compatible: of the thread that it is made in; what others do for it has none.
// Why:     whether work goes on is asked of the thread, not handed down: any loop may be long, and
//          few know who waits for it. A flag would need somebody who sets it, on another thread.
#pragma once

#include <functional>

namespace otolith {

/// For its life, long work of this thread calls `asked` at each stop point: it may look for
/// signals, tell how far the work came, and throw to end it. Where one is within another, both are
/// called; what `asked` does itself has no stop points.
class Stopping {
 public:
  explicit Stopping(std::function<void()> asked);
  Stopping(const Stopping&) = delete;
  Stopping& operator=(const Stopping&) = delete;
  ~Stopping();

 private:
  friend void stop_point();
  std::function<void()> asked_;
  const Stopping* outer_;
};

/// A place where long work may end by an exception. There is one between tasks of run_tasks
/// (segment/tasks.h); other loops that may last beyond some 20 ms have their own.
void stop_point();

}  // namespace otolith
