// What stands behind the last sound frame of a log file: nothing, a torn tail, or proof of damage.
//
// Role:    recovery and readers without a lock page ask it whether the log ends here
//          (docs/history.md 2).
// Shapes:  looks at every eighth byte up to the end of the file.
// Errors:  corrupt if a hostile file offers more candidates than its size allows for.
// Threads: thread-safe.
// Why:     a frame counts only with this file's salt and a number that is not behind: bytes of
//          users, or of other files, never pass for one.
#pragma once

#include "history/frame_reader.h"

namespace otolith::history {

struct TailVerdict {
  bool blank = true;       // zeros to the end of the file
  std::uint64_t end = 0;   // behind the last byte that is not zero
  RecordNumber proven{0};  // the highest record that a sound frame there says was on the disk
  std::optional<FrameFields> found;  // the first sound frame there
  std::uint64_t found_at = 0;
};

/// Judges [offset, end of file) of a file in which record `expected` could not be read at `offset`.
TailVerdict judge_tail(io::File& file, const LogFileInfo& info, std::uint64_t offset,
                       RecordNumber expected);

}  // namespace otolith::history
