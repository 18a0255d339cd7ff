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
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "otolith/schema.h"
#include "otolith/timestamp.h"

namespace otolith::history {

class Snapshot;       // snapshot.h
struct DatasetEntry;  // snapshot.h

/// A run of row ids of one begin that a commit ends or revives.
struct MarkRun {
  CommitNumber begin{0};
  std::uint64_t first = 0;  // ordinal
  std::uint64_t count = 0;
  bool revive = false;
  bool operator==(const MarkRun&) const = default;
};

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
  std::optional<SegmentRef> segment;        // written and synced before the commit
  std::vector<MarkRun> marks;               // sorted by (begin, first), disjoint
  std::optional<SegmentRef> marks_segment;  // marks beyond kInlineBytesMax
  Id128 salt;                               // of the keys of their leaves (docs/history.md 7)
  Hash256 rows_root;                        // joined leaves of the rows; zero without rows
  Timestamp time_min{};
  Timestamp time_max{};
};

/// The rows to end in a state, of those begun behind `after` (0: of all): runs in order and joined.
using FindRows = std::function<std::vector<MarkRun>(
    const std::shared_ptr<const Snapshot>& state, const DatasetEntry& dataset, CommitNumber after)>;

/// Rows of one dataset that a commit ends, whichever they are when it is decided (endings.h).
struct Ending {
  DatasetId dataset;
  std::string name;                      // for messages
  std::shared_ptr<const Schema> schema;  // that `find` was made for; another one is a conflict
  bool by_row = true;                    // whether a row is ended is told from that row alone
  FindRows find;
};

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
  std::vector<Ending> endings;  // at most one a dataset; its marks are put into `datasets`
  std::variant<std::monostate, Rollback, Revert> lineage;  // alone in its request
};

}  // namespace otolith::history
