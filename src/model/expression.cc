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

}  // namespace

Expression::Expression(ExpressionNode node)
    : node_(new ExpressionNode(counted(std::move(node))), &Expression::release) {}

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
