// The rows of a partition that pass a condition, found only as far as a limit needs them.
//
// Role:    filter of the flow, where a read has a limit: parts are asked in the order in which
//          their rows come, and the rest not at all once enough rows pass.
// Shapes:  steps of `step_rows`, eight times as many each time, up to kWaveRows.
// Errors:  those of the filter.
// Threads: thread-compatible; filters on several threads itself.
// Why:     a partition may hold every row of a table. Small steps at first, since what passes early
//          costs a row group then; larger ones later, so that what passes late keeps all threads
//          busy. Rows that a merge puts in order are final once no part that was not asked can hold
//          an earlier one: bounds of time say so, where rows come by time. Where they come by keys
//          out of several runs, or keys mix all times, nothing is saved.
#pragma once

#include <vector>

#include "base/limits.h"
#include "scan/filter.h"
#include "scan/merge.h"
#include "scan/unit.h"

namespace otolith::scan {

/// Filtered at once: enough for every thread, whatever the size of partitions.
inline constexpr std::uint64_t kWaveRows = 64ull * kRowGroupRowsMax;

struct FirstRows {
  std::uint64_t wanted = 0;  // of those that pass; all where fewer do
  bool reverse = false;      // the last ones
  unsigned threads = 1;
};

/// Keeps of a cluster what passes: all of it, or at least all that can be among the first `wanted`
/// rows. `step_rows` is left larger, for the next cluster.
void keep_first(std::vector<Unit>& cluster, const Filter& filter, const MergeRule& rule,
                const FirstRows& first, std::uint64_t& step_rows);

}  // namespace otolith::scan
