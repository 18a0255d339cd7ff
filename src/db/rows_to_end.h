// What delete and replace accept, and the rows that they are about.
//
// Role:    between the public verbs and ingest: checked before anything is staged.
// Errors:  invalid_argument where nothing is named, where `all` is not alone, and where a batch has
//          rows outside of what it replaces.
// Threads: thread-safe.
// Why:     a forgotten argument must not empty a table: every row has to be asked for by name.
#pragma once

#include <memory>

#include "otolith/batch.h"
#include "otolith/read.h"

namespace otolith::db {

ReadRequest rows_to_delete(const DeleteRequest& rows);

/// Also checks that each row of the batch is one of those that it takes the place of.
ReadRequest rows_to_replace(const ReplaceRequest& range, const Batch& batch,
                            const std::shared_ptr<const Schema>& schema);

}  // namespace otolith::db
