// Least, greatest and sum of a page's numbers, in one pass.
//
// Role:    what zone maps are made of, while the writer has the page in its cache.
// Shapes:  <= kPageRowsMax rows of one fixed-width type. Floats are added as doubles in eight
//          lanes, row i in lane i mod 8: each lane sums without loss into (sum, what was lost),
//          then the lanes are added in order (docs/format/segment.md, "Sums"). Integers exactly.
// Errors:  none.
// Threads: immutable.
// Why:     the same lanes whatever the machine, so that verify finds the very bits again; bounds
//          and sum share the loads. For AVX2 the same code is compiled once more and picked when
//          it runs.
#pragma once

#include <cstdint>

#include "base/int128.h"
#include "model/double_sum.h"
#include "otolith/batch.h"

namespace otolith::segment {

template <typename T>
struct IntegerSummary {
  T least{};
  T greatest{};
  Int128 sum = 0;
};

/// Bounds pass NaN over; least > greatest where there is nothing else.
struct FloatSummary {
  double least = 0;
  double greatest = 0;
  model::DoubleSum sum;  // of the finite values
  bool nan = false;
  bool summed = true;  // false: the sum, or a part of it, is beyond any double
};

/// Of the values that are not null, of which there is one at least.
template <typename T>
IntegerSummary<T> integers_summary(const Array& rows) noexcept;
template <typename T>
FloatSummary floats_summary(const Array& rows) noexcept;

}  // namespace otolith::segment
