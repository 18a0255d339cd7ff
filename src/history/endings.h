// The rows that a commit ends, kept right while other commits come in between.
//
// Role:    between a delete and its decision: found before the lock is asked for, brought up to the
//          state that the commit stands on (docs/history.md 5).
// Shapes:  one Ending per dataset -> the marks of that dataset's change in the request.
// Errors:  conflict where the dataset or its schema is no longer what was asked about; those of
//          looking for rows.
// Threads: thread-compatible.
// Why:     a delete says which rows, not which row ids, so its result has to be that of running it
//          at its own commit. Only rows begun since are looked for again, and rows ended since
//          dropped, unless lineage changed or rows decide about each other.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "history/request.h"
#include "history/snapshot_view.h"

namespace otolith::history {

/// What is looked at again under the append lock: commits, and bytes of their rows.
inline constexpr std::uint64_t kJudgedCommitsMax = 64;
inline constexpr std::uint64_t kJudgedBytesMax = 1 << 20;

/// A state that rows are looked for in.
struct EndingState {
  std::shared_ptr<const Snapshot> snapshot;
  CatalogView view;  // of the same commit
  Hash256 hash;      // of that commit
};

class Endings {
 public:
  /// The request is the caller's, and stays where it is.
  explicit Endings(CommitRequest& request);

  bool empty() const noexcept { return request_.endings.empty(); }
  /// The commit that the marks are right for; nullopt before the first look.
  std::optional<CommitNumber> base() const noexcept;
  /// Puts the marks into the request as of this state. `base_hash`: what the commit of that number
  /// is now; a relaxed one may have been lost and its number given anew.
  void bring_up(const EndingState& now, const Hash256& base_hash);
  /// Whether bring_up looks at little enough to do it under the append lock.
  bool little_since(const EndingState& now, const Hash256& base_hash) const;

 private:
  struct Base {
    CommitNumber commit{0};
    Hash256 hash;
  };
  bool goes_on(const Ending& ending, const EndingState& now, const Hash256& base_hash) const;
  std::vector<MarkRun>& marks_of(DatasetId dataset);

  CommitRequest& request_;
  std::optional<Base> base_;
};

}  // namespace otolith::history
