// Comparisons of formulas: of two values, or of one with constants.
#include <fmt/format.h>

#include <compare>

#include "base/mutant.h"
#include "model/formula_loops.h"

namespace otolith::model {

namespace {

// The same for what is below 2^-70: all digits that a float64 has, of which many are zeros.
std::partial_ordering compare_digits(Int128 units, unsigned scale, double real) {
  constexpr int kPlaces = 1'074;
  const std::string digits = fmt::format("{:.{}f}", real, kPlaces).substr(2);
  const std::string of_units =
      scale == 0 ? "" : fmt::format("{:0>{}}", fmt::format("{}", units), scale);
  if (const auto order = of_units <=> digits.substr(0, scale); order != 0) return order;
  return digits.find_first_not_of('0', scale) == std::string::npos
             ? std::partial_ordering::equivalent
             : std::partial_ordering::less;
}

// The digits of a fraction of 0 <= units < 10^scale beside those of 0 <= real < 1.
std::partial_ordering compare_fractions(Int128 units, unsigned scale, double real) {
  int exponent = 0;
  const double mantissa = std::frexp(real, &exponent);  // 0.5 <= mantissa < 1
  const int bits = 53 - exponent;                       // real = whole / 2^bits
  constexpr int kBitsMax = 123;                         // ten times that is within 128 bits
  if (real == 0) return units == 0 ? std::strong_ordering::equal : std::strong_ordering::greater;
  if (bits > kBitsMax) return compare_digits(units, scale, real);
  auto whole = static_cast<Int128>(std::ldexp(mantissa, 53));
  for (Int128 unit = power_of_ten(scale); unit > 1;) {
    unit /= 10;
    whole *= 10;
    const Int128 digit = whole >> bits;
    whole -= digit << bits;
    if (const auto order = units / unit % 10 <=> digit; order != 0) return order;
  }
  return whole == 0 ? std::partial_ordering::equivalent : std::partial_ordering::less;
}

// By value, whatever digits a float64 has.
std::partial_ordering compare_exact(Int128 units, unsigned scale, double real) {
  if (std::isnan(real)) return std::partial_ordering::unordered;
  if (units < 0 || real < 0) {  // of magnitudes, whose fractions are exact
    if (units >= 0) return std::partial_ordering::greater;
    if (real >= 0) return std::partial_ordering::less;
    return 0 <=> compare_exact(-units, scale, -real);
  }
  const double beyond = mutant("formula-wide-cut") ? 0x1p126 : 0x1p127;  // what 128 bits hold
  if (real >= beyond) return std::partial_ordering::less;
  const double floor = std::floor(real);
  const Int128 unit = power_of_ten(scale);
  const Int128 whole = units / unit;
  if (const auto order = whole <=> static_cast<Int128>(floor); order != 0) return order;
  return compare_fractions(units - whole * unit, scale, real - floor);
}

// Of two exact numbers with the same or another scale, which may be too large for the finer one.
std::partial_ordering compare_exact(Int128 a, unsigned a_scale, Int128 b,
                                    unsigned b_scale) noexcept {
  if (a_scale == b_scale) return a <=> b;
  if (a_scale > b_scale) return 0 <=> compare_exact(b, b_scale, a, a_scale);
  const Int128 unit = power_of_ten(b_scale - a_scale);
  const Int128 whole = b / unit;
  if (a != whole) return a <=> whole;
  return 0 <=> b % unit;
}

bool holds(ExpressionKind kind, std::partial_ordering order) noexcept {
  switch (kind) {
    case ExpressionKind::equal:
      return order == 0;
    case ExpressionKind::not_equal:
      return order != 0;
    case ExpressionKind::less:
      return order < 0;
    case ExpressionKind::less_equal:
      return order <= 0;
    case ExpressionKind::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

template <typename Order>
void compare_all(ExpressionKind kind, Values& out, std::size_t rows, Order order) {
  for (std::size_t row = 0, count = count_of(out, rows); row < count; ++row)
    out.truth[row] = holds(kind, order(row)) ? 1 : 0;
}

// The same without a detour over orders, which is what most comparisons of columns are.
template <typename T>
void compare_same(ExpressionKind kind, const std::vector<T>& a, std::size_t i,
                  const std::vector<T>& b, std::size_t j, std::vector<std::uint8_t>& out) {
  const auto fill = [&](auto test) {
    for (std::size_t row = 0; row < out.size(); ++row)
      out[row] = test(a[row * i], b[row * j]) ? 1 : 0;
  };
  switch (kind) {
    case ExpressionKind::equal:
      return fill([](const T& x, const T& y) { return x == y; });
    case ExpressionKind::not_equal:
      return fill([](const T& x, const T& y) { return x != y; });
    case ExpressionKind::less:
      return fill([](const T& x, const T& y) { return x < y; });
    case ExpressionKind::less_equal:
      return fill([](const T& x, const T& y) { return x <= y; });
    case ExpressionKind::greater:
      return fill([](const T& x, const T& y) { return x > y; });
    default:
      return fill([](const T& x, const T& y) { return x >= y; });
  }
}

}  // namespace

Values compare_values(const Formula& formula, const std::vector<Values>& operands,
                      std::size_t rows) {
  const Values& a = operands[0];
  const Values& b = operands[1];
  const Values* both[] = {&a, &b};
  Values out = results_of(formula, both, rows);
  const std::size_t i = a.single ? 0 : 1;
  const std::size_t j = b.single ? 0 : 1;
  const ValueKind left = kind_of(a.type);
  const ValueKind right = kind_of(b.type);
  const unsigned a_scale = scale_of(a.type);
  const unsigned b_scale = scale_of(b.type);
  if (left == ValueKind::truth) {
    compare_same(formula.kind, a.truth, i, b.truth, j, out.truth);
  } else if (left == ValueKind::text) {
    compare_same(formula.kind, a.text, i, b.text, j, out.truth);
  } else if (left == ValueKind::real && right == ValueKind::real) {
    compare_same(formula.kind, a.real, i, b.real, j, out.truth);
  } else if (left == right && a_scale == b_scale) {
    compare_same(formula.kind, a.exact, i, b.exact, j, out.truth);
  } else if (left == right) {
    compare_all(formula.kind, out, rows, [&](std::size_t row) {
      return compare_exact(a.exact[row * i], a_scale, b.exact[row * j], b_scale);
    });
  } else if (mutant("formula-mixed-as-float")) {
    std::vector<double> room[2];
    compare_same(formula.kind, reals_in(a, room[0]), i, reals_in(b, room[1]), j, out.truth);
  } else if (left == ValueKind::exact) {
    compare_all(formula.kind, out, rows, [&](std::size_t row) {
      return compare_exact(a.exact[row * i], a_scale, b.real[row * j]);
    });
  } else {
    compare_all(formula.kind, out, rows, [&](std::size_t row) {
      return 0 <=> compare_exact(b.exact[row * j], b_scale, a.real[row * i]);
    });
  }
  return out;
}

Values test_constants(const Formula& formula, const Values& operand, std::size_t rows) {
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  const Criterion& test = formula.test;
  const auto fill = [&](const auto& values) {
    for (std::size_t row = 0; row < out.truth.size(); ++row)
      out.truth[row] = test.holds(values(row)) ? 1 : 0;
  };
  switch (kind_of(operand.type)) {
    case ValueKind::truth:
      fill([&](std::size_t row) { return Int128{operand.truth[row]}; });
      break;
    case ValueKind::exact:
      fill([&](std::size_t row) { return operand.exact[row]; });
      break;
    case ValueKind::real:
      fill([&](std::size_t row) { return operand.real[row]; });
      break;
    case ValueKind::text:
      fill([&](std::size_t row) { return operand.text[row]; });
      break;
  }
  return out;
}

}  // namespace otolith::model
