// Which relaxed records were lost, and whose commits stood in them.
//
// Role:    `status` lists them; sync and close of a handle tell it of its own (docs/history.md 1).
// Shapes:  at most kLostRunsMax runs of records, the newest; own commits until they are durable.
// Errors:  corrupt from load.
// Threads: thread-compatible.
// Why:     the log names records only. Which commits stood in them is known to those who had read
//          them: they fall back first, and learn from the log later which of those are lost. Where
//          the lock page went too, the log does not name them: what stands in their place tells.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "history/frame_record.h"
#include "history/log.h"

namespace otolith::history {

class Losses {
 public:
  /// A relaxed commit of this handle. Those up to `durable` are no longer asked about.
  void watch(RecordNumber record, CommitNumber commit, RecordNumber durable);
  /// The handle had read commits up to `last`, and fell back to a record that stands: some of those
  /// behind it are to be read again, the others are lost. `hash_of` tells what was read.
  void dropped(CommitNumber last, RecordNumber stands,
               const std::function<Hash256(CommitNumber)>& hash_of);
  /// A record was read; the hash of its commit, if it is one. An own commit that fell back is the
  /// same one again, or lost.
  void met(RecordNumber record, const std::optional<Hash256>& commit);
  /// The log says that these are lost; `stands` is the last commit before them.
  void note(const LostRecord& lost, CommitNumber stands);

  /// Whether this record is one of those that were lost, as far as they are remembered.
  bool hold(RecordNumber record) const noexcept;
  /// Oldest first.
  const std::vector<LostRecords>& all() const noexcept { return all_; }
  /// Commits of this handle that were lost since the last call, ascending; the whole log was read
  /// before.
  std::vector<CommitNumber> take_own();

  void restore(std::vector<LostRecords> all) { all_ = std::move(all); }

 private:
  struct Place {
    RecordNumber record{0};
    CommitNumber commit{0};
    std::optional<Hash256> dropped{};  // it fell back and was not read again yet; what it was
  };

  template <typename Among>
  void lose(Among among);

  std::vector<LostRecords> all_;
  CommitNumber dropped_{0};
  std::deque<Place> own_;
  std::vector<CommitNumber> own_lost_;
};

void lost_records_write(ByteWriter& out, const std::vector<LostRecords>& all);
std::vector<LostRecords> lost_records_read(ByteReader& in);

}  // namespace otolith::history
