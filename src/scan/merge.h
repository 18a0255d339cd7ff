// Puts the rows of one partition in the order asked for, and applies the duplicates policy.
//
// Role:    merge and dedupe within a scan: which row comes when; columns are read afterwards.
// Shapes:  stored order: (keys, time, begin, ordinal) within a partition. Time order: by time,
//          equal times in stored order.
// Errors:  limit beyond 2^32 - 1 rows that have to be merged or sorted at once; those of reading
//          keys and times.
// Threads: thread-safe; works on several threads itself.
// Why:     rows that are in order already, which most are, are found so in one pass or none, and
//          keep their views of the file. Of units that are in order each whole stretches are taken,
//          as far as no other comes before; by time rows of many keys are sorted (time_order.h).
#pragma once

#include <optional>
#include <vector>

#include "io/large_memory.h"
#include "otolith/read.h"
#include "otolith/schema.h"
#include "scan/unit.h"

namespace otolith::scan {

struct MergeRule {
  const Schema* schema = nullptr;  // its keys, time and duplicates policy
  Order order = Order::time;
  bool hide = true;  // false: the policy was applied already, or all rows are wanted
};

/// Units that follow each other: no row of one cluster comes before a row of an earlier one, nor
/// shares keys and time with it.
std::vector<std::vector<Unit>> clusters_of(std::vector<Unit> units, const MergeRule& rule);

/// Whether two rows of a cluster may share keys and time, as far as that is told without reading.
bool may_share(const std::vector<Unit>& cluster) noexcept;

/// Rows of a cluster in order, counted through its units one after the other. nullopt: one unit,
/// all of it, in the order it has. Times are read into the scratch.
std::optional<std::vector<std::uint32_t>> merge(const std::vector<Unit>& cluster,
                                                const MergeRule& rule, unsigned threads,
                                                io::Scratch& scratch);

}  // namespace otolith::scan
