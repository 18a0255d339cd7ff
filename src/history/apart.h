// How two states differ, dataset by dataset: what a diff, a dry run and a rollback of a scope ask.
//
// Role:    V of both states -> datasets that came, went or changed, and rows that only one shows.
// Shapes:  rows by begin, ascending; counts are exact, and no row is read.
// Errors:  none of its own.
// Threads: thread-safe: asks lineage, marks and catalog, which are.
// Why:     a row's events decide it, so only begins with an event in the commits in which V differs
//          can differ (docs/history.md 4): the cost follows what differs, not the history or the
//          data.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "history/revert.h"
#include "history/snapshot_view.h"

namespace otolith::history {

/// Rows that one of two states shows and the other does not.
struct RowsApart {
  std::vector<RowsOfBegin> added;    // shown by the second only
  std::vector<RowsOfBegin> removed;  // shown by the first only
  bool empty() const noexcept { return added.empty() && removed.empty(); }
};

/// How one dataset differs.
struct DatasetApart {
  DatasetId dataset;
  std::optional<DatasetEntry> before;  // nullopt where it does not exist
  std::optional<DatasetEntry> after;
  RowsApart rows;  // of one that exists in both
};

/// How two states differ.
struct StatesApart {
  std::shared_ptr<const Snapshot> from;
  std::shared_ptr<const Snapshot> to;     // null where no commit has that state, and no dataset
                                          // comes into being by it
  std::shared_ptr<const Snapshot> later;  // the later of two commits: it knows all rows of both
  std::vector<DatasetApart> datasets;     // those that differ, by id
};

/// Rows that commits added, by dataset; a dataset that they only marked or altered has none.
using Begun = std::map<DatasetId, std::vector<RowsAdded>>;

/// What commits of these runs began.
using BegunBy = std::function<Begun(const CommitRuns& commits)>;

/// All commits in which two lineages differ.
CommitRuns all_of(const LineageDifference& difference);

/// The rows of one dataset, where its lineages differ by `commits`, of which `begun` tells the
/// rows.
RowsApart rows_apart(const CatalogView& from, const CatalogView& to, const DatasetVersion& dataset,
                     const CommitRuns& commits, const std::vector<RowsAdded>& begun);

/// All datasets, or the one. The lineage of `to` knows both states.
std::vector<DatasetApart> datasets_apart(const CatalogView& from, const CatalogView& to,
                                         std::optional<DatasetId> dataset, const BegunBy& begun_by);

}  // namespace otolith::history
