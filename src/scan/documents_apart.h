// What of a difference of two states of a collection is seen: documents added, removed, changed.
//
// Role:    between the rows that only one of two states has (history/apart.h) and a diff, as
//          shown_apart.h for tables.
// Shapes:  rows by begin; `before` and `after` are as many, and of the same ids.
// Errors:  those of reading ids and bodies.
// Threads: thread-safe; works on several threads itself.
// Why:     a document that was put as it had been before is no difference, whichever commit put it.
//          Where only one side has rows, nothing is read.
#pragma once

#include <functional>

#include "scan/shown_apart.h"

namespace otolith::scan {

/// Of a collection that exists in both states. `time_of`: of the commits of both.
ShownApart documents_apart(const ScanContext& context, const history::StatesApart& states,
                           const history::DatasetApart& dataset,
                           const std::function<Timestamp(CommitNumber)>& time_of);

/// As meetings() of tables: documents of `back` whose id is among those of `since`, whatever the
/// times of both.
std::vector<history::Meeting> document_meetings(
    const ScanContext& context, const history::DatasetEntry& dataset,
    const std::shared_ptr<const history::Snapshot>& back,
    const std::shared_ptr<const history::Snapshot>& since, std::size_t most);

}  // namespace otolith::scan
