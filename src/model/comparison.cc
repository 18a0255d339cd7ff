#include "model/comparison.h"

namespace otolith::model {

ExpressionKind turned(ExpressionKind kind) noexcept {
  switch (kind) {
    case ExpressionKind::less:
      return ExpressionKind::greater;
    case ExpressionKind::less_equal:
      return ExpressionKind::greater_equal;
    case ExpressionKind::greater:
      return ExpressionKind::less;
    case ExpressionKind::greater_equal:
      return ExpressionKind::less_equal;
    default:
      return kind;
  }
}

const Constant* constant_in(const Expression& expression) noexcept {
  const ExpressionNode& node = expression.node();
  return node.kind == ExpressionKind::constant ? &node.constants.front() : nullptr;
}

}  // namespace otolith::model
