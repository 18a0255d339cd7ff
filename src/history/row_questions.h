// What a commit asks of rows, kept right while other commits come in between.
//
// Role:    between a delete, or an append that must meet no other row, and its decision: answered
//          before the lock is asked for, brought up to the state that the commit stands on
//          (docs/history.md 5).
// Shapes:  one Marking per dataset -> the marks of that dataset's change in the request; one
//          UniqueRows per dataset -> nothing, or conflict; dependent changes -> rows and marks.
// Errors:  conflict where the dataset or its schema is no longer what was asked about, and where a
//          row is met that may not be; those of looking for rows.
// Threads: thread-compatible.
// Why:     a delete says which rows, not which row ids, so its result has to be that of running it
//          at its own commit; and so has the answer that no row has these keys and time. Only rows
//          begun since are looked at again, and rows ended since dropped, unless lineage changed or
//          rows decide about each other.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "history/apart.h"
#include "history/request.h"
#include "history/snapshot_view.h"

namespace otolith::history {

/// What is looked at again under the append lock: commits, and bytes of their rows.
inline constexpr std::uint64_t kJudgedCommitsMax = 64;
inline constexpr std::uint64_t kJudgedBytesMax = 1 << 20;

/// A state that rows are looked for in.
struct RowState {
  std::shared_ptr<const Snapshot> snapshot;
  CatalogView view;  // of the same commit
  Hash256 hash;      // of that commit
  BegunBy begun;     // may be asked while the state is looked at
  std::function<Timestamp(CommitNumber)> time_of;
};

class RowQuestions {
 public:
  /// The request is the caller's, and stays where it is.
  explicit RowQuestions(CommitRequest& request);

  bool empty() const noexcept {
    return request_.markings.empty() && request_.unique.empty() && !request_.dependent;
  }
  /// The commit that the answers are right for; nullopt before the first look.
  std::optional<CommitNumber> base() const noexcept;
  /// Puts the marks into the request as of this state. `base_hash`: what the commit of that number
  /// is now; a relaxed one may have been lost and its number given anew.
  void bring_up(const RowState& now, const Hash256& base_hash);
  /// Whether bring_up looks at little enough to do it under the append lock.
  bool little_since(const RowState& now, const Hash256& base_hash) const;

 private:
  struct Base {
    CommitNumber commit{0};
    Hash256 hash;
  };
  bool goes_on(DatasetId dataset, const RowState& now, const Hash256& base_hash) const;
  bool goes_on(const Marking& marking, const RowState& now, const Hash256& base_hash) const;
  bool goes_on(const UniqueRows& rows, const RowState& now, const Hash256& base_hash) const;
  bool untouched(DatasetId dataset, const RowState& now, const Hash256& base_hash) const;
  bool little_since(const Marking& marking, const RowState& now) const;
  MarkList& marks_of(DatasetId dataset);
  void find(const Marking& marking, const RowState& now, const Hash256& base_hash);
  void check(const UniqueRows& rows, const RowState& now, const Hash256& base_hash) const;
  bool touched(DatasetId dataset, const RowState& now, const Hash256& base_hash) const;
  ChangeState change_state(const RowState& now, const Hash256& base_hash) const;
  void make(const RowState& now, const Hash256& base_hash);

  CommitRequest& request_;
  std::optional<Base> base_;
};

}  // namespace otolith::history
