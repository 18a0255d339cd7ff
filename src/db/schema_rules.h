// What the public verbs ask of schemas, beyond what a schema is by itself.
//
// Role:    create_table with exist_ok; telling a retry from another request.
// Errors:  conflict where exist_ok meets another schema.
// Threads: thread-safe.
// Why:     equal is what a user would call so: ids are the database's own.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "otolith/schema.h"

namespace otolith::db {

/// conflict unless the asked schema equals the one that is there (column ids aside).
void check_equal_schema(std::string_view name, const Schema& there, const Schema& asked);

/// Tells a retried verb from another under the same change id: the verb and its names.
Hash256 request_hash(std::initializer_list<std::string_view> words);

/// Tells a retried create_table from another request under the same change id.
Hash256 request_hash(std::string_view verb, std::string_view name, const Schema& schema);

}  // namespace otolith::db
