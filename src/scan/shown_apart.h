// What of a difference of two states is shown: by the duplicates policy, and as rows that changed.
//
// Role:    between the rows that only one of two states has (history/apart.h) and a diff, where a
//          policy has one row of each keys and time; and what a revert would show twice.
// Shapes:  rows by begin; `before` and `after` are as many, and in one order of keys and time.
// Errors:  those of reading keys and times, and of merge.h.
// Threads: thread-safe; works on several threads itself.
// Why:     under `last` and `first` a row comes to light by the end of another, and is itself in
//          both states. Only rows of keys and times that differ are looked at, partition by
//          partition.
#pragma once

#include <memory>
#include <vector>

#include "history/apart.h"
#include "scan/scan.h"

namespace otolith::scan {

struct ShownApart {
  std::vector<history::RowsOfBegin> added;
  std::vector<history::RowsOfBegin> removed;
  std::vector<history::RowsOfBegin> before;  // of rows of which the other is in `after`
  std::vector<history::RowsOfBegin> after;
};

/// Of a dataset that exists in both states.
ShownApart shown_apart(const ScanContext& context, const history::StatesApart& states,
                       const history::DatasetApart& dataset);

/// Rows of `back` that share keys and time with rows of `since`, documents that share the id; at
/// most so many.
std::vector<history::Meeting> meetings(const ScanContext& context,
                                       const history::DatasetEntry& dataset,
                                       const std::shared_ptr<const history::Snapshot>& back,
                                       const std::shared_ptr<const history::Snapshot>& since,
                                       std::size_t most);

}  // namespace otolith::scan
