#include "model/criterion.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/wide_time.h"

namespace otolith::model {

namespace {

constexpr Int128 ten_to(unsigned power) noexcept {
  Int128 out = 1;
  while (power-- > 0) out *= 10;
  return out;
}

// Beyond every value of every exact type.
constexpr Int128 kBeyond = ten_to(kDecimalDigitsMax);

std::string_view kind_of(const Constant& constant) noexcept {
  static constexpr std::string_view kNames[] = {"a truth value", "a number", "a number",
                                                "a number",      "text",     "a time"};
  return kNames[constant.value().index()];
}

[[noreturn]] void refuse(const Constant& constant, Type type, std::string_view column) {
  const char* remedy = "a number";
  if (type.kind == TypeKind::boolean) remedy = "true or false";
  if (type.kind == TypeKind::timestamp) remedy = "a time, or a time as ISO text";
  if (type.kind == TypeKind::decimal) remedy = "a number, or a number as text";
  if (is_text(type)) remedy = "text";
  throw_error(ErrorCode::invalid_argument, "column {} is {} and is compared with {}; give {}",
              quoted(column), type_name(type), kind_of(constant), remedy);
}

// ----------------------------------------------------------------------------- constants, exactly

// A constant among the values of an exact type.
struct Place {
  Int128 below = 0;   // the greatest value that is not greater
  bool exact = true;  // it equals the constant
  bool nan = false;   // beside all values

