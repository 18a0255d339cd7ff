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
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otolith/alter.h"
#include "otolith/collection.h"
#include "otolith/database.h"
#include "otolith/document.h"

namespace otolith {

/// Some rows of a difference.
struct DiffRows {
  std::uint64_t rows = 0;
  Table table;
};

/// What became of one value of a document.
struct PathChange {
  /// Which of the two states have it.
  enum class Kind : std::uint8_t { added, removed, changed };

  Kind kind = Kind::changed;
  std::string path{};                     // "user.city", "tags.0"
  std::optional<DocumentValue> before{};  // nullopt where it was added
  std::optional<DocumentValue> after{};   // nullopt where it was removed
};

/// A document that differs.
struct DocumentChange {
  std::string id;
  std::optional<DocumentEntry> before;  // nullopt: it was added
  std::optional<DocumentEntry> after;   // nullopt: it was removed
  /// Of one that both have, the deepest paths that differ, in the order of the fields. None where
  /// only its time, or the order of its fields, is another.
  std::vector<PathChange> paths() const;
};

/// Documents that differ, by id, some at a time.
class DocumentChangeStream {
 public:
  DocumentChangeStream(DocumentChangeStream&&) noexcept;
  DocumentChangeStream& operator=(DocumentChangeStream&&) noexcept;
  ~DocumentChangeStream();
  /// The next ones; empty at the end alone.
  std::vector<DocumentChange> next();

 private:
  friend class DocumentDiff;
  struct State;
  explicit DocumentChangeStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The documents of a collection that differ.
class DocumentDiff {
 public:
  /// From the first id on; read as it goes.
  DocumentChangeStream changes() const;

 private:
  friend class db::DiffMaker;
  DocumentDiff(std::shared_ptr<db::Hall> hall, std::shared_ptr<const db::CollectionPlace> before,
               std::shared_ptr<const db::CollectionPlace> after);
  std::shared_ptr<db::Hall> hall_;
  std::shared_ptr<const db::CollectionPlace> before_;
  std::shared_ptr<const db::CollectionPlace> after_;
};

/// How one dataset differs. Of a collection rows are documents, counted by their ids: one that is
/// the same in both states does not differ, whoever put it.
struct DatasetDiff {
  std::string name;                   // in the second state, or in the first where it is gone
  std::optional<std::string> before;  // its name in the first; nullopt where it does not exist
  std::optional<std::string> after;   // and in the second
  SchemaChange schema;  // what `alter` would be told to get from the first schema to the second
  DiffRows added;       // shown by the second state only, under its schema
  DiffRows removed;     // shown by the first only, under its schema
  /// Rows of a table that has one of each keys and time, under `error`, `last` or `first`, where
  /// both states have one and not the same: as they were, and as they are, row by row. Documents of
  /// one id in the same way.
  DiffRows changed_before;
  DiffRows changed_after;
  std::optional<DocumentDiff> documents{};  // of a collection

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
