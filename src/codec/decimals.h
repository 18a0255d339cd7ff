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

namespace otolith::codec {

inline constexpr unsigned kExponentMax = 18;
inline constexpr double kDecimalMax = 0x1p50;

struct Exponents {
  std::uint8_t e = 0;
  std::uint8_t f = 0;
};

inline constexpr std::array<double, kExponentMax + 1> kTens{
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
inline constexpr std::array<double, kExponentMax + 1> kTenths{
    1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
    1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

// Its last bit is worth 1, so that adding it rounds to an integer.
inline constexpr double kRounding = 0x1.8p52;

/// n as a double times 10^f times 10^-e.
inline double decimal_value(std::uint64_t n, double tens, double tenths) noexcept {
  const double whole = std::bit_cast<double>(n + std::bit_cast<std::uint64_t>(kRounding));
  return (whole - kRounding) * tens * tenths;
}

/// The integer nearest to value times 10^e times 10^-f; *fits says if it is one that decodes.
inline std::uint64_t decimal_integer(double value, Exponents by, bool* fits) noexcept {
  const double scaled = value * kTens[by.e] * kTenths[by.f];
  *fits = std::abs(scaled) <= kDecimalMax;
  return std::bit_cast<std::uint64_t>(scaled + kRounding) - std::bit_cast<std::uint64_t>(kRounding);
}

}  // namespace otolith::codec
