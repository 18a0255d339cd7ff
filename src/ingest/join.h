// Join: the rows of small segments of a dataset go into one of those that its newest durable state
// shows and one of all others, and nothing that can be asked changes.
//
// Role:    what compact does beside seal and sweep (docs/history.md 6).
// Shapes:  all rows stay, with begin and ordinal as columns; each group of segments is a file or
//          two and a frame of its own, so work that is stopped is done as far as it came.
// Errors:  those of reading and writing. A dataset that cannot be joined, because a segment is
//          damaged, its codec is not registered here, or there is no space, is left as it is; the
//          others are joined, and then its error is thrown.
// Threads: thread-safe; works on context.threads threads.
// Why:     the frame names the segments that it replaces: where another join came first the log
//          shows it, and the file is removed. Replaced files stay for those who read them
//          (sweep.h).
#pragma once

#include <cstdint>
#include <functional>

#include "ingest/recorder.h"

namespace otolith::ingest {

/// Segments that were written.
struct WrittenSide {
  std::uint64_t segments = 0;
  std::uint64_t rows = 0;
};

struct Joined {
  std::uint64_t segments = 0;  // that were replaced
  std::uint64_t rows = 0;      // in them
  std::uint64_t bytes = 0;     // of their files
  std::uint64_t renewed = 0;   // segments that stayed, and of which the log says a side anew
  WrittenSide present;
  WrittenSide past;
};

/// Gets the bytes of files that were read and written anew up to now: what is skipped is none.
using Pace = std::function<void(std::uint64_t bytes)>;

/// `progress` gets bytes done and bytes in all, which may grow. Both may throw to stop, also within
/// a group.
Joined join_segments(const IngestContext& context, const Progress& progress = {},
                     const Pace& pace = {});

/// Bytes of the files that join_segments would begin with.
std::uint64_t join_bytes(const IngestContext& context);

}  // namespace otolith::ingest
