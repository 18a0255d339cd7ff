// The end of the log: where the next frame goes, and the file it goes to.
//
// Role:    step append -> fsync of a commit; used by whoever holds the append lock.
// Shapes:  frames encoded into one buffer, written with one call.
// Errors:  no_space, io from the file.
// Threads: thread-compatible; used under the append lock only.
// Why:     knows for which records a sync of its descriptor vouches: an fsync reports only what
//          went wrong while the descriptor was open (docs/history.md 1).
#pragma once

#include <vector>

#include "history/log_directory.h"

namespace otolith::history {

class Appender {
 public:
  /// Where the next frame goes.
  struct Place {
    std::uint64_t offset = kLogHeaderBytes;
    RecordNumber last{0};  // the record before it
    std::uint64_t chain = 0;
  };

  bool attached_to(std::uint64_t file) const noexcept {
    return info_ != nullptr && info_->header.file == file;
  }
  /// Opens for appending a file that another handle began; a sync vouches for records behind
  /// `vouches_behind`. The place is not known yet.
  void attach(OpenLogFile file, RecordNumber vouches_behind);
  /// A file that this handle has just made, with what it holds.
  void begin(OpenLogFile file, const Place& place);
  void detach() noexcept;

  /// Reads on to this record; false if the file does not hold it: the place is behind the last it
  /// does hold.
  bool read_to(RecordNumber last);
  void move_to(const Place& place) noexcept { place_ = place; }
  const Place& place() const noexcept { return place_; }
  const LogFileInfo& info() const noexcept { return *info_; }
  bool holds_frames() const noexcept { return place_.offset > kLogHeaderBytes; }
  bool vouches_for_all_behind(RecordNumber record) const noexcept {
    return vouches_behind_ <= record;
  }

  /// Encodes records numbered from last + 1 into the buffer.
  void encode(const std::vector<Record>& records, RecordNumber synced_to);
  /// Writes the buffer behind the last frame. The place moves only with accept().
  void write();
  const Place& written() const noexcept { return encoded_; }
  /// The frames written are part of the log.
  void accept() noexcept { place_ = encoded_; }
  /// Blanks what a failed write() may have left and makes that durable; false if that is not
  /// certain.
  bool take_back() noexcept;
  void sync() { file_->sync(); }

  /// Makes the file long enough for this many bytes more, in steps.
  void make_room(std::uint64_t bytes, std::uint64_t step);
  std::uint64_t room() const noexcept { return allocated_ - std::min(allocated_, place_.offset); }

  /// Whether frames will soon go to space that was only reserved.
  bool blanks_are_low() const noexcept;
  /// Writes zeros over the reserved space that comes next: the first write to it costs the file
  /// system a change of its own, which the fsync of a commit would wait for.
  void write_blanks();

 private:
  std::shared_ptr<const LogFileInfo> info_;  // null: attached to none
  std::shared_ptr<io::File> file_;
  RecordNumber vouches_behind_{0};
  Place place_;
  Place encoded_;  // behind the frames in the buffer
  Bytes buffer_;
  std::uint64_t allocated_ = 0;     // size of the file
  std::uint64_t blank_to_ = 0;      // up to here this handle has written frames or zeros
  std::uint64_t blanks_bytes_ = 0;  // of the next write_blanks(); doubles
};

}  // namespace otolith::history
