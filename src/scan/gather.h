// Picks rows out of several Arrays into one.
//
// Role:    the end of a merge, and of pieces of which scattered rows are wanted.
// Shapes:  all Arrays of one type; the result has one row per pick, in their order.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "otolith/batch.h"

namespace otolith::scan {

/// A row of one of the Arrays.
struct Pick {
  std::uint32_t from = 0;
  std::uint32_t row = 0;
};

Array gather(std::span<const Array> from, std::span<const Pick> picks);

}  // namespace otolith::scan
