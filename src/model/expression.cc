#include "otolith/expression.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/limits.h"

namespace otolith {

namespace {

void check(std::size_t found, std::size_t most, const char* what, const char* remedy) {
  if (found <= most) return;
  throw_error(ErrorCode::limit, "a condition of {} {}; at most {} are taken: {}", found, what, most,
              remedy);
}

// Counts what a walk through the tree will meet, so that none is deeper than a stack can take.
ExpressionNode counted(ExpressionNode node) {
  node.depth = 1;
  node.nodes = 1;
  node.values = node.constants.size();
  for (const Expression& operand : node.operands) {
    node.depth = std::max(node.depth, operand.node().depth + 1);
    node.nodes += operand.node().nodes;
    node.values += operand.node().values;
  }
  check(node.depth, kExpressionDepthMax, "levels", "nest it less");
  check(node.nodes, kExpressionNodesMax, "parts", "use isin for many values of a column");
  check(node.values, kExpressionValuesMax, "constants", "read in several steps");
  return node;
}

Expression compared(ExpressionKind kind, const Expression& operand,
                    std::vector<Constant> constants) {
  return Expression({.kind = kind, .constants = std::move(constants), .operands = {operand}});
}

// `a && b && c` is one node of three operands, however it was put together: long chains stay flat.
Expression joined(ExpressionKind kind, const Expression& left, const Expression& right) {
  ExpressionNode node{.kind = kind};
  for (const Expression* side : {&left, &right}) {
    const ExpressionNode& of = side->node();
    if (of.kind == kind)
      node.operands.insert(node.operands.end(), of.operands.begin(), of.operands.end());
    else
      node.operands.push_back(*side);
  }
  return Expression(std::move(node));
}

}  // namespace

Expression::Expression(ExpressionNode node)
    : node_(std::make_shared<const ExpressionNode>(counted(std::move(node)))) {}

Expression Expression::isin(std::vector<Constant> values) const {
  return compared(ExpressionKind::isin, *this, std::move(values));
}
Expression Expression::between(Constant low, Constant high) const {
  return compared(ExpressionKind::between, *this, {std::move(low), std::move(high)});
}
Expression Expression::is_null() const { return compared(ExpressionKind::is_null, *this, {}); }
Expression Expression::not_null() const { return compared(ExpressionKind::not_null, *this, {}); }

Expression col(std::string name) {
  return Expression({.kind = ExpressionKind::column, .column = std::move(name)});
}

Expression operator==(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::equal, column, {value});
}
Expression operator!=(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::not_equal, column, {value});
}
Expression operator<(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::less, column, {value});
}
Expression operator<=(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::less_equal, column, {value});
}
Expression operator>(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::greater, column, {value});
}
Expression operator>=(const Expression& column, const Constant& value) {
  return compared(ExpressionKind::greater_equal, column, {value});
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
