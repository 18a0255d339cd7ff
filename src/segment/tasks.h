// Many like tasks on a few threads.
//
// Role:    the encoding of a run's chunks, all cores at once.
// Shapes:  tasks are numbered 0..count-1 and begun in that order; workers 0..threads-1, each of
//          which does one task at a time.
// Errors:  the first exception of a task, after all threads have stopped; later tasks are not
//          begun.
// Threads: the calling thread works too.
// Why:     plain threads for as long as one call lasts: chunks are 64 Ki rows, so starting a thread
//          is lost in the noise, and nothing is left behind for fork to trip over.
#pragma once

#include <cstddef>
#include <functional>

namespace otolith::segment {

/// `task` gets the worker's number and its own.
void run_tasks(unsigned threads, std::size_t count,
               const std::function<void(unsigned worker, std::size_t task)>& task);

}  // namespace otolith::segment
