// Frames of one log file, front to back.
//
// Role:    what refresh, catch-up, recovery and verify read through.
// Shapes:  reads of 16 KiB, doubling to 1 MiB while they go on; a larger frame at once.
// Errors:  io from the file; what is wrong with a frame is a verdict, not an error.
// Threads: thread-compatible.
// Why:     large sequential reads rather than a map: a file that shrinks under a map is a signal,
//          not an error, and copying costs less than hashing.
#pragma once

#include <memory>

#include "history/file_header.h"
#include "history/frame_codec.h"
#include "history/log_layout.h"
#include "io/vfs.h"

namespace otolith::history {

/// One log file of the directory, known by its header.
struct LogFileInfo {
  LogFileHeader header;
  std::string path;
};

class FrameReader {
 public:
  FrameReader(std::shared_ptr<io::File> file, std::shared_ptr<const LogFileInfo> info);

  /// Judges the frame behind the last sound one, and passes it if it is sound. Its number and chain
  /// are checked here. The payload is valid until the next call.
  FrameVerdict next();
  /// Passes frames up to this record, judging only their headers; false if one is not there.
  bool skip_to(RecordNumber record);
  /// Drops what was read ahead: it may have been written since.
  void forget() noexcept;
  /// Goes on at a frame that a scan found, whatever its number and chain.
  void resume_at(std::uint64_t offset, const FrameFields& fields) noexcept;

  const std::shared_ptr<const LogFileInfo>& info() const noexcept { return info_; }
  io::File& file() noexcept { return *file_; }
  RecordNumber last() const noexcept { return place_.last; }  // first - 1 before the first frame
  std::uint64_t offset() const noexcept { return place_.offset; }  // behind the last sound frame
  std::uint64_t chain() const noexcept { return place_.chain; }
  std::uint64_t fills() const noexcept { return fills_; }  // reads of the file so far

 private:
  struct Place {
    std::uint64_t offset = kLogHeaderBytes;
    RecordNumber last{0};
    std::uint64_t chain = 0;
  };

  BytesView window(std::uint64_t bytes);
  std::size_t whole_or_less(std::uint64_t bytes) const;
  void pass(const FrameVerdict& verdict) noexcept;

  const std::shared_ptr<io::File> file_;
  const std::shared_ptr<const LogFileInfo> info_;
  const std::uint64_t seed_;
  Place place_;
  Bytes buffer_;  // filled_ bytes of the file from buffer_at_
  std::uint64_t buffer_at_ = 0;
  std::size_t filled_ = 0;
  std::size_t step_ = 0;
  std::uint64_t fills_ = 0;
};

}  // namespace otolith::history
