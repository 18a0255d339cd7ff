// Lossless casts: values of one type as another, only where every value stays what it is.
//
// Role:    append takes what users have (int64 for an int32 column, text for a time); reading takes
//          what older commits stored under a narrower type.
// Shapes:  integers and floats into each other by value (int -> float where exact, float -> int
//          where integral, float64 -> float32 where exact; NaN stays NaN); decimals, numbers and
//          text into each other where they are the same number; 0 and 1 -> boolean; integers as ns
//          -> timestamp; timestamp <-> string by ISO 8601. Null stays null.
// Errors:  invalid_argument naming column, row, value and target type.
// Threads: thread-safe.
// Why:     checked by value, not by type: 3 fits int8 whatever carried it, and a lossy cast is
//          never done in silence. Booleans become no numbers, text no binary: who means that says
//          so.
#pragma once

#include <string_view>

#include "otolith/batch.h"

namespace otolith::model {

/// Whose values are cast, for messages. `row_first` is the number of the array's first row.
struct CastPlace {
  std::string_view column;
  std::uint64_t row_first = 0;
};

/// The values as type `to`; the array itself if it has that type already.
Array cast(const Array& from, Type to, const CastPlace& place);

/// True if every value of `from` is a value of `to`: what widening a column may do.
bool cast_always_exact(Type from, Type to) noexcept;

}  // namespace otolith::model
