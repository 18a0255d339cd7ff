// Powers of ten, and where among them a magnitude lies, with the same bits on every machine.
//
// Role:    the analyze of lattice: steps of values under a bound of few digits.
// Shapes:  exponents of doubles, -324 to 309; what is beyond is 0 or infinity.
// Errors:  none.
// Threads: thread-safe.
// Why:     the same rows make the same bytes. pow() and log10() of one libm differ from another's
//          in the last bit; digits are read, and IEEE 754 operations round, the same everywhere.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace otolith::codec {

/// The double nearest to 10^exponent.
inline double power_of_ten(int exponent) noexcept {
  std::array<char, 8> text{'1', 'e'};
  const auto end = std::to_chars(text.data() + 2, text.data() + text.size(), exponent).ptr;
  double out = 0;
  const auto read = std::from_chars(text.data(), end, out);
  if (read.ec == std::errc()) return out;
  return exponent < 0 ? 0 : std::numeric_limits<double>::infinity();
}

/// Digits of a magnitude before its decimal point, 0 or less where it begins behind it: the least
/// number whose power of ten is greater. Not of 0, infinity and NaN.
inline int digits_before_point(double magnitude) noexcept {
  int digits = std::ilogb(magnitude) * 30'103 / 100'000;  // log10(2); within two of what is sought
  while (magnitude >= power_of_ten(digits)) ++digits;
  while (magnitude < power_of_ten(digits - 1)) --digits;
  return digits;
}

}  // namespace otolith::codec
