// What a committer asks of history, and what a frame says of it: the nouns of a commit.
//
// Role:    ingest and db fill a CommitRequest; history decides, numbers, hashes, appends it.
// Shapes:  one DatasetChange per dataset and commit; ordinals number its rows from 0
//          (docs/history.md 3).
// Errors:  none here.
// Threads: thread-compatible.
// Why:     rows are opaque bytes here and segments only references: history is blind to segment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "history/mark_list.h"
#include "otolith/schema.h"
#include "otolith/timestamp.h"

namespace otolith::history {

class Snapshot;       // snapshot.h
struct DatasetEntry;  // snapshot.h

/// What the log says of a segment file: enough to find it, to tell it from another, and to prune
/// it.
struct SegmentRef {
  Id128 id;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t footer_hash = 0;  // XXH3 of its footer, which holds the checksums of all else
  Timestamp time_min{};
  Timestamp time_max{};
  bool operator==(const SegmentRef&) const = default;
};

/// What one commit does to the rows of one dataset.
struct DatasetChange {
  DatasetId dataset;                     // {0, i}: the i-th dataset created by the same request
  std::shared_ptr<const Schema> schema;  // rows were written under this one; null: not checked
  std::uint64_t rows_added = 0;
  Bytes rows;  // inlined rows (model/wire.h); empty if there are none or a segment
  std::optional<SegmentRef> segment;  // written and synced before the commit
  std::vector<std::uint64_t> runs;    // rows of each run, in a segment of several; else empty
  MarkList marks;
  std::optional<SegmentRef> marks_segment;  // marks beyond kInlineBytesMax
  Id128 salt;                               // of the keys of their leaves (docs/history.md 7)
  Hash256 rows_root;                        // joined leaves of the rows; zero without rows
  Timestamp time_min{};
  Timestamp time_max{};
};

/// The rows to mark in a state, of those begun behind `after` (0: of all).
using FindRows = std::function<MarkList(const std::shared_ptr<const Snapshot>& state,
                                        const DatasetEntry& dataset, CommitNumber after)>;

/// Rows that a commit ends, and rows that it revives.
struct RowsBack {
  MarkList ended;
  MarkList revived;
};

/// Of the rows that only the present state shows, and those that only the older one shows, what
/// goes back: for rows that decide about each other. `time_of`: of the commits of both.
using FindBack = std::function<RowsBack(
    const std::shared_ptr<const Snapshot>& present, const std::shared_ptr<const Snapshot>& older,
    const DatasetEntry& dataset, const std::function<Timestamp(CommitNumber)>& time_of)>;

/// Rows of one dataset that a commit ends, whichever they are when it is decided (row_questions.h);
/// with `as_at` it ends and revives what makes them those of that commit, of the rows that `find`
/// finds one by one, or `find_back` together.
struct Marking {
  DatasetId dataset;
  std::string name;                      // for messages
  std::shared_ptr<const Schema> schema;  // that `find` was made for; another one is a conflict
  bool by_row = true;                    // whether a row is marked is told from that row alone
  FindRows find;
  std::optional<CommitNumber> as_at{};
  FindBack find_back{};  // in the place of `find`, with `as_at`
};

/// Throws conflict where a shown row, of those begun behind `after` (0: of all), shares keys and
/// time with one that the commit adds, and is none that it ends.
using CheckUnique =
    std::function<void(const std::shared_ptr<const Snapshot>& state, const DatasetEntry& dataset,
                       CommitNumber after, const MarkList& ended)>;

/// Rows of one dataset that a commit adds, and that must meet no other row when it is decided.
struct UniqueRows {
  DatasetId dataset;
  Timestamp time_min{};
  Timestamp time_max{};
  CheckUnique check;
};

struct CommitRequest;

/// A state that a commit may stand on.
struct ChangeState {
  std::shared_ptr<const Snapshot> snapshot;
  std::function<Timestamp(CommitNumber)> time_of;  // of a commit that it may see rows of
  /// Whether events of a dataset came since the changes were made or held; true before the first.
  std::function<bool(DatasetId)> touched;
};

/// Part of a commit that depends on what datasets show: made for a state, and made anew where
/// another commit changed that (row_questions.h). Documents are written so: what a patch comes to
/// is known once it is known what it changes.
class DependentChanges {
 public:
  virtual ~DependentChanges() = default;
  /// Whether `hold` and `make` take little enough to be asked under the append lock.
  virtual bool little(const ChangeState& state) const = 0;
  /// Whether what was made is what this state would make.
  virtual bool hold(const ChangeState& state) = 0;
  /// Puts catalog changes, rows and marks into the request, in the place of those that it put there
  /// before. Throws what is to be told to who asked: conflict, not_found.
  virtual void make(const ChangeState& state, CommitRequest& request) = 0;
};

/// The dataset that stands for the database itself: it has no rows, and the metadata of its schema
/// are the database's (docs/format/commit.md). No user can give this name, nor look it up.
inline constexpr std::string_view kDatabaseName =
    "\x01"
    "database";

struct CreateDataset {
  std::string name;
  Schema schema;  // column ids are given by history
};
struct AlterDataset {
  DatasetId dataset;
  Schema schema;  // columns with id 0 are new; ids that are missing are dropped
  // What it was made from, which must still be there: asked of a request, in no record. Null: any.
  std::shared_ptr<const Schema> base{};
};
struct RenameDataset {
  DatasetId dataset;
  std::string name;
  std::string from{};  // the name it must still have; as `base`. Empty: any
};
struct DropDataset {
  DatasetId dataset;
  std::string name{};  // as `from`
};
using CatalogChange = std::variant<CreateDataset, AlterDataset, RenameDataset, DropDataset>;

/// Changes lineage: the whole database, or one dataset.
struct Rollback {
  CommitNumber to{0};
  std::optional<DatasetId> dataset;
  bool replace_name = false;
};
struct Revert {
  CommitNumber commit{0};
  std::optional<DatasetId> dataset;
};

/// One atomic change. Empty requests record nothing and return HEAD.
struct CommitRequest {
  std::string author;
  std::string message;
  std::string extra;               // JSON text
  std::optional<Id128> change_id;  // made when missing
  Hash256 request_hash;           // of what the caller asked: tells a retry from a reused change id
  std::optional<Timestamp> time;  // a stated commit time, not before HEAD's
  bool relaxed = false;
  std::vector<CatalogChange> catalog;
  std::vector<DatasetChange> datasets;
  std::vector<Marking> markings;   // at most one a dataset; its marks are put into `datasets`
  std::vector<UniqueRows> unique;  // asked once the rows to end are known
  std::shared_ptr<DependentChanges> dependent{};           // null: all of it was known beforehand
  std::variant<std::monostate, Rollback, Revert> lineage;  // alone in its request
};

}  // namespace otolith::history
