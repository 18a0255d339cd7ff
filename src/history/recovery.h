// What to do with a log whose last writer may have been interrupted.
//
// Role:    the judgement, without a single write; disk_log carries it out under the append lock.
//
//   lock page | found                         | then
//   ----------+-------------------------------+-----------------------------------------------
//   valid     | `writing` set                 | adopt: a new file with what is behind `durable`
//   rebooted  | all sound to the end          | go on in place: it was read from the disk
//   rebooted  | a torn tail                   | keep it beside the log, begin a new file
//   absent    | any                           | adopt what nothing proves durable; a new file in
//             |                               | any case: who held a lock file that was removed may
//             |                               | still write to the old one; a new epoch, because
//             |                               | others may have seen more
//   any       | bad, and known or proven to   | corrupt
//             | have been durable             |
//
// Shapes:  reads the last log file from its beginning, at most once.
// Errors:  corrupt, unsupported_format, io.
// Threads: immutable.
// Why:     recovery never writes into a file that may hold bytes of an interrupted writer: an fsync
//          vouches only for bytes written while its descriptor was open.
#pragma once

#include "history/appender.h"
#include "history/lock_page.h"

namespace otolith::history {

struct RecoveryQuestion {
  LockPage page;
  RecordNumber known_durable{0};  // by this handle: it synced them, or a checkpoint names them
  RecordNumber handed_over{0};    // by this handle
};

struct CopiedFrame {
  std::uint8_t type = 0;
  bool relaxed = false;
  Bytes payload;
};

struct RecoveryPlan {
  OpenLogFile file;          // the last one, open for writing
  RecordNumber durable{0};   // on the disk for certain
  RecordNumber last{0};      // the last that can be read
  RecordNumber lost_to{0};   // records last + 1 .. lost_to were visible and are gone; 0: none
  bool raise_epoch = false;  // some were, or without a page may have been
  bool begin_file = false;   // else go on in place
  std::vector<CopiedFrame> copies;  // durable + 1 .. last
  std::uint64_t torn_from = 0;      // bytes to keep beside the log; none if equal
  std::uint64_t torn_to = 0;
  Appender::Place place;  // in that file, behind `last`
};

RecoveryPlan plan_recovery(const LogDirectory& directory, const RecoveryQuestion& question);

/// Throws: record `expected` cannot be read at `offset` of this file, and it was durable.
[[noreturn]] void throw_unreadable(const LogFileInfo& info, std::uint64_t offset,
                                   RecordNumber expected, const char* why);

/// Throws corrupt if the file is smaller than when it took its name.
void check_not_cut(const LogFileInfo& info, const io::File& file);
/// Throws: this frame is sound, but asks for what this build does not have.
[[noreturn]] void throw_unsupported(const LogFileInfo& info, std::uint64_t offset,
                                    const FrameVerdict& verdict);

}  // namespace otolith::history
