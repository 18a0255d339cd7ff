// A value computed from the columns of a row, bound to a schema: types are checked, texts parsed.
//
// Role:    scan/condition.h, for what is more than a column beside constants; asked of the rows
//          that cheaper comparisons have left.
// Shapes:  any number of rows of one page at a time; columns as they are stored.
// Errors:  formula_of throws invalid_argument for columns that are not there and types that do not
//          go together, with the place in the text; evaluate throws invalid_argument where a cast
//          meets a value that its type cannot hold, limit where exact digits do not suffice.
// Threads: immutable.
// Why:     four kinds of values instead of fifteen types: integers, decimals and times are 128 bits
//          and a scale, so that nothing wraps and every two of them are compared by value. A column
//          at a time, as loops over dense vectors.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/int128.h"
#include "model/criterion.h"
#include "model/functions.h"
#include "otolith/batch.h"
#include "otolith/expression.h"
#include "otolith/schema.h"

namespace otolith::model {

/// How values of a type are held while they are computed with.
enum class ValueKind : std::uint8_t { truth, exact, real, text };
ValueKind kind_of(Type type) noexcept;

/// Digits after the point of an exact type; 0 but for decimals.
inline unsigned scale_of(Type type) noexcept {
  return type.kind == TypeKind::decimal ? type.scale : 0u;
}

/// One value a row, or one for all rows. Of the four vectors the one of the type's kind counts.
struct Values {
  Type type{};
  bool single = false;               // one for all
  std::vector<std::uint8_t> null{};  // 1 where there is none; empty: nowhere
  std::vector<std::uint8_t> truth{};
  std::vector<Int128> exact{};
  std::vector<double> real{};
  std::vector<std::string_view> text{};
  std::shared_ptr<const void> owner{};  // of the texts' memory

  bool is_null(std::size_t row) const noexcept {
    return !null.empty() && null[single ? 0 : row] != 0;
  }
};

/// A regular expression; formula_texts.cc.
class Pattern;

struct Formula {
  ExpressionKind kind = ExpressionKind::constant;
  Type type{};
  std::size_t column = 0;  // in the schema
  Values constant{};
  Criterion test{};  // comparisons with constants
  const Function* function = nullptr;
  std::string argument{};                    // of the function
  std::int64_t unit_ns = 0;                  // of floor
  std::shared_ptr<const Pattern> pattern{};  // of matches
  std::vector<Formula> operands{};
  std::optional<Expression> expression{};  // what it was bound from, for messages
};

Formula formula_of(const Expression& expression, const Schema& schema);
/// The same of what has to be true or false.
Formula condition_formula(const Expression& expression, const Schema& schema);

/// Throws: there is no such column; the nearest name, and the place in the text.
[[noreturn]] void refuse_column(const ExpressionNode& column, const Schema& schema);

/// The columns that it is computed from, in the schema; each once, in no order.
void collect_columns(const Formula& formula, std::vector<std::size_t>& columns);

/// Rows of a page.
class Inputs {
 public:
  virtual ~Inputs() = default;
  /// A column of the whole page, of the type it is stored as; nullptr: null everywhere.
  virtual const Array* column(std::size_t column) const = 0;

  std::span<const std::uint32_t> rows{};  // of the page, that are asked for
};

/// One value for each of the rows.
Values evaluate(const Formula& formula, const Inputs& inputs);

}  // namespace otolith::model
