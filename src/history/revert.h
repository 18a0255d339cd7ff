// Whether a revert or a rollback is accepted: decided from marks and lineage, without reading data.
//
// Role:    the committer asks before it appends the frame (docs/history.md 4, "Revert").
// Shapes:  T: the commits in which V(m) and V(m-1) differ; S: those in which V(n-1) and V(m)
//          differ. Refused when something was changed in T and again in S; the answer lists what.
// Errors:  snapshot_expired when m, m-1 or the rollback's target is not retained; invalid_argument
//          when m is an expire or erase, does not exist, or is 0.
// Threads: thread-compatible; the committer holds the log's order.
// Why:     undone exactly or not at all: V(n) then shows T's rows as m-1 did and all others as n-1
//          did. What counts where: docs/adr/0021-what-stands-against-a-revert.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/lineage.h"
#include "history/marks.h"
#include "history/snapshot.h"
#include "otolith/schema.h"

namespace otolith::history {

/// A dataset as its lineage shows it at a commit; schema is null where it does not exist.
struct DatasetFace {
  std::string name;
  std::shared_ptr<const Schema> schema;
  bool exists() const noexcept { return schema != nullptr; }
};

/// Rows that a commit added to a dataset: ordinals 0..rows-1.
struct RowsAdded {
  CommitNumber begin{0};
  std::uint64_t rows = 0;
};

/// A change of a dataset itself.
struct CatalogEvent {
  enum class Kind : std::uint8_t { create, drop, rename, alter };
  CommitNumber commit{0};
  Kind kind = Kind::create;
};

/// What commits did. Catalog and marks answer, whatever the lineage: "of these runs" means of
/// commits with these numbers. Answers are ascending by commit.
class Events {
 public:
  virtual ~Events() = default;
  /// Datasets to which commits of these runs have rows, marks or catalog events.
  virtual std::vector<DatasetId> touched(const CommitRuns& commits) const = 0;
  virtual std::vector<RowsAdded> rows_added(DatasetId d, const CommitRuns& commits) const = 0;
  virtual std::vector<CatalogEvent> catalog_events(DatasetId d,
                                                   const CommitRuns& commits) const = 0;
  virtual const Marks& marks(DatasetId d) const = 0;
  /// The dataset as V(d, c) shows it; for c = begin, the schema that rows of this begin carry.
  virtual DatasetFace face(DatasetId d, CommitNumber c) const = 0;
  /// Which dataset holds the name at the last commit.
  virtual std::optional<DatasetId> holder(std::string_view name) const = 0;
  virtual bool retained(CommitNumber c) const = 0;
  /// Whether the commit is an expire or an erase: what it forgot does not come back.
  virtual bool forgets(CommitNumber c) const = 0;
};

/// One thing that stands against a revert or rollback.
struct Difference {
  enum class Kind : std::uint8_t {
    rows,     // rows with an event in T and one in S
    dataset,  // created or dropped in one, used in the other
    name,     // renamed in both
    schema,   // altered in both, or in one with rows of the other that carry the columns
    holder,   // the name to be restored is held by another dataset
    unique,   // rows that come back share an id or `error` key with rows that came since
  };
  Kind kind = Kind::rows;
  DatasetId dataset;
  CommitNumber undone{0};  // the commit of T
  CommitNumber since{0};   // the commit of S
  std::string name;        // the dataset's, at the last commit that shows it
  RowSet rows;             // of `rows`: which, of begin
  CommitNumber begin{0};
  std::optional<DatasetId> other;  // of `holder`
  /// One sentence, as `Conflict.differences` lists it.
  std::string text() const;
};

/// Looks for ids or `error` keys that rows which come back share with rows shown since m; reads
/// data, and only of these rows. The face is what n shows of the dataset. Without one, a revert
/// that needs it is refused.
using UniqueCheck = std::function<std::vector<Difference>(DatasetId d, const DatasetFace& after,
                                                          const std::vector<RowsOfBegin>& back,
                                                          const std::vector<RowsOfBegin>& since)>;

/// Rows that come back by a revert, and those shown since that they would meet: what it finds by
/// reading them. Both snapshots show these rows only; the dataset is as the revert leaves it.
struct Meeting {
  CommitNumber back{0};  // the commit that added the row, and its ordinal
  std::uint64_t ordinal = 0;
  CommitNumber since{0};  // the commit that added the one that is shown
};
using FindMeetings = std::function<std::vector<Meeting>(
    const DatasetEntry& dataset, const std::shared_ptr<const Snapshot>& back,
    const std::shared_ptr<const Snapshot>& since)>;

/// The answer to a revert; accepted if nothing stands against it.
struct RevertDecision {
  Reversal reversal;                    // to be recorded and appended
  std::vector<Difference> differences;  // at most kDifferencesMax
  bool touched = false;  // m changed something here; otherwise there is nothing to record
  bool accepted() const noexcept { return differences.empty(); }
};
/// Decides a revert of m at n = last() + 1, of the database or one dataset.
RevertDecision decide_revert(const Lineage& lineage, const Events& events, CommitNumber m,
                             std::optional<DatasetId> dataset, const UniqueCheck& unique);

/// The answer to a rollback.
struct RollbackDecision {
  std::vector<DatasetId> replaced;  // datasets whose name it takes: the rollback's frame drops them
  std::vector<Difference> differences;  // names held by others, unless replace_name
  bool accepted() const noexcept { return differences.empty(); }
};
/// Decides a rollback to k at n = last() + 1, of the database or one dataset.
RollbackDecision decide_rollback(const Lineage& lineage, const Events& events, CommitNumber k,
                                 std::optional<DatasetId> dataset, bool replace_name);

/// Whether rows written under one schema can be shown under another: each column is of the same or
/// a narrower type, and those that the rows lack may be null. A rollback of a scope asks this too.
bool rows_fit(const Schema& written, const Schema& shown) noexcept;

}  // namespace otolith::history
