// A decimal number of up to 38 digits: an integer that its column's scale puts the point into.
//
// Role:    the values of decimal(p,s) columns, as Array::value<Decimal> gives them.
// Shapes:  16 bytes, two's complement of 128 bits, low half first, as Arrow's decimal128; 12.50 of
//          scale 2 is 1250. Aligned to 8 bytes, as columns are in mapped files.
// Errors:  invalid_argument for text that is no number, or that the type cannot hold without loss.
// Threads: immutable.
// Why:     a type of its own, because no standard C++ type holds 38 digits, and because a plain
//          integer would hide that the scale belongs to the column.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "otolith/schema.h"

namespace otolith {

/// An integer of 128 bits, in units of 10^-scale.
struct Decimal {
  std::uint64_t low = 0;
  std::int64_t high = 0;

  bool operator==(const Decimal&) const = default;
  std::strong_ordering operator<=>(const Decimal& other) const noexcept {
    return high != other.high ? high <=> other.high : low <=> other.low;
  }
};
static_assert(sizeof(Decimal) == 16 && alignof(Decimal) == 8);

/// The units of a plain integer.
constexpr Decimal decimal_of(std::int64_t units) noexcept {
  return {static_cast<std::uint64_t>(units), units < 0 ? -1 : 0};
}

/// Whether the units have no more digits than the type's precision.
bool decimal_fits(Decimal units, Type type) noexcept;

/// The units of a number written as `12.5`, `-3`, `1e3`; throws invalid_argument unless it is a
/// number that the type holds without loss.
Decimal decimal_parse(std::string_view text, Type type);

/// The number with all digits of its scale: 1250 of scale 2 is "12.50".
std::string decimal_format(Decimal units, std::uint8_t scale);

}  // namespace otolith
