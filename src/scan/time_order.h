// Rows in the order of time, slice by slice.
//
// Role:    reads by time of rows that lie by key.
// Shapes:  rows by number, below 2^32; a slice is all rows of some stretch of time, about 32,768 of
//          them where times differ.
// Errors:  none.
// Threads: thread-safe; works on several threads itself.
// Why:     a sort of a whole partition moves megabytes from memory and back at each pass. A slice
//          fits the cache next to a core; and each is a task of its own. That rows lie in runs of
//          rising times is no condition, but makes finding a row's slice, and its time, cheap.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace otolith::scan {

/// What is done to each slice once it is sorted, on any of the threads. No time is in two slices.
using Settle = std::function<void(std::span<std::uint32_t> slice)>;

/// Row numbers by time, rows of one time in the order of their numbers.
std::vector<std::uint32_t> rows_by_time(std::span<const std::int64_t> times, unsigned threads,
                                        const Settle& settle = {});

}  // namespace otolith::scan