  Int128 above() const noexcept { return exact ? below : below + 1; }
};

Place scaled(Int128 value, unsigned scale) noexcept {
  const Int128 factor = ten_to(scale);
  const Int128 most = kBeyond / factor;
  if (value > most) return {kBeyond};
  return {value < -most ? -kBeyond : value * factor};
}

Place place_of(double value) noexcept {
  if (std::isnan(value)) return {.nan = true};
  const double floor = std::floor(value);
  if (floor >= 0x1p100) return {kBeyond};
  if (floor <= -0x1p100) return {-kBeyond};
  return {static_cast<Int128>(floor), floor == value};
}

// "-12.50" in units of the last digit that a decimal keeps; nullopt if it is no number.
std::optional<Place> decimal_place(std::string_view text, unsigned scale) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Int128 value = 0;
  bool rest = false;
  bool point = false;
  unsigned digits = 0;
  unsigned behind = 0;
  for (const char at : text) {
    if (at == '.' && !point) {
      point = true;
      continue;
    }
    if (at < '0' || at > '9') return std::nullopt;
    ++digits;
    if (point && behind == scale) {
      rest = rest || at != '0';
      continue;
    }
    behind += point ? 1 : 0;
    value = value >= kBeyond / 10 ? kBeyond : value * 10 + (at - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; behind < scale; ++behind) value = value >= kBeyond / 10 ? kBeyond : value * 10;
  if (!negative) return Place{value, !rest};
  return Place{rest ? -value - 1 : -value, !rest};
}

Place decimal_place(double value, unsigned scale) {
  if (std::isnan(value)) return {.nan = true};
  if (std::abs(value) > 1e38) return {value > 0 ? kBeyond : -kBeyond};  // itself below 10^38
  // All digits: the point of a double is a power of two, and 1,074 places hold the smallest.
  return *decimal_place(fmt::format("{:.1074f}", value), scale);
}

WideNanoseconds time_in(const std::string& text, std::string_view column) {
  try {
    return wide_time_parse(text);
  } catch (const Error& error) {
    throw_error(error.code(), "column {}: {}", quoted(column), error.message());
  }
}

Place place_of(const Constant& constant, Type type, std::string_view column) {
  const bool decimal = type.kind == TypeKind::decimal;
  const bool time = type.kind == TypeKind::timestamp;
  const bool truth = type.kind == TypeKind::boolean;
  const Constant::Value& value = constant.value();
  if (const auto* given = std::get_if<bool>(&value); given && truth) return {*given ? 1 : 0};
  if (const auto* given = std::get_if<Timestamp>(&value); given && time) return {given->ns};
  if (const auto* given = std::get_if<std::string>(&value)) {
    if (time) return {time_in(*given, column)};
    const auto found = decimal ? decimal_place(*given, type.scale) : std::nullopt;
    if (found) return *found;
  }
  const auto* beyond = std::get_if<double>(&value);
  if (time && beyond != nullptr && std::isinf(*beyond)) return place_of(*beyond);
  if (time || truth) refuse(constant, type, column);
  if (const auto* given = std::get_if<std::int64_t>(&value)) return scaled(*given, type.scale);
  if (const auto* given = std::get_if<std::uint64_t>(&value)) return scaled(*given, type.scale);
  const auto* given = std::get_if<double>(&value);
  if (given == nullptr) refuse(constant, type, column);
  if (!decimal) return place_of(*given);
  const auto written = decimal_place(constant.digits(), type.scale);
  return written ? *written : decimal_place(*given, type.scale);
}

IntegerBounds bounds_of(Type type) {
  const auto of = [](auto value) {
    using Limits = std::numeric_limits<decltype(value)>;
    return IntegerBounds{Limits::min(), Limits::max()};
  };
  switch (type.kind) {
    case TypeKind::boolean:
      return {0, 1};
    case TypeKind::int8:
      return of(std::int8_t{});
    case TypeKind::int16:
      return of(std::int16_t{});
    case TypeKind::int32:
      return of(std::int32_t{});
    case TypeKind::uint8:
      return of(std::uint8_t{});
    case TypeKind::uint16:
      return of(std::uint16_t{});
    case TypeKind::uint32:
      return of(std::uint32_t{});
    case TypeKind::uint64:
      return of(std::uint64_t{});
    case TypeKind::decimal:
      return {1 - ten_to(type.precision), ten_to(type.precision) - 1};
    default:
      return of(std::int64_t{});
  }
}

// A constant among the values of a float.
struct Bracket {
  double below = 0;  // the greatest value that is not greater
  double above = 0;  // the least that is not less
  bool nan = false;
};

// <0, 0, >0: a double against a constant, by value.
int compare(double value, double constant) noexcept {
  return value < constant ? -1 : value > constant ? 1 : 0;
}
int compare(double value, Int128 constant) noexcept {
  // Doubles that stand for 64-bit integers are whole and within 128 bits.
  const auto whole = static_cast<Int128>(value);
  return whole < constant ? -1 : whole > constant ? 1 : 0;
}

template <typename Float, typename Number>
Bracket bracket(Number constant) noexcept {
  constexpr Float kInfinity = std::numeric_limits<Float>::infinity();
  const auto near = static_cast<Float>(constant);
  const int side = compare(static_cast<double>(near), constant);
  return {side > 0 ? std::nextafter(near, -kInfinity) : near,
          side < 0 ? std::nextafter(near, kInfinity) : near};
}

Bracket bracket_of(const Constant& constant, Type type, std::string_view column) {
  const bool narrow = type.kind == TypeKind::float32;
  const auto of = [&](auto number) {
    return narrow ? bracket<float>(number) : bracket<double>(number);
  };
  const Constant::Value& value = constant.value();
  if (const auto* given = std::get_if<std::int64_t>(&value)) return of(Int128{*given});
  if (const auto* given = std::get_if<std::uint64_t>(&value)) return of(Int128{*given});
  const auto* given = std::get_if<double>(&value);
  if (given == nullptr) refuse(constant, type, column);
  return std::isnan(*given) ? Bracket{.nan = true} : of(*given);
}

double next_of(double value, Type type, double towards) noexcept {
  if (type.kind == TypeKind::float64) return std::nextafter(value, towards);
  return static_cast<double>(
      std::nextafter(static_cast<float>(value), static_cast<float>(towards)));
}

const std::string& text_of(const Constant& constant, Type type, std::string_view column) {
  const auto* given = std::get_if<std::string>(&constant.value());
  if (given == nullptr) refuse(constant, type, column);
  return *given;
}

// ------------------------------------------------------------------------------------- comparison

void keep_exact(Criterion& test, IntegerBounds asked) {
  const IntegerBounds all = bounds_of(test.type);
  test.integers = {std::max(asked.low, all.low), std::min(asked.high, all.high)};
  test.kind = test.integers.low > test.integers.high ? Criterion::Kind::never
              : test.integers.low == all.low && test.integers.high == all.high
                  ? Criterion::Kind::always
                  : Criterion::Kind::range;
}

void keep_floats(Criterion& test, FloatBounds asked) {
  test.floats = asked;
  test.kind = asked.low <= asked.high ? Criterion::Kind::range : Criterion::Kind::never;
}

void test_exact(Criterion& test, const ExpressionNode& comparison, std::string_view column) {
  const Place place = place_of(comparison.constants.front(), test.type, column);
  const Place last = place_of(comparison.constants.back(), test.type, column);
  if (place.nan || last.nan) return;
  switch (comparison.kind) {
    case ExpressionKind::less:
      return keep_exact(test, {-kBeyond, place.above() - 1});
    case ExpressionKind::less_equal:
      return keep_exact(test, {-kBeyond, place.below});
    case ExpressionKind::greater:
      return keep_exact(test, {place.below + 1, kBeyond});
    case ExpressionKind::greater_equal:
      return keep_exact(test, {place.above(), kBeyond});
    case ExpressionKind::between:
      return keep_exact(test, {place.above(), last.below});
    default:
      if (place.exact) keep_exact(test, {place.below, place.below});
  }
}

void test_floats(Criterion& test, const ExpressionNode& comparison, std::string_view column) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Bracket place = bracket_of(comparison.constants.front(), test.type, column);
  const Bracket last = bracket_of(comparison.constants.back(), test.type, column);
  if (place.nan || last.nan) return;
  const bool exact = place.below == place.above;
  switch (comparison.kind) {
    case ExpressionKind::less:
      if (exact && place.below == -kInfinity) return;
      return keep_floats(
          test, {-kInfinity, exact ? next_of(place.below, test.type, -kInfinity) : place.below});
    case ExpressionKind::less_equal:
      return keep_floats(test, {-kInfinity, place.below});
    case ExpressionKind::greater:
      if (exact && place.above == kInfinity) return;
      return keep_floats(
          test, {exact ? next_of(place.above, test.type, kInfinity) : place.above, kInfinity});
    case ExpressionKind::greater_equal:
      return keep_floats(test, {place.above, kInfinity});
    case ExpressionKind::between:
      return keep_floats(test, {place.above, last.below});
    default:
      if (exact) keep_floats(test, {place.below, place.below});
  }
}

void test_texts(Criterion& test, const ExpressionNode& comparison, std::string_view column) {
  const std::string& text = text_of(comparison.constants.front(), test.type, column);
  const std::string& last = text_of(comparison.constants.back(), test.type, column);
  test.kind = Criterion::Kind::range;
  switch (comparison.kind) {
    case ExpressionKind::less:
    case ExpressionKind::less_equal:
      test.texts.high = text;
      test.texts.high_included = comparison.kind == ExpressionKind::less_equal;
      return;
    case ExpressionKind::greater:
    case ExpressionKind::greater_equal:
      test.texts.low = text;
      test.texts.low_included = comparison.kind == ExpressionKind::greater_equal;
      return;
    default:
      test.texts.low = text;
      test.texts.high = last;
      if (text > last) test.kind = Criterion::Kind::never;
  }
}

template <typename T>
void make_set(std::vector<T>& values, Criterion& test) {
  std::ranges::sort(values);
  const auto again = std::ranges::unique(values);
  values.erase(again.begin(), again.end());
  test.kind = values.empty() ? Criterion::Kind::never : Criterion::Kind::set;
}

void test_set(Criterion& test, const ExpressionNode& comparison, std::string_view column) {
  const IntegerBounds all = bounds_of(test.type);
  for (const Constant& constant : comparison.constants) {
    if (is_text(test.type)) {
      test.text_set.push_back(text_of(constant, test.type, column));
    } else if (is_exact(test.type)) {
      const Place place = place_of(constant, test.type, column);
      const bool kept =
          !place.nan && place.exact && place.below >= all.low && place.below <= all.high;
      if (kept) test.integer_set.push_back(place.below);
    } else {
      const Bracket place = bracket_of(constant, test.type, column);
      if (!place.nan && place.below == place.above) test.float_set.push_back(place.below);
    }
  }
  if (is_text(test.type)) return make_set(test.text_set, test);
  if (is_exact(test.type)) return make_set(test.integer_set, test);
  make_set(test.float_set, test);
}

}  // namespace

