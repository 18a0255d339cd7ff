// What the public verbs accept of names and schemas, beyond what a schema is by itself.
//
// Role:    checked by create_table before anything is locked or written.
// Errors:  invalid_argument naming the name, the option or the column, and the remedy; conflict
//          where exist_ok meets another schema.
// Threads: thread-safe.
// Why:     an option whose feature this build lacks is refused here, never ignored.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "otolith/schema.h"

namespace otolith::db {

/// A schema that can be created today.
void check_new_schema(const Schema& schema);

/// conflict unless the asked schema equals the one that is there (column ids aside).
void check_equal_schema(std::string_view name, const Schema& there, const Schema& asked);

/// Tells a retried verb from another under the same change id: the verb and its names.
Hash256 request_hash(std::initializer_list<std::string_view> words);

/// Tells a retried create_table from another request under the same change id.
Hash256 request_hash(std::string_view verb, std::string_view name, const Schema& schema);

}  // namespace otolith::db
