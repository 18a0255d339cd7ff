// The total order of rows within what is sorted at once: (partition, key, time, arrival).
//
// Role:    the stage of a write puts rows into it; ordinals and segments follow it.
// Shapes:  <= kRunRowsMax rows; a permutation names the row that comes first, second, …
// Errors:  limit for more rows than that.
// Threads: thread-safe.
// Why:     rows mostly arrive in order: that is found in one pass and nothing is moved. Else stable
//          passes from the last criterion to the first: radix by time, counting by key, by
//          partition.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/row_layout.h"
#include "otolith/batch.h"

namespace otolith::model {

struct RowOrder {
  std::vector<std::uint32_t> permutation;  // empty: the rows stand in order already
  Run run;                                 // the partitions, in order
};

/// The order of a batch's rows; keys and times are those of its schema.
RowOrder order_rows(const Batch& batch);

/// True if the rows of all parts, one behind the other, stand in order. Any number of rows.
bool rows_in_order(std::span<const Batch> parts);
/// The partitions of parts whose rows stand in order.
Run run_of_ordered(std::span<const Batch> parts);

}  // namespace otolith::model
