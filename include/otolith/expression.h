// Conditions on rows: `col("bid") > 90 && !col("venue").is_null()`.
//
// Role:    ReadRequest::where; scan binds it to a schema and keeps the rows for which it is true.
// Shapes:  a tree of comparisons of columns with constants, joined by and, or, not; at most
//          kExpressionDepthMax deep, kExpressionNodesMax conditions and kExpressionValuesMax
//          constants (base/limits.h).
// Errors:  limit where a maximum is passed; invalid_argument when it is bound: for a column that is
//          not there, with the nearest name, and for a constant of a type that the column's values
//          are not compared with.
// Threads: immutable; copies share their parts. Joining copies none: a chain made in a loop costs
//          what it is long.
// Why:     three-valued: a comparison with a null is neither true nor false, also under `!` and
//          `!=`. NaN compares as in NumPy: false, and `!=` true. Numbers are compared by value:
//          what a column's type cannot hold is still less or greater, and never wraps or rounds.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "otolith/timestamp.h"

namespace otolith {

/// A value that a column is compared with: numbers with numbers, booleans with booleans, text with
/// text; binary with the bytes of a text; timestamps with a Timestamp, with ISO text (UTC unless it
/// says otherwise, and of any year) or with an infinity, which lies beyond all times; decimals with
/// numbers, or text such as "12.50".
class Constant {
 public:
  using Value = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, Timestamp>;

  /// Of a boolean.
  Constant(bool value) : value_(value) {}
  /// Numbers.
  template <std::signed_integral T>
  Constant(T value) : value_(std::int64_t{value}) {}
  /// Numbers.
  template <std::unsigned_integral T>
  Constant(T value) : value_(std::uint64_t{value}) {}
  /// Numbers.
  template <std::floating_point T>
  Constant(T value) : value_(static_cast<double>(value)) {}
  /// Times.
  Constant(Timestamp value) : value_(value) {}
  /// Text, also of times and decimals.
  Constant(std::string value) : value_(std::move(value)) {}
  Constant(std::string_view value) : value_(std::string(value)) {}
  Constant(const char* value) : value_(std::string(value)) {}

  /// The value, as the widest type of its kind.
  const Value& value() const noexcept { return value_; }

 private:
  Value value_;
};

/// What a node of the tree is.
enum class ExpressionKind : std::uint8_t {
  column,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  isin,
  between,
  is_null,
  not_null,
  all_of,
  any_of,
  inverse,
};

struct ExpressionNode;

/// A column, or a condition on the values of columns.
class Expression {
 public:
  /// Any tree, also one that no schema will take: binding judges it.
  explicit Expression(ExpressionNode node);

  /// Equal to one of the values; of none: never.
  Expression isin(std::vector<Constant> values) const;
  /// From `low` to `high`, both included.
  Expression between(Constant low, Constant high) const;
  /// Whether the value is missing; NaN is not.
  Expression is_null() const;
  /// Whether there is a value.
  Expression not_null() const;

  /// Its topmost node.
  const ExpressionNode& node() const noexcept { return *node_; }
  /// What the topmost node joins: `a && b && c` is one of three, however it was put together.
  std::vector<Expression> parts() const;

 private:
  static void release(const ExpressionNode* node) noexcept;

  std::shared_ptr<const ExpressionNode> node_;
};

/// One node of the tree.
struct ExpressionNode {
  ExpressionKind kind = ExpressionKind::column;
  std::string column{};                // its name
  std::vector<Constant> constants{};   // what the operand is compared with
  std::vector<Expression> operands{};  // a chain as it was put together: see Expression::parts
  std::size_t depth = 1;   // of the tree below it, itself included, a chain being one level; these
  std::size_t nodes = 1;   // three are counted when the Expression is made
  std::size_t values = 0;  // constants
};

/// A column by name. Alone it is a condition where it is boolean: true where its value is.
Expression col(std::string name);

/// Equal by value.
Expression operator==(const Expression& column, const Constant& value);
/// Another value, NaN included.
Expression operator!=(const Expression& column, const Constant& value);
/// Less by value.
Expression operator<(const Expression& column, const Constant& value);
/// Less or equal.
Expression operator<=(const Expression& column, const Constant& value);
/// Greater by value.
Expression operator>(const Expression& column, const Constant& value);
/// Greater or equal.
Expression operator>=(const Expression& column, const Constant& value);
/// True where both are.
Expression operator&&(const Expression& left, const Expression& right);
/// True where one is.
Expression operator||(const Expression& left, const Expression& right);
/// True where the condition is false; null stays null.
Expression operator!(const Expression& condition);

}  // namespace otolith
