// What to alter of a table: its columns, and what is noted of them.
//
// Role:    the argument of Table::alter.
// Shapes:  every name is the one a column has before the change; only names to be given, and of
//          added columns, are new. So two columns may change names, and a name that is given up may
//          be taken at once.
// Errors:  checked where it is used: invalid_argument names the column and the nearest name,
//          conflict where a name is taken.
// Threads: thread-compatible.
// Why:     one value, one commit: what belongs together is changed together or not at all.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "otolith/schema.h"

namespace otolith {

/// Texts by key; an absent one is taken away, keys that are not named stay.
using MetadataChange = std::map<std::string, std::optional<std::string>>;

/// Changes of a schema; none of them touches a row that is there.
struct SchemaChange {
  std::vector<Column> add{};        // null in rows that are there; required only without any rows
  std::vector<std::string> drop{};  // neither time nor keys
  std::map<std::string, std::string> rename{};  // new names by old ones; time and keys too
  std::map<std::string, Type> widen{};          // to a larger type of the same kind of numbers
  MetadataChange metadata{};                    // of the table
  std::map<std::string, MetadataChange> column_metadata{};  // of columns that are there
};

}  // namespace otolith
