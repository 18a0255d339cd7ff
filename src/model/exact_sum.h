// The exact sum of any doubles, rounded once.
//
// Role:    where a DoubleSum cannot prove its rounding: sums that cancel, overflow on the way or
//          end in a tie. Also what tests hold sums against.
// Shapes:  up to 2^53 values in any order.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a fixed-point number as wide as all doubles together (2^-1074 to 2^1023 and room for
//          counts) in limbs of 32 bits, each in 64, so that a value costs three additions.
// Source:  Neal, "Fast exact summation using small and large superaccumulators", 2015, section 2.
#pragma once

#include <array>
#include <cstdint>

namespace otolith::model {

class ExactSum {
 public:
  /// NaN and infinities count as IEEE 754 adds them.
  void add(double value) noexcept;
  void add(const ExactSum& other) noexcept;
  /// The nearest double, ties to even; 0.0 where nothing or only zeros were added.
  double rounded() const noexcept;

 private:
  static constexpr unsigned kLimbBits = 32;
  static constexpr unsigned kLimbs = 68;                  // 2,176 bits: 2,098 of doubles, counts
  static constexpr std::uint32_t kPendingMax = 1u << 30;  // values that a limb surely holds

  void carry() noexcept;

  std::array<std::int64_t, kLimbs> limbs_{};  // of 2^-1074 each 2^32 of the one before, signed
  std::uint32_t pending_ = 0;
  bool nan_ = false;
  bool plus_infinity_ = false;
  bool minus_infinity_ = false;
};

}  // namespace otolith::model
