// Shows expressions, and places in a text, for messages.
//
// Role:    errors of conditions: of the parser, of binding, and of rows.
// Shapes:  positions count characters of UTF-8 from 1; one line of at most 72 characters around the
//          place, and one of carets under it.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <string>

#include "otolith/expression.h"

namespace otolith::model {

/// ` (character 7):` and the two lines; nothing where it was no text.
std::string place_shown(const TextPlace& place);

/// As text, of which at most 72 characters: conditions may be as long as a file.
std::string expression_shown(const Expression& expression);

}  // namespace otolith::model
