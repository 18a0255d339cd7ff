// The arithmetic of a lattice: integers times a step, and back.
//
// Role:    under lattice.cc, where encode and decode must compute the very same.
// Shapes:  k is a signed integer of 64 bits as u64; beyond 2^53 it is rounded to a double first.
// Errors:  none: any bits give some double.
// Threads: thread-safe.
// Why:     halves of 32 bits become doubles and back by adding constants, which vectors of any
//          machine can do. Division, as a product with 1/s misses by one close to 2^53.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/inline.h"
#include "codec/decimals.h"
#include "model/criterion.h"

namespace otolith::codec {

inline constexpr double kStepsMax = 0x1p53;

/// The double nearest to k.
inline double whole_double(std::uint64_t k) noexcept {
  // The bits of 2^84 + 2^63 + high half * 2^32, and of 2^52 + low half.
  const std::uint64_t high = (k >> 32) ^ (std::bit_cast<std::uint64_t>(0x1p84) | 0x8000'0000u);
  const std::uint64_t low = (k & 0xffff'ffffu) | std::bit_cast<std::uint64_t>(0x1p52);
  return (std::bit_cast<double>(high) - (0x1p84 + 0x1p63 + 0x1p52)) + std::bit_cast<double>(low);
}

/// The floats k * step.
struct Steps {
  static constexpr model::IntegerBounds kIntegers{INT64_MIN, INT64_MAX};  // that have a value
  double step = 1;

  double value(std::uint64_t k) const noexcept { return whole_double(k) * step; }
  double value_by_cast(std::uint64_t k) const noexcept {
    return static_cast<double>(static_cast<std::int64_t>(k)) * step;
  }
  OTO_INLINE void row_by_cast(const BitsRow& k, DoubleRow& out) const noexcept {
    out = __builtin_convertvector(__builtin_bit_cast(IntegerRow, k), DoubleRow) * step;
  }

  /// An integer whose value this is, or any where there is none, and the float it gives; 0, which
  /// no such value is, where it is beyond kStepsMax.
  double round_trip(double value, std::uint64_t* k) const noexcept {
    constexpr auto kZero = std::bit_cast<std::uint64_t>(kRounding);
    const double quotient = value / step;
    const double high = quotient * 0x1p-32 + kRounding;
    const double low = (quotient - (high - kRounding) * 0x1p32) + kRounding;
    // Close to 2^52 the quotient is rounded to halves, and then once more: one too much or too few.
    const double whole = (high - kRounding) * 0x1p32 + (low - kRounding);
    const double missing = (value - whole * step) * (1 / step) + kRounding;
    *k = ((std::bit_cast<std::uint64_t>(high) - kZero) << 32) +
         (std::bit_cast<std::uint64_t>(low) - kZero) +
         (std::bit_cast<std::uint64_t>(missing) - kZero);
    const double back = (whole + (missing - kRounding)) * step;
    return std::abs(whole) <= kStepsMax ? back : 0;
  }

  /// The same where vectors can round and convert.
  double round_trip_by_cast(double value, std::uint64_t* k) const noexcept {
    const double quotient = value / step;
    const bool within = std::abs(quotient) <= kStepsMax;
    const double whole = std::nearbyint(within ? quotient : 0);
    const double missing = (value - whole * step) * (1 / step) + kRounding;
    *k = static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) +
         (std::bit_cast<std::uint64_t>(missing) - std::bit_cast<std::uint64_t>(kRounding));
    const double back = (whole + (missing - kRounding)) * step;
    return within ? back : 0;
  }
};

}  // namespace otolith::codec
