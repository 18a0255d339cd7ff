// All frames of one log file, sound and damaged.
//
// Role:    what verify asks of each file, and what inspect tells of it.
// Shapes:  sound frames go to one sink, front to back; each stretch of damage to the other.
// Errors:  io from the file; damage is handed over and not thrown: corrupt, or unsupported_format,
//          with file, offset and records.
// Threads: thread-compatible.
// Why:     each stretch of damage costs a search to the end of the file, so a file of a hostile
//          writer is given up after kDamagedStretchesMax of them. What seems wrong is looked at
//          again: files are checked while others append to them.
#pragma once

#include <functional>
#include <optional>

#include "base/error.h"
#include "history/frame_reader.h"
#include "history/torn_tail.h"

namespace otolith::history {

class FileCheck {
 public:
  struct Extent {
    RecordNumber until{0};     // records behind it are not this file's, or not visible yet
    RecordNumber required{0};  // up to here they must be there
  };
  using Problem = std::function<void(const Error&)>;
  /// A sound frame and where it begins; valid during the call.
  using Sound = std::function<void(const FrameVerdict&, std::uint64_t offset)>;

  FileCheck(FrameReader reader, Extent extent, Problem problem, Sound sound = {})
      : reader_(std::move(reader)),
        extent_(extent),
        problem_(std::move(problem)),
        sound_(std::move(sound)) {}

  void run();

  /// Behind the last sound frame of the extent.
  std::uint64_t end() const noexcept { return reader_.offset(); }
  /// What stands there; nullopt where the extent ended first.
  const std::optional<TailVerdict>& tail() const noexcept { return tail_; }

 private:
  FrameVerdict next();
  bool skip(FrameVerdict& verdict);
  void report(ErrorCode code, RecordNumber first, RecordNumber end, const char* why);

  FrameReader reader_;
  const Extent extent_;
  const Problem problem_;
  const Sound sound_;
  std::optional<TailVerdict> tail_;
  std::size_t stretches_ = 0;
};

}  // namespace otolith::history
