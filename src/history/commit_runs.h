// Sets of commits as runs: the small algebra that lineage and the acceptance of reverts are made
// of.
//
// Role:    what a revert takes out of a lineage and puts back; the difference of two lineages.
// Shapes:  runs of commit numbers, both ends included; in a list: sorted, disjoint, not adjacent.
// Errors:  corrupt when stored runs are not sorted and disjoint.
// Threads: thread-compatible.
// Why:     an ordered map of runs, not sorted vectors: folding 10^5 small deltas into one set costs
//          O(log n) each, where rebuilding a vector per delta would be quadratic.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ids.h"

namespace otolith::history {

/// Commits first..last, both included.
struct CommitRun {
  CommitNumber first{0};
  CommitNumber last{0};
  bool operator==(const CommitRun&) const = default;
};

/// Sorted, disjoint, not adjacent.
using CommitRuns = std::vector<CommitRun>;

/// Whether one of the runs holds the commit; O(log runs).
bool contains(const CommitRuns& runs, CommitNumber commit) noexcept;
/// Commits in all runs together.
std::uint64_t count(const CommitRuns& runs) noexcept;
/// What is in both.
CommitRuns intersection(const CommitRuns& a, const CommitRuns& b);
/// Runs as varint gaps and lengths, two to four bytes a run.
void put_runs(ByteWriter& out, const CommitRuns& runs);
CommitRuns get_runs(ByteReader& in);

/// A set of commits that grows and shrinks by runs.
class CommitSet {
 public:
  CommitSet() = default;
  explicit CommitSet(const CommitRuns& runs);

  void add(CommitRun run);
  /// Takes the run out; returns the pieces of it that were in the set.
  CommitRuns remove(CommitRun run);
  /// The pieces of the run that are in the set.
  CommitRuns overlap(CommitRun run) const;
  bool contains(CommitNumber commit) const noexcept;
  bool empty() const noexcept { return runs_.empty(); }
  CommitRuns runs() const;

 private:
  std::map<std::uint64_t, std::uint64_t> runs_;  // first -> last; disjoint, not adjacent
};

}  // namespace otolith::history
