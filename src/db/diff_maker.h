// Differences of states as users see them: names, changes of columns, and tables of the rows.
//
// Role:    between history's arithmetic of commits (history/apart.h), scan's of rows
//          (scan/shown_apart.h), and Database::diff, its dry runs, and Table::blame.
// Errors:  those of reading keys and times, where a policy has one row of each.
// Threads: thread-compatible.
// Why:     rows stay row ids until they are read: tables over views of them (history/rows_view.h).
#pragma once

#include <memory>
#include <vector>

#include "db/hall.h"
#include "history/apart.h"
#include "otolith/diff.h"
#include "scan/shown_apart.h"

namespace otolith::db {

class DiffMaker {
 public:
  explicit DiffMaker(std::shared_ptr<Hall> hall) : hall_(std::move(hall)) {}

  /// `dry_run`: the second state is that of no commit.
  Diff diff(const history::StatesApart& states, bool dry_run) const;
  std::vector<Blamed> blame(const std::shared_ptr<const history::Snapshot>& snapshot,
                            const history::DatasetEntry& dataset,
                            const BlameRequest& request) const;

 private:
  DatasetDiff dataset(const history::StatesApart& states, const history::DatasetApart& apart,
                      bool dry_run) const;
  DiffRows rows(const std::shared_ptr<const history::Snapshot>& base,
                const history::DatasetEntry& dataset,
                std::vector<history::RowsOfBegin> chosen) const;
  DiffRows all_rows(const std::shared_ptr<const history::Snapshot>& snapshot,
                    const history::DatasetEntry& dataset, bool of_a_commit) const;

  scan::ShownApart shown(const history::StatesApart& states,
                         const history::DatasetApart& apart) const;
  DocumentDiff documents(const history::StatesApart& states, const history::DatasetApart& apart,
                         const scan::ShownApart& shown, bool dry_run) const;

  const std::shared_ptr<Hall> hall_;
};

/// What leads from one schema to the other, in the words of `alter`.
SchemaChange schema_change(const Schema& from, const Schema& to);

}  // namespace otolith::db
