// Arithmetic of decimals: from and to integers, floats, text and other scales, never rounded.
//
// Role:    casts of a write, widening of a read, key values of a request.
// Shapes:  units of 10^-scale as in otolith/decimal.h; every result fits its type's precision.
// Errors:  none: each function says whether the very same value exists in the other type.
// Threads: thread-safe.
// Why:     "the same value or none", so that every door refuses alike and no rounding mode has to
//          be chosen for users.
#pragma once

#include <optional>
#include <string_view>

#include "base/int128.h"
#include "otolith/decimal.h"

namespace otolith::model {

constexpr Int128 int128_of(Decimal units) noexcept {
  return static_cast<Int128>((static_cast<Uint128>(static_cast<std::uint64_t>(units.high)) << 64) |
                             units.low);
}
constexpr Decimal decimal_of_int128(Int128 units) noexcept {
  return {static_cast<std::uint64_t>(units), static_cast<std::int64_t>(units >> 64)};
}

/// The greatest number of units of a precision: as many nines.
Int128 decimal_limit(std::uint8_t precision) noexcept;

/// The units of `scale`, which may be more than any type has, as units of a type.
std::optional<Decimal> decimal_rescaled(Int128 units, unsigned scale, Type type) noexcept;

/// The integer that the units are; nullopt where they have a fraction.
std::optional<Int128> decimal_to_integer(Decimal units, std::uint8_t scale) noexcept;

/// A float as a decimal; nullopt unless they are the same number (0.5 is one of scale 1, the float
/// 0.1 is none of any scale here).
std::optional<Decimal> decimal_from_float(double value, Type type) noexcept;
std::optional<double> decimal_to_float(Decimal units, std::uint8_t scale) noexcept;

/// What text says: a number or none, and its units if the type holds it without loss.
struct DecimalText {
  bool is_number = false;
  std::optional<Decimal> units{};
};
DecimalText decimal_from_text(std::string_view text, Type type) noexcept;

}  // namespace otolith::model
