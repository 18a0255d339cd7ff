// Arithmetic of formulas: exact in 38 digits, or in float64.
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/mutant.h"
#include "model/formula_loops.h"
#include "model/text_place.h"
#include "otolith/decimal.h"

namespace otolith::model {

namespace {

constexpr unsigned kExactTensMax = 22;  // 10^22 is a float64

bool exceeds(Int128 units) noexcept { return units >= kExactEnd || units <= -kExactEnd; }

Int128 within(Int128 units, bool wrapped, const Formula& formula) {
  if (wrapped || exceeds(units)) refuse_digits(formula);
  return units;
}

// Python's: rounded down, and what it leaves has the sign of `b`.
template <typename T>
T floor_quotient_of(T a, T b) noexcept {
  const T quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) && !mutant("formula-quotient-cut") ? 1 : 0);
}

// Division of 128 bits takes ten times that of 64.
Int128 floor_quotient(Int128 a, Int128 b) noexcept {
  const auto x = static_cast<std::int64_t>(a);
  const auto y = static_cast<std::int64_t>(b);
  const bool narrow = x == a && y == b && y != -1;  // which -2^63 is not divided by
  return narrow ? Int128{floor_quotient_of(x, y)} : floor_quotient_of(a, b);
}

// What it leaves; the quotient times `b` may be beyond 128 bits.
Int128 remainder_of(Int128 a, Int128 b) noexcept {
  const auto x = static_cast<std::int64_t>(a);
  const auto y = static_cast<std::int64_t>(b);
  const bool narrow = x == a && y == b && y != -1;
  const Int128 rest = narrow ? Int128{x % y} : a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// Whether what is left has the other sign than the divisor, so that the quotient goes one down.
bool turns(double rest, double b) noexcept { return rest != 0 && (rest < 0) != (b < 0); }

double remainder_of(double a, double b) noexcept {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return turns(rest, b) ? rest + b : rest;
}

// As NumPy: the quotient of what is left when the rest is taken away, so that both fit together.
double floor_quotient(double a, double b) noexcept {
  if (b == 0) return a / b;
  const double rest = std::fmod(a, b);
  const double quotient = (a - rest) / b - (turns(rest, b) ? 1 : 0);
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// Sums, differences and products; of nulls anything. One row that wrapped or is too wide is looked
// for again among those that count.
template <typename Operation>
void fill_exact(const Formula& formula, const std::vector<Int128>& left, std::size_t i,
                const std::vector<Int128>& right, std::size_t j, Values& out, Operation operation) {
  bool wide = false;
  for (std::size_t row = 0; row < out.exact.size(); ++row) {
    const bool wrapped = operation(left[row * i], right[row * j], &out.exact[row]);
    wide |= wrapped | exceeds(out.exact[row]);
  }
  if (!wide) return;
  for (std::size_t row = 0; row < out.exact.size(); ++row) {
    if (out.is_null(row)) continue;
    const bool wrapped = operation(left[row * i], right[row * j], &out.exact[row]);
    within(out.exact[row], wrapped, formula);
  }
}

void divide_exact(const Formula& formula, const std::vector<Int128>& left, std::size_t i,
                  const std::vector<Int128>& right, std::size_t j, Values& out, std::size_t rows) {
  for (std::size_t row = 0; row < out.exact.size(); ++row) {
    const Int128 x = left[row * i];
    const Int128 y = right[row * j];
    if (out.is_null(row)) continue;
    if (y == 0) {
      set_null(out, row, rows);
      continue;
    }
    out.exact[row] =
        formula.kind == ExpressionKind::floor_divide ? floor_quotient(x, y) : remainder_of(x, y);
  }
}

void compute_exact(const Formula& formula, const Values& a, const Values& b, Values& out,
                   std::size_t rows) {
  const bool product = formula.kind == ExpressionKind::multiply;
  const unsigned scale = std::max(scale_of(a.type), scale_of(b.type));
  std::vector<Int128> room[2];
  const std::vector<Int128>& left = product ? a.exact : units_in(a, scale, formula, room[0]);
  const std::vector<Int128>& right = product ? b.exact : units_in(b, scale, formula, room[1]);
  const std::size_t i = a.single ? 0 : 1;
  const std::size_t j = b.single ? 0 : 1;
  switch (formula.kind) {
    case ExpressionKind::add:
      return fill_exact(formula, left, i, right, j, out, [](Int128 x, Int128 y, Int128* to) {
        return __builtin_add_overflow(x, y, to);
      });
    case ExpressionKind::subtract:
      return fill_exact(formula, left, i, right, j, out, [](Int128 x, Int128 y, Int128* to) {
        return __builtin_sub_overflow(x, y, to);
      });
    case ExpressionKind::multiply:
      return fill_exact(formula, left, i, right, j, out, [](Int128 x, Int128 y, Int128* to) {
        return __builtin_mul_overflow(x, y, to);
      });
    default:
      return divide_exact(formula, left, i, right, j, out, rows);
  }
}

void compute_real(const Formula& formula, const Values& a, const Values& b, Values& out,
                  std::size_t rows) {
  std::vector<double> room[2];
  const std::vector<double>& left = reals_in(a, room[0]);
  const std::vector<double>& right = reals_in(b, room[1]);
  const std::size_t i = a.single ? 0 : 1;
  const std::size_t j = b.single ? 0 : 1;
  const auto fill = [&](auto operation) {
    for (std::size_t row = 0, count = count_of(out, rows); row < count; ++row)
      out.real[row] = operation(left[row * i], right[row * j]);
  };
  switch (formula.kind) {
    case ExpressionKind::add:
      return fill([](double x, double y) { return x + y; });
    case ExpressionKind::subtract:
      return fill([](double x, double y) { return x - y; });
    case ExpressionKind::multiply:
      return fill([](double x, double y) { return x * y; });
    case ExpressionKind::divide:
      return fill([](double x, double y) { return x / y; });
    case ExpressionKind::floor_divide:
      return fill([](double x, double y) { return floor_quotient(x, y); });
    default:
      return fill([](double x, double y) { return remainder_of(x, y); });
  }
}

// The other sign, or of abs none.
Values one_operand(const Formula& formula, const Values& operand, std::size_t rows) {
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  const bool absolute = formula.kind == ExpressionKind::call;
  for (std::size_t row = 0, count = count_of(out, rows); row < count; ++row) {
    if (kind_of(out.type) == ValueKind::real)
      out.real[row] = absolute ? std::abs(operand.real[row]) : -operand.real[row];
    else
      out.exact[row] =
          absolute && operand.exact[row] >= 0 ? operand.exact[row] : -operand.exact[row];
  }
  return out;
}

void check_times(const Formula& formula, const Values& out, std::size_t rows) {
  for (std::size_t row = 0, count = count_of(out, rows); row < count; ++row) {
    if (out.is_null(row)) continue;
    if (out.exact[row] <= kTimestampMax.ns && out.exact[row] >= kTimestampMin.ns) continue;
    throw_error(ErrorCode::limit, "where: {} is a time out of range: {} to {} can be told",
                shown(formula), timestamp_format(kTimestampMin), timestamp_format(kTimestampMax));
  }
}

}  // namespace

std::string shown(const Formula& formula) {
  return formula.expression ? expression_shown(*formula.expression) : "a value";
}

void refuse_digits(const Formula& formula) {
  throw_error(ErrorCode::limit,
              "where: {} does not fit 38 digits; compute with cast(… as float64), which rounds",
              shown(formula));
}

double real_of(Int128 units, unsigned scale) noexcept {
  constexpr Int128 kExact = Int128{1} << 53;
  if (scale == 0) return static_cast<double>(units);
  if (units <= kExact && units >= -kExact && scale <= kExactTensMax)
    return static_cast<double>(units) / static_cast<double>(power_of_ten(scale));
  const std::string digits = fmt::format("{}e-{}", units, scale);
  double out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

const std::vector<double>& reals_in(const Values& values, std::vector<double>& room) {
  if (kind_of(values.type) == ValueKind::real) return values.real;
  const unsigned scale = scale_of(values.type);
  room.resize(values.exact.size());
  for (std::size_t i = 0; i < room.size(); ++i) room[i] = real_of(values.exact[i], scale);
  return room;
}

const std::vector<Int128>& units_in(const Values& values, unsigned scale, const Formula& formula,
                                    std::vector<Int128>& room) {
  if (scale == scale_of(values.type)) return values.exact;
  const Int128 factor = power_of_ten(scale - scale_of(values.type));
  room.resize(values.exact.size());
  for (std::size_t i = 0; i < room.size(); ++i) {
    if (values.is_null(i)) continue;
    const bool wrapped = __builtin_mul_overflow(values.exact[i], factor, &room[i]);
    within(room[i], wrapped, formula);
  }
  return room;
}

Values compute_numbers(const Formula& formula, const std::vector<Values>& operands,
                       std::size_t rows) {
  if (operands.size() == 1) return one_operand(formula, operands.front(), rows);
  const Values* both[] = {&operands[0], &operands[1]};
  Values out = results_of(formula, both, rows);
  if (kind_of(out.type) == ValueKind::real) {
    compute_real(formula, operands[0], operands[1], out, rows);
  } else {
    compute_exact(formula, operands[0], operands[1], out, rows);
    if (out.type.kind == TypeKind::timestamp) check_times(formula, out, rows);
  }
  return out;
}

Values call_function(const Formula& formula, const Values& operand, std::size_t rows) {
  switch (formula.function->of) {
    case Function::Of::number:
      return one_operand(formula, operand, rows);
    case Function::Of::text:
      return call_on_texts(formula, operand, rows);
    default:
      return call_on_times(formula, operand, rows);
  }
}

}  // namespace otolith::model
