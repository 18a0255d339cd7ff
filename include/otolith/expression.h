// Conditions on rows: `col("bid") > 90 && !col("venue").is_null()`, or `bid > 90 and venue is not
// null` as text.
//
// Role:    ReadRequest::where; scan binds it to a schema and keeps the rows for which it is true.
// Shapes:  a tree of columns, constants, arithmetic, functions and comparisons, joined by and, or,
//          not; at most kExpressionDepthMax deep, kExpressionNodesMax parts and
//          kExpressionValuesMax constants (base/limits.h). The text form: docs/conditions.md.
// Errors:  limit where a maximum is passed; invalid_argument when it is bound: for a column that is
//          not there, with the nearest name, and for types that do not go together.
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

#include "otolith/schema.h"
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

  /// A number in decimal digits, "-12.50": an integer where 64 bits hold it, otherwise a float64
  /// that decimals take digit by digit. Throws invalid_argument for what is no number.
  static Constant number(std::string_view digits);

  /// The value, as the widest type of its kind.
  const Value& value() const noexcept { return value_; }
  /// The digits of a float64 that was written as such; empty for all else.
  const std::string& digits() const noexcept { return digits_; }

 private:
  Value value_;
  std::string digits_{};
};

/// What a node of the tree is. Numbers go into digests of requests: never renumbered.
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
  constant,
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  negate,
  cast,
  try_cast,
  call,
};

struct ExpressionNode;

/// A column, a value computed from columns, or a condition on them.
///
/// Integers and decimals are computed exactly, in up to 38 digits; floats, and `/`, in float64. A
/// time less a time is an integer of ns, a time and an integer of ns a time.
class Expression {
 public:
  /// Any tree, also one that no schema will take: binding judges it.
  explicit Expression(ExpressionNode node);
  /// A constant as a value to compute with.
  explicit Expression(Constant value);

  /// Equal to one of the values; of none: never.
  Expression isin(std::vector<Constant> values) const;
  /// From `low` to `high`, both included.
  Expression between(Constant low, Constant high) const;
  /// Whether the value is missing; NaN is not.
  Expression is_null() const;
  /// Whether there is a value.
  Expression not_null() const;

  /// The value as another type; one that the type cannot hold is invalid_argument. Floats lose
  /// their fraction, or their last digits, where the type has none.
  Expression cast(Type type) const;
  /// The same, null where the type cannot hold the value.
  Expression try_cast(Type type) const;
  /// A function by name, of this value: docs/conditions.md lists them, `call("starts_with",
  /// {"AA"})`. Throws invalid_argument for an unknown name and for other arguments than it takes.
  Expression call(std::string_view function, std::vector<Constant> arguments = {}) const;

  /// Its topmost node.
  const ExpressionNode& node() const noexcept { return *node_; }
  /// What the topmost node joins: `a && b && c` is one of three, however it was put together.
  std::vector<Expression> parts() const;
  /// As parse_condition takes it.
  std::string text() const;

 private:
  static void release(const ExpressionNode* node) noexcept;

  std::shared_ptr<const ExpressionNode> node_;
};

/// Where a part of a text stands in it.
struct TextPlace {
  std::shared_ptr<const std::string> text{};  // null: it was no text
  std::size_t first = 0;                      // bytes
  std::size_t end = 0;
};

/// One node of the tree.
struct ExpressionNode {
  ExpressionKind kind = ExpressionKind::column;
  std::string column{};                // its name; of a call the function's, of a cast the type's
  std::vector<Constant> constants{};   // what the operand is compared with; a call's arguments
  std::vector<Expression> operands{};  // a chain as it was put together: see Expression::parts
  std::size_t depth = 1;   // of the tree below it, itself included, a chain being one level; these
  std::size_t nodes = 1;   // three are counted when the Expression is made
  std::size_t values = 0;  // constants
  TextPlace place{};       // for messages
};

/// A column by name. Alone it is a condition where it is boolean: true where its value is.
Expression col(std::string name);

/// A condition in words, `bid > 90 and symbol in ('A', 'B')`: docs/conditions.md has the grammar.
/// Throws invalid_argument that shows the place, and limit.
Expression parse_condition(std::string_view text);

/// Equal by value.
Expression operator==(const Expression& left, const Constant& right);
Expression operator==(const Constant& left, const Expression& right);
Expression operator==(const Expression& left, const Expression& right);
/// Another value, NaN included.
Expression operator!=(const Expression& left, const Constant& right);
Expression operator!=(const Constant& left, const Expression& right);
Expression operator!=(const Expression& left, const Expression& right);
/// Less by value.
Expression operator<(const Expression& left, const Constant& right);
Expression operator<(const Constant& left, const Expression& right);
Expression operator<(const Expression& left, const Expression& right);
/// Less or equal.
Expression operator<=(const Expression& left, const Constant& right);
Expression operator<=(const Constant& left, const Expression& right);
Expression operator<=(const Expression& left, const Expression& right);
/// Greater by value.
Expression operator>(const Expression& left, const Constant& right);
Expression operator>(const Constant& left, const Expression& right);
Expression operator>(const Expression& left, const Expression& right);
/// Greater or equal.
Expression operator>=(const Expression& left, const Constant& right);
Expression operator>=(const Constant& left, const Expression& right);
Expression operator>=(const Expression& left, const Expression& right);
/// Numbers; a time and ns.
Expression operator+(const Expression& left, const Constant& right);
Expression operator+(const Constant& left, const Expression& right);
Expression operator+(const Expression& left, const Expression& right);
/// Numbers; two times, which gives ns; a time and ns.
Expression operator-(const Expression& left, const Constant& right);
Expression operator-(const Constant& left, const Expression& right);
Expression operator-(const Expression& left, const Expression& right);
/// Numbers.
Expression operator*(const Expression& left, const Constant& right);
Expression operator*(const Constant& left, const Expression& right);
Expression operator*(const Expression& left, const Expression& right);
/// Of numbers, always as float64.
Expression operator/(const Expression& left, const Constant& right);
Expression operator/(const Constant& left, const Expression& right);
Expression operator/(const Expression& left, const Expression& right);
/// What floor_divide leaves: it has the sign of `right`.
Expression operator%(const Expression& left, const Constant& right);
Expression operator%(const Constant& left, const Expression& right);
Expression operator%(const Expression& left, const Expression& right);
/// The quotient rounded down, as `//` in Python; null where an exact `right` is 0.
Expression floor_divide(const Expression& left, const Expression& right);
/// With the other sign.
Expression operator-(const Expression& value);
/// True where both are.
Expression operator&&(const Expression& left, const Expression& right);
/// True where one is.
Expression operator||(const Expression& left, const Expression& right);
/// True where the condition is false; null stays null.
Expression operator!(const Expression& condition);

}  // namespace otolith
