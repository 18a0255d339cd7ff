// A batch under the schema of the table it is written to.
//
// Role:    first step of record: columns by name, in any order, cast where no value is lost.
// Shapes:  every column of the schema, no other; the result has the schema's order and types.
// Errors:  invalid_argument for columns that are missing, extra, misspelt (nearest name given),
//          given twice or not castable (model/cast.h).
// Threads: thread-safe.
// Why:     one rule for every door, so that C++, Python and the command line refuse alike.
#pragma once

#include <memory>

#include "otolith/batch.h"

namespace otolith::model {

Batch align(const Batch& batch, std::shared_ptr<const Schema> schema);

}  // namespace otolith::model
