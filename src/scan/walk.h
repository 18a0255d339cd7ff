// Goes through a dataset's partitions in order and gives the wanted rows of each.
//
// Role:    prune -> scan: which sources a partition needs, opened before its first row.
// Shapes:  partitions with their units, ascending or descending.
// Errors:  those of the store and the sources.
// Threads: thread-compatible.
// Why:     sources are opened when their first partition is reached and let go behind their last,
//          so a scan over a long history holds few of them at once.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "history/snapshot.h"
#include "scan/prune.h"
#include "scan/unit.h"

namespace otolith::scan {

class SegmentStore;

class Walk {
 public:
  /// `reverse`: from the last partition to the first.
  Walk(std::shared_ptr<SegmentStore> store, std::shared_ptr<const history::Snapshot> snapshot,
       history::DatasetEntry dataset, Wanted wanted, bool reverse);
  Walk(Walk&&) noexcept;
  ~Walk();

  /// The units of the next partition that has any; empty at the end.
  std::vector<Unit> next();
  /// Rows of all sources that may hold wanted ones, whatever is wanted of them.
  std::uint64_t rows() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::scan
