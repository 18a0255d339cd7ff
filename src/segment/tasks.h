// Many like tasks on a few threads.
//
// Role:    the encoding of a run's chunks, all cores at once.
// Shapes:  tasks are numbered 0..count-1 and begun in that order; workers 0..threads-1, each of
//          which does one task at a time.
// Errors:  the first exception of a task, after all threads have stopped; later tasks are not
//          begun, and those on their way end at their next stop point.
// Threads: thread-safe; the calling thread works too, with a stop point (base/stopping.h) before
//          each task.
// Why:     plain threads for as long as one call lasts: nothing is left behind for fork to trip
//          over. A thread costs some 30 us to start, which few rows are not worth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace otolith::segment {

/// How many of the threads work on so many rows is worth.
constexpr unsigned threads_worth(unsigned threads, std::uint64_t rows) noexcept {
  constexpr std::uint64_t parallel_rows = 16'384;
  return rows >= parallel_rows ? threads : 1;
}

/// `task` gets the worker's number and its own.
void run_tasks(unsigned threads, std::size_t count,
               const std::function<void(unsigned worker, std::size_t task)>& task);

}  // namespace otolith::segment
