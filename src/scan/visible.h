// Which rows of a source a snapshot shows.
//
// Role:    the first cut of every scan: by segment where it can be, by begin else, by row only
//          where marks touch it (docs/history.md 5).
// Shapes:  ranges of rows within a piece.
// Errors:  those of reading the columns begin and ordinal.
// Threads: thread-compatible.
// Why:     the snapshot is asked once per begin and scan, whatever the number of pieces. A piece of
//          many begins is asked about as a whole first: mostly all of it is shown, and no row id is
//          read.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/row_set.h"
#include "history/snapshot.h"
#include "scan/source.h"

namespace otolith::scan {

class Visibility {
 public:
  Visibility(std::shared_ptr<const history::Snapshot> snapshot, DatasetId dataset);

  DatasetId dataset() const noexcept { return dataset_; }
  /// Of one begin, with ordinals below `rows`.
  const history::VisibleRows& of(CommitNumber begin, std::uint64_t rows);
  RowSet of(const RowSource& source, std::size_t piece);
  /// Of many begins: those of the candidates; no row before the first or behind the last is read.
  RowSet among(const RowSource& source, std::size_t piece, const RowSet& candidates);

 private:
  history::VisibleRows::Kind known(const RowSource& source, std::size_t piece) const;
  RowSet of_many(const RowSource& source, std::size_t piece, RowRange within);

  std::shared_ptr<const history::Snapshot> snapshot_;
  DatasetId dataset_;
  std::unordered_map<std::uint64_t, history::VisibleRows> known_;  // by begin
};

}  // namespace otolith::scan
