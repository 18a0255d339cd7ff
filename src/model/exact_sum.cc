#include "model/exact_sum.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/int128.h"

namespace otolith::model {

namespace {

constexpr unsigned kFractionBits = 52;
constexpr std::uint64_t kFraction = (1ull << kFractionBits) - 1;
constexpr std::uint64_t kExponentMax = 0x7ff;
constexpr std::uint64_t kLimb = 0xffff'ffff;

}  // namespace

void ExactSum::add(double value) noexcept {
  if (!std::isfinite(value)) {
    nan_ |= std::isnan(value);
    plus_infinity_ |= value > 0;
    minus_infinity_ |= value < 0;
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t exponent = (bits >> kFractionBits) & kExponentMax;
  const std::uint64_t place = exponent == 0 ? 0 : exponent - 1;  // of its last bit
  const std::uint64_t whole = (bits & kFraction) | (exponent == 0 ? 0 : kFraction + 1);
  const Uint128 wide = static_cast<Uint128>(whole) << (place % kLimbBits);
  const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
  for (unsigned i = 0; i < 3; ++i) {
    const auto limb = static_cast<std::int64_t>((wide >> (i * kLimbBits)) & kLimb);
    limbs_[place / kLimbBits + i] += sign * limb;
  }
  if (++pending_ == kPendingMax) carry();
}

void ExactSum::add(const ExactSum& other) noexcept {
  ExactSum added = other;
  added.carry();
  carry();
  for (unsigned i = 0; i < kLimbs; ++i) limbs_[i] += added.limbs_[i];
  pending_ = 1;
  nan_ |= other.nan_;
  plus_infinity_ |= other.plus_infinity_;
  minus_infinity_ |= other.minus_infinity_;
}

// Every limb but the last, which keeps the sign, within 32 bits.
void ExactSum::carry() noexcept {
  for (unsigned i = 0; i + 1 < kLimbs; ++i) {
    limbs_[i + 1] += limbs_[i] >> kLimbBits;
    limbs_[i] &= static_cast<std::int64_t>(kLimb);
  }
  pending_ = 0;
}

double ExactSum::rounded() const noexcept {
  if (nan_ || (plus_infinity_ && minus_infinity_)) return std::numeric_limits<double>::quiet_NaN();
  if (plus_infinity_ || minus_infinity_) {
    return plus_infinity_ ? std::numeric_limits<double>::infinity()
                          : -std::numeric_limits<double>::infinity();
  }
  ExactSum sum = *this;
  sum.carry();
  const bool negative = sum.limbs_.back() < 0;
  if (negative) {
    for (std::int64_t& limb : sum.limbs_) limb = -limb;
    sum.carry();
  }
  int top = kLimbs - 1;
  while (top > 0 && sum.limbs_[static_cast<unsigned>(top)] == 0) --top;
  // The three highest limbs, and whether anything stands below them: enough for one rounding.
  Uint128 head = 0;
  for (int i = top; i > top - 3; --i) {
    head = (head << kLimbBits) |
           (i < 0 ? 0 : static_cast<std::uint64_t>(sum.limbs_[static_cast<unsigned>(i)]));
  }
  bool below = false;
  for (int i = 0; i < top - 2; ++i) below |= sum.limbs_[static_cast<unsigned>(i)] != 0;
  int exponent = (top - 2) * static_cast<int>(kLimbBits) - 1074;  // of head's last bit
  // To 64 bits, the last of them odd where anything was lost: then the hardware rounds right,
  // except among subnormals, whose bits all lie within the lowest limbs and are exact.
  while ((head >> 64) != 0) {
    below |= (head & 1) != 0;
    head >>= 1;
    ++exponent;
  }
  const auto bits = static_cast<std::uint64_t>(head) | (below ? 1u : 0u);
  const double magnitude = std::ldexp(static_cast<double>(bits), exponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace otolith::model
