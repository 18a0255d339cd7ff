// Which rows a request matches, by row id: what a delete ends.
//
// Role:    prune -> scan -> filter of the flow without its columns; ends in marks, not in batches.
// Shapes:  row ids by begin; rows of a batch.
// Errors:  those of a scan.
// Threads: thread-safe; works on several threads itself.
// Why:     where a duplicates policy shows one row of several, that row decides: with it go those
//          that it hides, or an older one would come to light in its place.
#pragma once

#include <memory>
#include <vector>

#include "base/row_set.h"
#include "scan/scan.h"

namespace otolith::scan {

/// Whether each row is matched or not whatever other rows there are.
bool matches_by_row(const ReadRequest& request, const std::shared_ptr<const Schema>& schema);

/// The visible rows that the request matches, of those begun behind a commit (0: of all). Range,
/// keys and condition count, nothing else.
history::MarkList matching_ids(const ScanContext& context,
                               const std::shared_ptr<const history::Snapshot>& snapshot,
                               const history::DatasetEntry& dataset, const ReadRequest& request,
                               CommitNumber after);

/// Of the visible rows that the range and the keys of a request match, those that the duplicates
/// policy shows.
history::MarkList shown_ids(const ScanContext& context,
                            const std::shared_ptr<const history::Snapshot>& snapshot,
                            const history::DatasetEntry& dataset, const ReadRequest& request);

/// The rows of a batch that the request matches, each by itself. The batch has the schema's
/// columns.
RowSet matching_rows(const Batch& batch, const ReadRequest& request);

}  // namespace otolith::scan