bool is_exact(Type type) noexcept {
  return !is_text(type) && type.kind != TypeKind::float32 && type.kind != TypeKind::float64;
}

bool Criterion::holds(Int128 value) const noexcept {
  if (kind == Kind::never || kind == Kind::always) return kind == Kind::always;
  const bool within = kind == Kind::range ? integers.low <= value && value <= integers.high
                                          : std::ranges::binary_search(integer_set, value);
  return within != inverse;
}

bool Criterion::holds(double value) const noexcept {
  if (kind == Kind::never || kind == Kind::always) return kind == Kind::always;
  const bool within = kind == Kind::range
                          ? floats.low <= value && value <= floats.high
                          : !std::isnan(value) && std::ranges::binary_search(float_set, value);
  return within != inverse;
}

bool Criterion::holds(std::string_view value) const noexcept {
  if (kind == Kind::never || kind == Kind::always) return kind == Kind::always;
  const bool within = kind == Kind::range ? texts.hold(value)
                                          : std::binary_search(text_set.begin(), text_set.end(),
                                                               value, std::less<>());
  return within != inverse;
}

Criterion criterion_of(const ExpressionNode& comparison, bool inverse, Type type,
                       std::string_view column) {
  Criterion out{.type = type};
  if (comparison.kind == ExpressionKind::isin) {
    test_set(out, comparison, column);
  } else {
    OTO_INVARIANT(!comparison.constants.empty());
    if (is_text(type)) {
      test_texts(out, comparison, column);
    } else {
      is_exact(type) ? test_exact(out, comparison, column) : test_floats(out, comparison, column);
    }
  }
  out.inverse = inverse != (comparison.kind == ExpressionKind::not_equal);
  if (out.inverse && out.kind == Criterion::Kind::never) {
    out.kind = Criterion::Kind::always;
  } else if (out.inverse && out.kind == Criterion::Kind::always) {
    out.kind = Criterion::Kind::never;
  }
  return out;
}

}  // namespace otolith::model
