#include "model/decimals.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/limits.h"

namespace otolith {

namespace model {

namespace {

// 10^0 … 10^38, the last of which 127 bits hold.
constexpr std::array<Int128, kDecimalDigitsMax + 1> kTens = [] {
  std::array<Int128, kDecimalDigitsMax + 1> out{1};
  for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10;
  return out;
}();

constexpr int kFloatDigits = std::numeric_limits<double>::digits;

// value * 10^by, unless it has more digits than a precision.
std::optional<Decimal> shifted_up(Int128 value, unsigned by, std::uint8_t precision) noexcept {
  if (value == 0) return Decimal{};
  if (by > kDecimalDigitsMax) return std::nullopt;
  const Int128 most = decimal_limit(precision) / kTens[by];
  if (value > most || value < -most) return std::nullopt;
  return decimal_of_int128(value * kTens[by]);
}

// value * 10^-by, unless digits fall off.
std::optional<Decimal> shifted_down(Int128 value, unsigned by, std::uint8_t precision) noexcept {
  if (value == 0) return Decimal{};
  if (by > kDecimalDigitsMax || value % kTens[by] != 0) return std::nullopt;
  return shifted_up(value / kTens[by], 0, precision);
}

}  // namespace

Int128 decimal_limit(std::uint8_t precision) noexcept { return kTens[precision] - 1; }

std::optional<Decimal> decimal_rescaled(Int128 units, unsigned scale, Type type) noexcept {
  return scale <= type.scale ? shifted_up(units, type.scale - scale, type.precision)
                             : shifted_down(units, scale - type.scale, type.precision);
}

std::optional<Int128> decimal_to_integer(Decimal units, std::uint8_t scale) noexcept {
  const Int128 value = int128_of(units);
  if (value % kTens[scale] != 0) return std::nullopt;
  return value / kTens[scale];
}

// value = odd * 2^power. Below the point, 2^-k is 5^k units of scale k.
std::optional<Decimal> decimal_from_float(double value, Type type) noexcept {
  if (!std::isfinite(value)) return std::nullopt;
  if (value == 0) return Decimal{};
  int power = 0;
  auto odd = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &power), kFloatDigits));
  power -= kFloatDigits;
  const int zeros = std::countr_zero(static_cast<std::uint64_t>(odd));
  odd >>= zeros;
  power += zeros;
  const Int128 limit = decimal_limit(type.precision);
  Int128 units = odd;
  for (; power > 0; --power) {
    if (units > limit / 2 || units < -limit / 2) return std::nullopt;
    units *= 2;
  }
  const auto scale = static_cast<unsigned>(-power);
  if (scale > type.scale) return std::nullopt;
  for (; power < 0; ++power) {
    if (units > limit / 5 || units < -limit / 5) return std::nullopt;
    units *= 5;
  }
  return decimal_rescaled(units, scale, type);
}

// n * 10^-s is n * 5^-s * 2^-s: a float only if 5^s divides n, and what is left has 53 bits.
std::optional<double> decimal_to_float(Decimal units, std::uint8_t scale) noexcept {
  Int128 value = int128_of(units);
  if (!decimal_fits(units, {TypeKind::decimal, kDecimalDigitsMax, scale})) return std::nullopt;
  for (unsigned i = 0; i < scale && value != 0; ++i) {
    if (value % 5 != 0) return std::nullopt;
    value /= 5;
  }
  const auto out = static_cast<double>(value);
  if (static_cast<Int128>(out) != value) return std::nullopt;
  return std::ldexp(out, -int{scale});
}

namespace {

// Digits as they are read: those before and behind the point as one integer.
struct Digits {
  Int128 units = 0;
  std::int64_t scale = 0;
  bool any = false;
  bool too_many = false;

  // Zeros at the end are kept back until another digit follows: "1.500…" is 1.5.
  void add(char digit, bool fraction) noexcept {
    any = true;
    if (fraction) ++scale;
    if (digit == '0') {
      if (units != 0) ++zeros_;
      return;
    }
    too_many = too_many || zeros_ >= kDecimalDigitsMax ||
               units > decimal_limit(kDecimalDigitsMax) / kTens[zeros_ + 1];
    if (too_many) return;
    units = units * kTens[zeros_ + 1] + (digit - '0');
    zeros_ = 0;
  }
  // 10^-scale of the units as they are.
  std::int64_t units_scale() const noexcept { return scale - static_cast<std::int64_t>(zeros_); }

 private:
  std::size_t zeros_ = 0;
};

// The number behind an "e"; false unless it ends the text. What is beyond any scale is cut.
bool exponent_of(std::string_view text, std::int64_t* out) noexcept {
  constexpr std::int64_t kFar = 1'000'000;
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error == std::errc::result_out_of_range) *out = text.starts_with('-') ? -kFar : kFar;
  *out = std::clamp(*out, -kFar, kFar);
  return error != std::errc::invalid_argument && end == text.data() + text.size();
}

}  // namespace

DecimalText decimal_from_text(std::string_view text, Type type) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Digits digits;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && !fraction) {
      fraction = true;
    } else if (text[at] >= '0' && text[at] <= '9') {
      digits.add(text[at], fraction);
    } else {
      break;
    }
  }
  std::int64_t exponent = 0;
  if (at != text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return {};
    if (!exponent_of(text.substr(at + 1), &exponent)) return {};
  }
  if (!digits.any) return {};
  if (digits.too_many) return {.is_number = true};
  const Int128 units = negative ? -digits.units : digits.units;
  if (units == 0) return {.is_number = true, .units = Decimal{}};
  const std::int64_t scale = digits.units_scale() - exponent;
  if (scale >= 0)
    return {.is_number = true,
            .units = decimal_rescaled(units, static_cast<unsigned>(scale), type)};
  return {.is_number = true,
          .units = shifted_up(units, static_cast<unsigned>(type.scale - scale), type.precision)};
}

}  // namespace model

bool decimal_fits(Decimal units, Type type) noexcept {
  const Int128 limit = model::decimal_limit(type.precision);
  const Int128 value = model::int128_of(units);
  return value <= limit && value >= -limit;
}

Decimal decimal_parse(std::string_view text, Type type) {
  const model::DecimalText read = model::decimal_from_text(text, type);
  if (!read.is_number) {
    throw_error(ErrorCode::invalid_argument, "{} is no number; write it as 12.50", quoted(text));
  }
  if (!read.units) {
    throw_error(ErrorCode::invalid_argument, "{} cannot be kept without loss as {}", quoted(text),
                type_name(type));
  }
  return *read.units;
}

std::string decimal_format(Decimal units, std::uint8_t scale) {
  const bool negative = units.high < 0;
  auto rest = static_cast<Uint128>(model::int128_of(units));
  if (negative) rest = -rest;
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  while (out.size() <= scale) out += '0';
  if (scale != 0) out.insert(scale, 1, '.');
  if (negative) out += '-';
  std::ranges::reverse(out);
  return out;
}

}  // namespace otolith
