// Puts the rows of one partition in the order asked for, and applies the duplicates policy.
//
// Role:    merge and dedupe within a scan: which row comes when; columns are read afterwards.
// Shapes:  stored order: (keys, time, begin, ordinal) within a partition. Time order: by time,
//          equal times in stored order.
// Errors:  limit beyond 2^32 - 1 rows of a partition in one run; those of reading keys and times.
// Threads: thread-safe.
// Why:     rows that are in order already, which most are, are found so in one pass or none, and
//          keep their views of the file; the rest is merged by its natural runs.
#pragma once

#include <optional>
#include <vector>

#include "model/gather.h"
#include "otolith/read.h"
#include "otolith/schema.h"
#include "scan/unit.h"

namespace otolith::scan {

struct MergeRule {
  const Schema* schema = nullptr;  // its keys, time and duplicates policy
  Order order = Order::time;
};

/// Units that follow each other: no row of one cluster comes before a row of an earlier one, nor
/// shares keys and time with it.
std::vector<std::vector<Unit>> clusters_of(std::vector<Unit> units, const MergeRule& rule);

/// Rows of a cluster in order: (unit, position). nullopt: one unit, all of it, in the order it has.
std::optional<std::vector<model::Pick>> merge(const std::vector<Unit>& cluster,
                                              const MergeRule& rule);

}  // namespace otolith::scan
