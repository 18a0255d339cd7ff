// Lineage: which commits' events a snapshot sees, as a tree of chains with skip pointers.
//
// Role:    answers "is commit b in V(d, c)?" for scanning, rollback, revert (HISTORY.md section 4).
// Shapes:  commits numbered from 1; 0 is the empty root. One shared tree; datasets that were rolled back
//          or reverted alone add nodes of their own, only at those commits.
// Errors:  invalid_argument for a commit that does not exist.
// Threads: thread-safe: append by the one who holds the log's order, queries by any.
// Why:     V is never stored whole: 10^6 commits with a rollback every ten would be 80 GB of runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"

namespace otolith::history {

/// Commits first..last, both included.
struct CommitRun {
  CommitNumber first{0};
  CommitNumber last{0};
  bool operator==(const CommitRun&) const = default;
};

/// What a revert takes out of V and puts back: sorted disjoint runs.
struct LineageDelta {
  std::vector<CommitRun> removed;
  std::vector<CommitRun> added;
  bool empty() const noexcept { return removed.empty() && added.empty(); }
};

/// The lineage of a whole database. Everything that is appended stays.
class Lineage {
 public:
  Lineage();
  ~Lineage();
  Lineage(const Lineage&) = delete;
  Lineage& operator=(const Lineage&) = delete;

  /// Commit n = last() + 1, an ordinary one: V(n) = V(n-1) + n, for every dataset. `content` says that
  /// it has events of its own (rows, marks, catalog): those without are left out of deltas.
  void append(CommitNumber n, bool content);
  /// V(n) = V(k) + n, for the database (dataset empty) or one dataset.
  void append_rollback(CommitNumber n, CommitNumber k, std::optional<DatasetId> dataset);
  /// V(n) = V(n-1) - removed + added + n, for the database or one dataset. Datasets with nodes of their
  /// own get the delta of their own lineage where it differs: `own` lists those.
  void append_revert(CommitNumber n, const LineageDelta& delta, std::optional<DatasetId> dataset,
                     const std::vector<std::pair<DatasetId, LineageDelta>>& own);

  CommitNumber last() const;
  /// Forgets every commit behind n: relaxed commits that were lost.
  void truncate(CommitNumber n);

  /// b in V(d, c). d that never had nodes of its own: the database's.
  bool contains(DatasetId d, CommitNumber c, CommitNumber b) const;
  /// V(a) without V(b), restricted to commits with content; cost follows the difference, not history.
  std::vector<CommitRun> difference(std::optional<DatasetId> d, CommitNumber a, CommitNumber b) const;
  /// The delta that a revert of m at n = last() + 1 records; for the database (and `own`) or one dataset.
  LineageDelta delta_of_revert(std::optional<DatasetId> d, CommitNumber m) const;
  std::vector<DatasetId> datasets_with_own_nodes() const;

  /// For checkpoints.
  void save(ByteWriter& out) const;
  static std::unique_ptr<Lineage> load(ByteReader& in);

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace otolith::history
