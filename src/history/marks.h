// Marks of one dataset: which commits ended or revived which rows, found by begin and by commit.
//
// Role:    with lineage, decides which rows of a begin a snapshot shows (docs/history.md 3 and
//          4).
// Shapes:  runs of ordinals of one begin; a commit's runs are sorted by (begin, first) and
//          disjoint.
// Errors:  invalid_argument for marks on rows of the commit itself or a later one; corrupt from
//          load.
// Threads: thread-safe: appends by the one who holds the log's order, queries by any. A query sees
//          marks of commits behind its snapshot too, and its lineage leaves them out.
// Why:     runs of row ids, not (segment, bitmap): addresses would break with compaction and
//          mirrors.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "history/commit_runs.h"
#include "history/request.h"
#include "history/snapshot.h"

namespace otolith::history {

/// A run of marks, and the commit that made them.
struct Mark {
  CommitNumber commit{0};
  MarkRun run;
  bool operator==(const Mark&) const = default;
};

/// Whether a commit is in the lineage that a question is about.
using InLineage = std::function<bool(CommitNumber)>;

class Marks {
 public:
  Marks();
  ~Marks();
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;

  /// The marks of a commit behind all that were appended.
  void append(CommitNumber commit, const MarkList& marks);
  /// Forgets the marks of every commit behind this one: relaxed commits that were lost.
  void truncate(CommitNumber commit);

  /// Of the rows 0..rows-1 of a begin, those of whose events in the lineage the latest is not an
  /// end.
  VisibleRows visible(CommitNumber begin, std::uint64_t rows, const InLineage& in_lineage) const;
  /// Marks of their own, of commits up to this one.
  std::shared_ptr<Marks> copy(CommitNumber until) const;

  /// Whether any commit marked rows of this begin.
  bool touches(CommitNumber begin) const;
  /// Whether any commit marked rows of any of these begins.
  bool touches_any(CommitRun begins) const;
  /// All marks on rows of a begin, by commit.
  std::vector<Mark> of_begin(CommitNumber begin) const;
  /// All marks on one row, by commit, without a look at those on other rows.
  std::vector<Mark> of_row(CommitNumber begin, std::uint64_t ordinal) const;
  /// All marks by commits of these runs, by commit, then begin and ordinal.
  std::vector<Mark> of_commits(const CommitRuns& commits) const;

  /// The marks by commits of these runs that revive rows, or that end them, each from its first row
  /// to its last; nullopt where more than so many marks would have to be looked at.
  std::optional<std::vector<MarkRun>> bounds_by(const CommitRuns& commits, bool revive,
                                                std::size_t most) const;

  /// Whether any commit of these runs marked rows.
  bool any_by(const CommitRuns& commits) const;
  /// Whether any of them revived rows of any of these begins, or ended some.
  bool any_by(const CommitRuns& commits, CommitRun begins, bool revive) const;

  /// The last commit that marked anything; 0 for none.
  CommitNumber last() const;

  /// For checkpoints, the marks up to a commit: a few bytes per run. Appending goes on meanwhile.
  void save(ByteWriter& out, CommitNumber until) const;
  void load(ByteReader& in);  // into an empty object

 private:
  struct Guarded;
  std::unique_ptr<Guarded> guarded_;
};

}  // namespace otolith::history
