// Picks rows out of one Array, or out of several, into a new one.
//
// Role:    the end of a sort and of a merge, and of pieces of which scattered rows are wanted.
// Shapes:  all Arrays of one type; the result has one row per pick, in their order.
// Errors:  none.
// Threads: thread-safe.
// Why:     one piece for both: a sort picks out of one array by 32-bit rows, a merge out of
//          several; only the loop over values differs.
#pragma once

#include <cstdint>
#include <span>

#include "otolith/batch.h"

namespace otolith::model {

/// A row of one of several Arrays.
struct Pick {
  std::uint32_t from = 0;
  std::uint32_t row = 0;
};

Array gather(std::span<const Array> from, std::span<const Pick> picks);
Array gather(const Array& array, std::span<const std::uint32_t> rows);
Batch gather(const Batch& batch, std::span<const std::uint32_t> rows);

}  // namespace otolith::model
