#include "otolith/expression.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/limits.h"
#include "model/functions.h"
#include "model/text_place.h"

namespace otolith {

namespace {

void check(std::size_t found, std::size_t most, const char* what, const char* remedy) {
  if (found <= most) return;
  throw_error(ErrorCode::limit, "a condition of {} {}; at most {} are taken: {}", found, what, most,
              remedy);
}

bool chains(ExpressionKind kind) noexcept {
  return kind == ExpressionKind::all_of || kind == ExpressionKind::any_of;
}

// Counts what a walk through the tree will meet, so that none is deeper than a stack can take.
ExpressionNode counted(ExpressionNode node) {
  node.depth = 1;
  node.nodes = 1;
  node.values = node.constants.size();
  for (const Expression& operand : node.operands) {
    const ExpressionNode& of = operand.node();
    const std::size_t same = chains(node.kind) && of.kind == node.kind ? 1 : 0;
    node.depth = std::max(node.depth, of.depth + 1 - same);
    node.nodes += of.nodes - same;
    node.values += of.values;
  }
  check(node.depth, kExpressionDepthMax, "levels",
        "nest it less, and use isin for many values of a column");
  check(node.nodes, kExpressionNodesMax, "parts", "use isin for many values of a column");
  check(node.values, kExpressionValuesMax, "constants", "read in several steps");
  return node;
}

Expression compared(ExpressionKind kind, const Expression& operand,
                    std::vector<Constant> constants) {
  return Expression({.kind = kind, .constants = std::move(constants), .operands = {operand}});
}

Expression joined(ExpressionKind kind, const Expression& left, const Expression& right) {
  return Expression({.kind = kind, .operands = {left, right}});
}

Expression joined(ExpressionKind kind, const Expression& left, const Constant& right) {
  return joined(kind, left, Expression(right));
}

Expression joined(ExpressionKind kind, const Constant& left, const Expression& right) {
  return joined(kind, Expression(left), right);
}

}  // namespace

Constant Constant::number(std::string_view digits) {
  const char* const end = digits.data() + digits.size();
  const auto whole = [&](auto& value) {
    const auto [at, error] = std::from_chars(end - digits.size(), end, value);
    return error == std::errc{} && at == end;
  };
  std::int64_t integer = 0;
  std::uint64_t large = 0;
  if (whole(integer)) return integer;
  if (whole(large)) return large;
  double value = 0;
  const auto [at, error] = std::from_chars(end - digits.size(), end, value);
  if (at != end || error == std::errc::invalid_argument)
    throw_error(ErrorCode::invalid_argument, "{} is no number", quoted(digits));
  if (error != std::errc{}) value = std::strtod(std::string(digits).c_str(), nullptr);
  Constant out(value);
  if (digits.find_first_not_of("-0123456789.") == std::string_view::npos) out.digits_ = digits;
  return out;
}

Expression::Expression(ExpressionNode node)
    : node_(new ExpressionNode(counted(std::move(node))), &Expression::release) {}

Expression::Expression(Constant value)
    : Expression(
          ExpressionNode{.kind = ExpressionKind::constant, .constants = {std::move(value)}}) {}

// A chain may be as long as memory: the largest operand is let go after its siblings, in a loop, so
// that only the smaller ones go within one another, of which there are few; and nothing is
// allocated.
void Expression::release(const ExpressionNode* node) noexcept {
  std::vector<Expression> operands = std::move(const_cast<ExpressionNode*>(node)->operands);
  delete node;
  while (!operands.empty()) {
    const auto largest = std::ranges::max_element(
        operands, {}, [](const Expression& of) { return of.node().nodes; });
    const Expression last = std::move(*largest);
    operands.clear();
    if (last.node_.use_count() == 1)
      operands = std::move(const_cast<ExpressionNode&>(last.node()).operands);
  }
}

std::vector<Expression> Expression::parts() const {
  std::vector<Expression> out;
  std::vector<const Expression*> left;
  const auto take = [&](const Expression& of) {
    for (auto operand = of.node().operands.rbegin(); operand != of.node().operands.rend();
         ++operand) {
      left.push_back(&*operand);
    }
  };
  take(*this);
  while (!left.empty()) {
    const Expression& part = *left.back();
    left.pop_back();
    if (chains(node().kind) && part.node().kind == node().kind)
      take(part);
    else
      out.push_back(part);
  }
  return out;
}

Expression Expression::isin(std::vector<Constant> values) const {
  return compared(ExpressionKind::isin, *this, std::move(values));
}
Expression Expression::between(Constant low, Constant high) const {
  return compared(ExpressionKind::between, *this, {std::move(low), std::move(high)});
}
Expression Expression::is_null() const { return compared(ExpressionKind::is_null, *this, {}); }
Expression Expression::not_null() const { return compared(ExpressionKind::not_null, *this, {}); }

Expression Expression::cast(Type type) const {
  return Expression({.kind = ExpressionKind::cast, .column = type_name(type), .operands = {*this}});
}
Expression Expression::try_cast(Type type) const {
  return Expression(
      {.kind = ExpressionKind::try_cast, .column = type_name(type), .operands = {*this}});
}
Expression Expression::call(std::string_view function, std::vector<Constant> arguments) const {
  try {
    model::function_check(function, arguments);
  } catch (const Error& error) {
    throw_error(error.code(), "where: {} of {}: {}", quoted(function),
                model::expression_shown(*this), error.message());
  }
  return Expression({.kind = ExpressionKind::call,
                     .column = std::string(function),
                     .constants = std::move(arguments),
                     .operands = {*this}});
}

Expression col(std::string name) {
  return Expression({.kind = ExpressionKind::column, .column = std::move(name)});
}

Expression operator==(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::equal, left, {right});
}
Expression operator==(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::equal, right, {left});
}
Expression operator==(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::equal, left, right);
}
Expression operator!=(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::not_equal, left, {right});
}
Expression operator!=(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::not_equal, right, {left});
}
Expression operator!=(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::not_equal, left, right);
}
Expression operator<(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::less, left, {right});
}
Expression operator<(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::greater, right, {left});
}
Expression operator<(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::less, left, right);
}
Expression operator<=(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::less_equal, left, {right});
}
Expression operator<=(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::greater_equal, right, {left});
}
Expression operator<=(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::less_equal, left, right);
}
Expression operator>(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::greater, left, {right});
}
Expression operator>(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::less, right, {left});
}
Expression operator>(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::greater, left, right);
}
Expression operator>=(const Expression& left, const Constant& right) {
  return compared(ExpressionKind::greater_equal, left, {right});
}
Expression operator>=(const Constant& left, const Expression& right) {
  return compared(ExpressionKind::less_equal, right, {left});
}
Expression operator>=(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::greater_equal, left, right);
}
Expression operator+(const Expression& left, const Constant& right) {
  return joined(ExpressionKind::add, left, right);
}
Expression operator+(const Constant& left, const Expression& right) {
  return joined(ExpressionKind::add, left, right);
}
Expression operator+(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::add, left, right);
}
Expression operator-(const Expression& left, const Constant& right) {
  return joined(ExpressionKind::subtract, left, right);
}
Expression operator-(const Constant& left, const Expression& right) {
  return joined(ExpressionKind::subtract, left, right);
}
Expression operator-(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::subtract, left, right);
}
Expression operator*(const Expression& left, const Constant& right) {
  return joined(ExpressionKind::multiply, left, right);
}
Expression operator*(const Constant& left, const Expression& right) {
  return joined(ExpressionKind::multiply, left, right);
}
Expression operator*(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::multiply, left, right);
}
Expression operator/(const Expression& left, const Constant& right) {
  return joined(ExpressionKind::divide, left, right);
}
Expression operator/(const Constant& left, const Expression& right) {
  return joined(ExpressionKind::divide, left, right);
}
Expression operator/(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::divide, left, right);
}
Expression operator%(const Expression& left, const Constant& right) {
  return joined(ExpressionKind::modulo, left, right);
}
Expression operator%(const Constant& left, const Expression& right) {
  return joined(ExpressionKind::modulo, left, right);
}
Expression operator%(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::modulo, left, right);
}
Expression floor_divide(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::floor_divide, left, right);
}
Expression operator-(const Expression& value) {
  return Expression({.kind = ExpressionKind::negate, .operands = {value}});
}
Expression operator&&(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::all_of, left, right);
}
Expression operator||(const Expression& left, const Expression& right) {
  return joined(ExpressionKind::any_of, left, right);
}
Expression operator!(const Expression& condition) {
  return Expression({.kind = ExpressionKind::inverse, .operands = {condition}});
}

}  // namespace otolith
