// Conditions in simpler words: as columns beside constants, where that says the same.
//
// Role:    scan/condition.cc, before it binds: what is a comparison of a column is asked of zone
//          maps and encoded pages, what is computed of neither.
// Shapes:  constants go to the right; `starts_with` and `like 'A%'` become ranges of text,
//          `year` of a column beside constants ranges of time.
// Errors:  none; what is wrong stays as it is, for binding to refuse.
// Threads: thread-safe.
// Why:     rewritten as expressions, so that each is one rule of this file and is null where it
//          was.
#pragma once

#include "otolith/expression.h"
#include "otolith/schema.h"

namespace otolith::scan {

/// The condition itself, or one that is true, false and null for the same rows.
Expression simplified(const Expression& condition, const Schema& schema);

}  // namespace otolith::scan
