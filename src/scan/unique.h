// What the duplicates policy `error` refuses: a key and time that a commit would show twice.
//
// Role:    asked of the rows of a commit among themselves when they are encoded, and against what
//          is shown when it is decided (docs/history.md 5).
// Shapes:  new rows are a source of sorted runs, as they will be stored.
// Errors:  conflict that names the dataset, the key and the time, with the commit that added the
//          row that is there; those of reading.
// Threads: thread-safe; works on several threads itself.
// Why:     only what overlaps in time is opened, so that rows behind all others cost a look at
//          bounds. Few new rows among many are looked up by their times and keys, page by page;
//          many are merged with what they lie among.
#pragma once

#include <functional>
#include <memory>

#include "history/request.h"
#include "scan/scan.h"
#include "scan/source.h"

namespace otolith::scan {

/// Rows that a commit adds to a dataset.
struct NewRows {
  std::shared_ptr<const Schema> schema;  // that they were written under
  Timestamp time_min{};
  Timestamp time_max{};
  std::function<std::shared_ptr<const RowSource>()> open;  // called where rows may be met
};

/// Throws where two of the new rows share keys and time.
void check_among(const ScanContext& context, const history::DatasetEntry& dataset,
                 const NewRows& rows);

/// Throws where one of them meets a row that the snapshot shows, of those begun behind `after` (0:
/// of all), that is none of the ended ones. Asks nothing where key columns changed.
void check_against(const ScanContext& context,
                   const std::shared_ptr<const history::Snapshot>& snapshot,
                   const history::DatasetEntry& dataset, const NewRows& rows, CommitNumber after,
                   const history::MarkList& ended);

}  // namespace otolith::scan
