// What a commit ends and revives of one dataset.
//
// Role:    between whoever finds the rows (scan, ingest), the frame that names them and the marks
//          that snapshots ask (marks.h).
// Shapes:  by begin, then ordinal; runs that touch and say the same are one, so that a list has one
//          form.
// Errors:  invalid_argument for a run that is not behind those before it.
// Threads: thread-compatible.
// Why:     sets, not runs: a delete of scattered rows has millions of runs of one row.
#pragma once

#include <initializer_list>
#include <vector>

#include "base/ids.h"
#include "base/row_set.h"

namespace otolith::history {

/// A run of row ids of one begin that a commit ends or revives.
struct MarkRun {
  CommitNumber begin{0};
  std::uint64_t first = 0;  // ordinal
  std::uint64_t count = 0;
  bool revive = false;
  bool operator==(const MarkRun&) const = default;
  /// Whether it may stand behind another of the same commit: later, and no continuation of it,
  /// which would be a second way to say one thing.
  bool follows(const MarkRun& before) const noexcept;
};

/// Rows of one begin, by ordinal.
struct MarkSet {
  CommitNumber begin{0};
  bool revive = false;
  RowSet rows;  // not empty
  bool operator==(const MarkSet&) const = default;
};

class MarkList {
 public:
  MarkList() = default;
  MarkList(std::initializer_list<MarkRun> runs);
  MarkList(const std::vector<MarkRun>& runs);

  bool empty() const noexcept { return sets_.empty(); }
  /// One after the other of the same begin where ends and revives take turns.
  const std::vector<MarkSet>& sets() const noexcept { return sets_; }
  std::uint64_t runs() const noexcept;

  /// Behind all that are there.
  void append(const MarkRun& run);
  void append(MarkSet set);

  template <typename Each>
  void for_each_run(Each each) const {
    for (const MarkSet& set : sets_) {
      for (const RowRange& range : set.rows) {
        each(MarkRun{set.begin, range.first, range.count, set.revive});
      }
    }
  }
  bool operator==(const MarkList&) const = default;

 private:
  std::vector<MarkSet> sets_;
};

}  // namespace otolith::history
