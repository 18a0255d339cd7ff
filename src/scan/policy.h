// The duplicates policy as a step of its own: units lose the rows that it hides.
//
// Role:    walk -> filter, counts and totals of the flow, where what is shown has to be known
//          before rows are asked anything. A plain read takes no such step: merge.h hides rows
//          while it puts them in order.
// Shapes:  of rows that share keys and time the one of the highest (begin, ordinal) is shown under
//          `last`, of the lowest under `first`.
// Errors:  those of reading keys and times; limit as of merge.h.
// Threads: thread-safe; works on several threads itself.
// Why:     behind it a table with a policy is one without: filters, limits and zone maps work as
//          ever. Units whose times meet no others', of a source in which none share keys and time,
//          are left as they are, unread.
#pragma once

#include <vector>

#include "otolith/schema.h"
#include "scan/unit.h"

namespace otolith::scan {

/// Whether the policy ever hides a row that is visible.
bool hides_rows(const Schema& schema) noexcept;

/// Of the units of a partition only the rows that the policy shows are left.
void hide_duplicates(std::vector<Unit>& partition, const Schema& schema, unsigned threads);

/// Leaves the chosen rows, counted through the units one after the other, and the units that have
/// any.
void keep_chosen(std::vector<Unit>& units, const std::vector<bool>& chosen);

}  // namespace otolith::scan
