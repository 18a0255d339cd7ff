// The arithmetic of ALP: integers times powers of ten, and back.
//
// Role:    under alp.cc, where encode and decode must compute the very same.
// Shapes:  n is an integer of at most kDecimalMax either way, as u64; exponents 0 <= f <= e.
// Errors:  none: any bits give some double.
// Threads: thread-safe.
// Why:     integers become doubles by adding a constant, which vectors of any machine can do; it is
//          exact up to 2^51. The house compiles with -ffp-contract=off: a fused multiply-add would
//          give other bits.
// Source:  as alp.h.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/inline.h"
#include "codec/bits_row.h"
#include "model/criterion.h"

namespace otolith::codec {

inline constexpr unsigned kExponentMax = 18;
inline constexpr double kDecimalMax = 0x1p50;

struct Exponents {
  std::uint8_t e = 0;
  std::uint8_t f = 0;
  bool operator==(const Exponents&) const = default;
};

inline constexpr std::array<double, kExponentMax + 1> kTens{
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
inline constexpr std::array<double, kExponentMax + 1> kTenths{
    1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
    1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

// Its last bit is worth 1, so that adding it rounds to an integer.
inline constexpr double kRounding = 0x1.8p52;

/// The floats n * 10^f * 10^-e.
struct Decimals {
  static constexpr model::IntegerBounds kIntegers{-(1ll << 51), 1ll << 51};  // that have a value
  explicit Decimals(Exponents by) noexcept
      : tens_of_e(kTens[by.e]),
        tenths_of_f(kTenths[by.f]),
        tens_of_f(kTens[by.f]),
        tenths_of_e(kTenths[by.e]) {}

  double value(std::uint64_t n) const noexcept {
    const double whole = std::bit_cast<double>(n + std::bit_cast<std::uint64_t>(kRounding));
    return (whole - kRounding) * tens_of_f * tenths_of_e;
  }

  double value_by_cast(std::uint64_t n) const noexcept { return value(n); }
  OTO_INLINE void row_by_cast(const BitsRow& n, DoubleRow& out) const noexcept {
    const BitsRow bits = n + std::bit_cast<std::uint64_t>(kRounding);
    out = (__builtin_bit_cast(DoubleRow, bits) - kRounding) * tens_of_f * tenths_of_e;
  }

  /// The nearest integer, and the float it gives; 0, which no such value is, where it would not
  /// decode.
  double round_trip(double value, std::uint64_t* n) const noexcept {
    const double scaled = value * tens_of_e * tenths_of_f;
    const double shifted = scaled + kRounding;
    *n = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kRounding);
    const double back = (shifted - kRounding) * tens_of_f * tenths_of_e;
    return std::abs(scaled) <= kDecimalMax ? back : 0;
  }

  double round_trip_by_cast(double value, std::uint64_t* n) const noexcept {
    return round_trip(value, n);
  }

  double tens_of_e;
  double tenths_of_f;
  double tens_of_f;
  double tenths_of_e;
};

}  // namespace otolith::codec
