// How two states of a database differ, and who wrote what a table shows.
//
// Role:    what Database::diff, dry runs of rollback and revert, and Table::blame return.
// Shapes:  counts first; rows are tables that can be read in every way, and are read only then.
// Errors:  those of reading a table; snapshot_expired where the rows of a dry run were moved
//          meanwhile.
// Threads: thread-compatible.
// Why:     rows as tables: a difference of millions of rows is read by time, keys and conditions,
//          or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otolith/alter.h"
#include "otolith/database.h"

namespace otolith {

/// Some rows of a difference.
struct DiffRows {
  std::uint64_t rows = 0;
  Table table;
};

/// How one dataset differs.
struct DatasetDiff {
  std::string name;                   // in the second state, or in the first where it is gone
  std::optional<std::string> before;  // its name in the first; nullopt where it does not exist
  std::optional<std::string> after;   // and in the second
  SchemaChange schema;  // what `alter` would be told to get from the first schema to the second
  DiffRows added;       // shown by the second state only, under its schema
  DiffRows removed;     // shown by the first only, under its schema
  /// Rows of a table that has one of each keys and time, under `error`, `last` or `first`, where
  /// both states have one and not the same: as they were, and as they are, row by row.
  DiffRows changed_before;
  DiffRows changed_after;

  /// Whether only the second state has it.
  bool created() const noexcept { return !before; }
  /// Whether only the first state has it.
  bool dropped() const noexcept { return !after; }
  /// Whether both have it, by different names.
  bool renamed() const noexcept { return before && after && *before != *after; }
};

/// How two states differ.
struct Diff {
  CommitNumber from{0};
  std::optional<CommitNumber> to;     // nullopt: of a dry run, which makes no commit
  MetadataChange metadata;            // of the database
  std::vector<DatasetDiff> datasets;  // those that differ, by name

  /// Whether nothing differs.
  bool empty() const noexcept { return datasets.empty() && metadata.empty(); }
  /// nullptr where the dataset does not differ.
  const DatasetDiff* find(std::string_view name) const noexcept;
};

/// The rows that one commit added, of those that a table shows.
struct Blamed {
  Commit commit;
  DiffRows added;
};

}  // namespace otolith
