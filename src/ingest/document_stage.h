// What a recorder does to one collection, and what it comes to in a state.
//
// Role:    stage -> encode, for documents: operations in order -> at most one event per row.
// Shapes:  of several operations on one id only what the last leaves is a revision; rows sorted by
//          id; `_time` as docs/collections.md has it.
// Errors:  conflict (an inserted id, another revision), not_found (a patched id), invalid_argument
//          (a document without its declared time); those of reading.
// Threads: thread-compatible.
// Why:     evaluated as a whole, in the order of the operations, on the state that the commit
//          stands on: so the result is that of running them one by one there, and needs no lock
//          before.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/request.h"
#include "history/snapshot.h"
#include "ingest/document_operation.h"
#include "otolith/batch.h"
#include "scan/lookup.h"

namespace otolith::ingest {

/// What operations come to.
struct DocumentOutcome {
  /// An id that was looked at, and the row that showed it.
  struct Seen {
    std::string id;
    std::optional<RowId> row;
  };
  Batch rows{};               // new revisions, by id; no schema where there are none
  history::MarkList ended{};  // rows that they take the place of, and those removed
  std::vector<Seen> seen{};   // by id
  bool by_condition = false;  // other documents may decide about it too

  bool empty() const noexcept { return rows.rows == 0 && ended.empty(); }
};

class DocumentStage {
 public:
  /// `dataset`: the collection, where it exists already; it is followed under other names.
  DocumentStage(std::string name, std::optional<DatasetId> dataset, Schema schema);

  /// Behind those that are there.
  void add(std::vector<DocumentOperation> operations);
  /// What it takes until the commit.
  static std::uint64_t bytes_of(const DocumentOperation& operation) noexcept;
  bool empty() const noexcept { return operations_.empty(); }
  /// Bytes of what was staged.
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::size_t operations() const noexcept { return operations_.size(); }
  bool by_condition() const noexcept { return by_condition_; }
  const std::string& name() const noexcept { return name_; }

  /// The collection in a state; nullopt where it does not exist there and may be made. conflict
  /// where it was dropped, or the name is a table's.
  std::optional<history::DatasetEntry> dataset_in(const history::Snapshot& state) const;
  /// The collection as the commit will make it, the `index`-th of those.
  history::DatasetEntry new_dataset(std::uint32_t index) const;

  DocumentOutcome evaluate(const scan::ScanContext& context, const history::ChangeState& state,
                           const history::DatasetEntry& dataset, bool exists) const;

 private:
  const std::string name_;
  const std::optional<DatasetId> dataset_;
  const Schema schema_;  // that it is made with
  std::vector<DocumentOperation> operations_;
  std::uint64_t bytes_ = 0;
  bool by_condition_ = false;
};

/// The name of a revision: opaque, equal or not.
std::string revision_text(const RowId& row);

/// The time that a document states at the path; nullopt without a path. invalid_argument where it
/// states none there.
std::optional<Timestamp> stated_time(std::string_view id, std::string_view body,
                                     const DocumentTime& where);

/// Throws invalid_argument for a document that is put and states no time where it has to.
void check_operation(const DocumentOperation& operation, const DocumentTime& where);
/// Throws invalid_argument unless documents can say their time so.
void check_document_time(const DocumentTime& time);

/// Whether these rows still are what shows their ids.
bool same_rows(const scan::ScanContext& context,
               const std::shared_ptr<const history::Snapshot>& state,
               const history::DatasetEntry& dataset,
               const std::vector<DocumentOutcome::Seen>& seen);

}  // namespace otolith::ingest
