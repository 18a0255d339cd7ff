// Sweep: segment files that no commit needs, and whose makers are gone, are removed.
//
// Role:    what killed recorders, lost seals and joins leave; behind seals and commits, and by
//          compact.
// Shapes:  files of segments/, of this database only; others are not ours and stay.
// Errors:  those of the file system and of history::unneeded; what was removed before stays so.
// Threads: thread-safe.
// Why:     docs/history.md 6. A file is judged by three things that together cannot change any
//          more: its maker's owner lock is free, and held meanwhile; under the append lock every
//          readable record was taken in; none names the file. So it may be removed behind the lock.
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/recorder.h"

namespace otolith::ingest {

/// A file of segments/ that bears the name of a segment.
struct SegmentOnDisk {
  Id128 id;
  std::uint64_t bytes = 0;
};

/// Those that history does not name: of open recorders, or for a sweep.
std::vector<SegmentOnDisk> unnamed_segments(io::Vfs& vfs, history::History& history);

/// What a sweep removed.
struct Swept {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  void add(const Swept& more) noexcept {
    files += more.files;
    bytes += more.bytes;
  }
};
/// Files that a join replaced stay for a while, for those who read them; `at_once`, where space is
/// short, they go too.
Swept sweep(const IngestContext& context, bool at_once = false);

}  // namespace otolith::ingest
