// A schema inside a commit frame: every field of otolith::Schema, column ids included.
//
// Role:    catalog changes of a commit and catalog checkpoints carry schemas; nothing else does.
// Shapes:  version byte (1 of tables, 2 of collections), columns (name, type, nullable, id, codec,
//          metadata), time, keys, policies, metadata; of collections the path and unit of times. At
//          most kColumnsMax columns; texts within the limits of base/limits.h.
// Errors:  reading throws corrupt for bytes that no writer makes, unsupported_format for a newer
//          version.
// Threads: thread-safe.
// Why:     hashed into the chain of commits, so one schema has exactly one encoding: maps are
//          sorted, numbers shortest, flags 0 or 1, and the reader refuses anything else. A build
//          that knows tables alone meets version 2 and says so, before it shows or writes anything.
#pragma once

#include "base/bytes.h"
#include "otolith/schema.h"

namespace otolith::history {

void schema_write(ByteWriter& out, const Schema& schema);
Schema schema_read(ByteReader& in);

}  // namespace otolith::history
