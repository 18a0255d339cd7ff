// Which relaxed records were lost, and whose commits stood in them.
//
// Role:    `status` lists them; sync and close of a handle tell it of its own (docs/history.md 1).
// Shapes:  at most kLostRunsMax runs of records, the newest; own commits until they are durable.
// Errors:  corrupt from load.
// Threads: thread-compatible.
// Why:     the log names records only. Which commits stood in them is known to those who had read
//          them: they fall back first, and learn from the log later which of those are lost.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "history/frame_record.h"
#include "history/log.h"

namespace otolith::history {

class Losses {
 public:
  /// A relaxed commit of this handle. Those up to `durable` are no longer asked about.
  void watch(RecordNumber record, CommitNumber commit, RecordNumber durable);
  /// The handle had read commits up to this one, and fell back: some are to be read again, the
  /// others are lost.
  void dropped(CommitNumber last) { dropped_ = std::max(dropped_, last); }
  /// The log says that these are lost; `stands` is the last commit before them.
  void note(const LostRecord& lost, CommitNumber stands);

  /// Oldest first.
  const std::vector<LostRecords>& all() const noexcept { return all_; }
  /// Commits of this handle that were lost since the last call, ascending.
  std::vector<CommitNumber> take_own();

  void restore(std::vector<LostRecords> all) { all_ = std::move(all); }

 private:
  struct Place {
    RecordNumber record{0};
    CommitNumber commit{0};
  };

  std::vector<LostRecords> all_;
  CommitNumber dropped_{0};
  std::deque<Place> own_;
  std::vector<CommitNumber> own_lost_;
};

void lost_records_write(ByteWriter& out, const std::vector<LostRecords>& all);
std::vector<LostRecords> lost_records_read(ByteReader& in);

}  // namespace otolith::history
