// Segments that relaxed commits name and nobody has synced yet.
//
// Role:    HistoryOptions::sync_segments: a durable commit syncs them before it is durable.
// Shapes:  by segment id; the files stay open, because a sync vouches only for what was written
//          while its descriptor was open.
// Errors:  io, no_space; once a sync failed, every later one fails too (what was written is
//          unknown), and no relaxed commit is taken any more. A file or folder that could not be
//          opened (outcome failed) is opened again at the next.
// Threads: thread-safe.
// Why:     segments of other processes and of earlier ones are opened and synced as well as can be.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "history/request.h"
#include "io/vfs.h"
#include "otolith/error.h"

namespace otolith::ingest {

class UnsyncedSegments {
 public:
  void add(const Id128& segment, std::shared_ptr<io::File> file);
  void remove(const Id128& segment) noexcept;
  /// Throws io after a sync that failed: what relaxed commits promise can no longer be kept.
  void check();
  /// Syncs these segments and the entries of their folders.
  void sync(io::Vfs& vfs, const std::vector<history::SegmentRef>& segments);

 private:
  Mutex mutex_;
  std::map<Id128, std::shared_ptr<io::File>> files_ OTO_GUARDED_BY(mutex_);
  std::optional<Error> failed_ OTO_GUARDED_BY(mutex_);
};

}  // namespace otolith::ingest
