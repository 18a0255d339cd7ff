// What the loops of formulas share: operands of one value or many, nulls of either, conversions.
//
// Role:    formula_*.cc; conditions on documents, which compute an operation at a time.
// Shapes:  `rows` results; an operand that is single gives its one value to all of them.
// Errors:  limit where a number does not fit the exact digits.
// Threads: thread-safe.
#pragma once

#include <cmath>
#include <optional>

#include "model/formula.h"

namespace otolith::model {

/// Beyond every exact number: 10^38.
inline constexpr Int128 kExactEnd = [] {
  Int128 out = 1;
  for (int i = 0; i < 38; ++i) out *= 10;
  return out;
}();

constexpr Int128 power_of_ten(unsigned power) noexcept {
  Int128 out = 1;
  while (power-- > 0) out *= 10;
  return out;
}

/// The results of a formula, to be filled in: as many as rows, or one where all operands are
/// single. Nulls are those of any operand.
Values results_of(const Formula& formula, std::span<const Values* const> operands,
                  std::size_t rows);
inline std::size_t count_of(const Values& values, std::size_t rows) noexcept {
  return values.single ? 1 : rows;
}

/// Makes a row null.
void set_null(Values& values, std::size_t row, std::size_t rows);

/// Exact or real numbers of any scale as float64, the nearest: where they are, or in `room`.
const std::vector<double>& reals_in(const Values& values, std::vector<double>& room);
/// Exact numbers in units of a finer scale, likewise; of nulls anything.
const std::vector<Int128>& units_in(const Values& values, unsigned scale, const Formula& formula,
                                    std::vector<Int128>& room);

double real_of(Int128 units, unsigned scale) noexcept;

/// For messages: what the formula computes.
std::string shown(const Formula& formula);

[[noreturn]] void refuse_digits(const Formula& formula);

/// What a formula that is no column, constant or condition of conditions makes of its operands.
Values compute(const Formula& formula, const std::vector<Values>& operands, std::size_t rows);

Values compute_numbers(const Formula& formula, const std::vector<Values>& operands,
                       std::size_t rows);
Values compare_values(const Formula& formula, const std::vector<Values>& operands,
                      std::size_t rows);
Values test_constants(const Formula& formula, const Values& operand, std::size_t rows);
Values cast_values(const Formula& formula, const Values& operand, std::size_t rows);
Values call_function(const Formula& formula, const Values& operand, std::size_t rows);
Values call_on_texts(const Formula& formula, const Values& operand, std::size_t rows);
Values call_on_times(const Formula& formula, const Values& operand, std::size_t rows);

/// Whether a value of one type can become one of another at all.
bool cast_exists(Type from, Type to) noexcept;

/// Throws invalid_argument for what is no regular expression.
std::shared_ptr<const Pattern> pattern_of(FunctionId function, const std::string& text);

}  // namespace otolith::model
