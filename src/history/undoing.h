// One dataset under a revert: the commits of T and S, and the rows that have events in them.
//
// Role:    the arithmetic that decide_revert judges by (revert.h); nothing here decides.
// Shapes:  n-1 is the last commit; V(n) = (V(n-1) - removed) + added.
// Errors:  none of its own.
// Threads: thread-compatible.
// Why:     looks at events of the smaller of T and S and asks the other for membership, so
//          reverting an old commit does not read all that came since.
#pragma once

#include <memory>
#include <vector>

#include "history/revert.h"

namespace otolith::history {

/// How three lineages differ: those of m-1, m and n-1.
struct UndoingSets {
  CommitRuns removed;  // V(m) without V(m-1)
  CommitRuns added;    // V(m-1) without V(m)
  CommitRuns since;    // V(n-1) without V(m)
  CommitRuns gone;     // V(m) without V(n-1)
  CommitRuns t;        // removed and added
  CommitRuns s;        // since and gone
};
UndoingSets undoing_sets(const Lineage& lineage, std::optional<DatasetId> d, CommitNumber m);

class Undoing {
 public:
  Undoing(const Lineage& lineage, const Events& events, DatasetId d, CommitNumber m,
          const UndoingSets& sets)
      : lineage_(lineage), events_(events), d_(d), m_(m), sets_(sets), last_(lineage.last()) {}

  DatasetId dataset() const noexcept { return d_; }
  CommitNumber m() const noexcept { return m_; }
  const UndoingSets& sets() const noexcept { return sets_; }

  /// Rows with an event in T and one in S, as runs with one commit of each; at most
  /// `differences_max`.
  std::vector<Difference> rows_in_both(std::size_t differences_max) const;
  /// The first commit of these that added or marked rows; 0 if none did.
  CommitNumber first_use(const CommitRuns& commits) const;

  /// Begins of which n may show rows that n-1 does not, and those rows.
  std::vector<CommitNumber> begins_back() const;
  RowSet rows_back(CommitNumber begin) const;
  /// Begins of which n-1 may show rows that m does not, and those rows.
  std::vector<CommitNumber> begins_since() const;
  RowSet rows_since(CommitNumber begin) const;

 private:
  std::vector<CommitNumber> begins(const CommitRuns& added_by, const CommitRuns& marked_by) const;
  RowSet without(CommitNumber begin, const InLineage& a, const InLineage& b) const;
  InLineage at(CommitNumber c) const;

  const Lineage& lineage_;
  const Events& events_;
  DatasetId d_;
  CommitNumber m_;
  const UndoingSets& sets_;
  CommitNumber last_;
};

}  // namespace otolith::history
