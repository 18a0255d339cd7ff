// Lineage: which commits' events a snapshot sees, as a tree of chains with skip pointers.
//
// Role:    answers "is commit b in V(d, c)?" for scanning, rollback, revert (docs/history.md 4).
// Shapes:  commits numbered from 1; 0 is the empty root. V holds commits with events of their own
//          only: rollbacks and reverts change which events are seen, they are none. One shared
//          tree; datasets that were rolled back or reverted alone add nodes of their own, only
//          there.
// Errors:  invalid_argument for a commit that does not exist; corrupt from load.
// Threads: thread-safe: appends by the one who holds the log's order, queries by any.
// Why:     V is never stored whole: 10^6 commits with a rollback every ten would be 80 GB of runs.
//          Why commits without events are in no V: docs/adr/0020-lineage-of-events.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "history/commit_runs.h"

namespace otolith::history {

/// What a revert takes out of V and puts back: out is in V before, back is not.
struct LineageDelta {
  CommitRuns removed;
  CommitRuns added;
  bool empty() const noexcept { return removed.empty() && added.empty(); }
  bool operator==(const LineageDelta&) const = default;
};

/// How two lineages differ.
struct LineageDifference {
  CommitRuns only_a;
  CommitRuns only_b;
};

/// A revert as its frame records it: enough to append it again without any other commit.
struct Reversal {
  CommitNumber commit{0};            // the one undone
  std::optional<DatasetId> dataset;  // none: the database
  LineageDelta delta;  // empty when `commit` is the last one: then V(n) = V(commit - 1)
  /// Datasets with nodes of their own whose delta is another one than the database's.
  std::vector<std::pair<DatasetId, LineageDelta>> own;
  bool operator==(const Reversal&) const = default;
};
void put_reversal(ByteWriter& out, const Reversal& reversal);
Reversal get_reversal(ByteReader& in);

/// The lineage of a whole database. Everything that is appended stays.
class Lineage {
 public:
  Lineage();
  ~Lineage();
  Lineage(const Lineage&) = delete;
  Lineage& operator=(const Lineage&) = delete;

  /// Commit n = last() + 1, an ordinary one: V(n) = V(n-1) + n, for every dataset.
  void append(CommitNumber n);
  /// V(n) = V(k), for the database or one dataset. `events`: n has events of its own too (the drop
  /// of a dataset whose name it takes), so n is in V as well.
  void append_rollback(CommitNumber n, CommitNumber k, std::optional<DatasetId> dataset,
                       bool events = false);
  /// V(n) = V(n-1) - removed + added, for the database or one dataset.
  void append_revert(CommitNumber n, const Reversal& reversal);
  /// What a revert of m at last() + 1 records. Says nothing of whether it is accepted: revert.h
  /// does.
  Reversal reversal_of(CommitNumber m, std::optional<DatasetId> dataset) const;

  CommitNumber last() const;
  /// Forgets every commit behind n: relaxed commits that were lost.
  void truncate(CommitNumber n);

  /// A lineage of its own, of commits up to this one.
  std::unique_ptr<Lineage> copy(CommitNumber until) const;

  /// Whether b is in V(d, c). d that never had nodes of its own: the database's.
  bool contains(DatasetId d, CommitNumber c, CommitNumber b) const;
  /// True only if all commits of the run are in V(d, c); may be false also where they are, if the
  /// run was ever crossed by a rollback or a revert.
  bool contains_all(DatasetId d, CommitNumber c, CommitRun run) const;
  /// V(d, a) and V(d, b) without what they share; the cost follows the difference, not history.
  LineageDifference difference(std::optional<DatasetId> d, CommitNumber a, CommitNumber b) const;
  /// Datasets that were rolled back or reverted alone, ascending.
  std::vector<DatasetId> datasets_with_own_nodes() const;

  /// For checkpoints, as of a commit: about five bytes per rollback or revert, none per ordinary
  /// commit.
  void save(ByteWriter& out, CommitNumber until) const;
  static std::unique_ptr<Lineage> load(ByteReader& in);

 public:
  struct Tree;  // lineage_tree.h

 private:
  struct Guarded;
  std::unique_ptr<Guarded> guarded_;
};

}  // namespace otolith::history
