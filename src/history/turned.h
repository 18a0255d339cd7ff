// Which begins have rows that one lineage shows and another does not, as far as it can be told
// without reading a row.
//
// Role:    whether a segment that compact parted by one commit is still what another shows
//          (SnapshotView::stands; docs/history.md 6).
// Shapes:  of one dataset; ranges of begins in, yes or no out.
// Errors:  none.
// Threads: immutable.
// Why:     a row that is revived mostly was shown before, when something was undone: by the kind of
//          a mark alone each undo would open the past. So each marked row is asked about, where few
//          are; where many are, any mark of the kind counts. docs/adr/0090.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "history/lineage.h"
#include "history/marks.h"

namespace otolith::history {

/// Two lineages, and what each holds that the other does not.
struct TwoLineages {
  InLineage a;
  InLineage b;
  CommitRuns only_a;
  CommitRuns only_b;
};

/// Rows that a shows and b does not.
class Turned {
 public:
  Turned(std::shared_ptr<const Marks> marks, const TwoLineages& between);
  /// False only if none of these begins has such rows.
  bool any(CommitRun begins) const;

 private:
  const std::shared_ptr<const Marks> marks_;
  const CommitRuns only_a_;
  const CommitRuns only_b_;
  std::optional<std::vector<CommitNumber>> judged_;  // begins with a marked row that is one of them
};

}  // namespace otolith::history
