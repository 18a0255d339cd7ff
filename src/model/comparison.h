// The sides of a comparison: which one is a constant, and what it says the other way round.
//
// Role:    parsing, simplifying and binding put a constant on the right, to make ranges of it.
// Shapes:  `5 < x` is `x > 5`.
// Errors:  none.
// Threads: immutable.
#pragma once

#include "otolith/expression.h"

namespace otolith::model {

/// The comparison of the right side with the left; other kinds stay.
ExpressionKind turned(ExpressionKind kind) noexcept;

/// The constant that an expression is; nullptr where it is none.
const Constant* constant_in(const Expression& expression) noexcept;

}  // namespace otolith::model
