// An asked change of a schema, carried out on the schema that is there.
//
// Role:    Table::alter makes its request of it; history decides, against the same schema or not at
//          all.
// Shapes:  a schema whose columns keep their ids, new ones last with id 0.
// Errors:  invalid_argument for unknown columns (nearest name given), columns named twice, time and
//          keys dropped, types that would lose values; conflict for names that are taken.
// Threads: thread-safe.
#pragma once

#include "base/hash.h"
#include "otolith/alter.h"

namespace otolith::db {

Schema altered(const Schema& present, const SchemaChange& change);

/// Tells a retried alter of a table from another under the same change id.
Hash256 request_hash(std::string_view table, const SchemaChange& change);

}  // namespace otolith::db
