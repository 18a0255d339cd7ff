// The order of values: what sorting, merging and the check of order agree on.
//
// Role:    stored order is (partition, keys, time, begin, ordinal); this compares the keys and
//          times.
// Shapes:  integers, decimals and timestamps by value, false before true, text and binary by
//          bytes, shorter first; key types only.
// Errors:  none; nulls and floats are the caller's duty (keys are never either).
// Threads: thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <span>

#include "otolith/batch.h"

namespace otolith::model {

/// Whether values of the type can be compared: all but floats.
bool is_key_type(Type type) noexcept;

/// The value of row `a_row` of `a` against that of row `b_row` of `b`; both of one type.
std::strong_ordering value_compare(const Array& a, std::uint64_t a_row, const Array& b,
                                   std::uint64_t b_row) noexcept;

/// Row against row over several columns, the first that differs deciding.
std::strong_ordering row_compare(std::span<const Array* const> a, std::uint64_t a_row,
                                 std::span<const Array* const> b, std::uint64_t b_row) noexcept;

}  // namespace otolith::model
