// The file of a segment in the making: at its final name from the start, removed unless it is kept.
//
// Role:    encode writes into it; commit and seal keep it once the log may name it.
// Shapes:  segment/path.h; ids are random.
// Errors:  io, no_space from the file system.
// Threads: thread-compatible.
// Why:     no rename: a file that no frame names is no part of the database, and a sweep removes it
//          when the lock of the recorder that its header names is free.
#pragma once

#include <memory>
#include <span>

#include "base/ids.h"
#include "history/lock_file.h"
#include "io/environment.h"
#include "io/vfs.h"

namespace otolith::ingest {

class SegmentFile {
 public:
  SegmentFile(io::Vfs& vfs, io::Environment& environment);
  SegmentFile(SegmentFile&&) noexcept = default;
  SegmentFile& operator=(SegmentFile&&) = delete;
  /// Removes the file, unless it was kept or the process forked since.
  ~SegmentFile();

  const Id128& id() const noexcept { return id_; }
  io::File& file() noexcept { return *file_; }
  /// From now on a frame may name it: it stays.
  void keep() noexcept { vfs_ = nullptr; }
  bool kept() const noexcept { return vfs_ == nullptr; }
  /// The open file, for whoever syncs it later.
  std::shared_ptr<io::File> shared() const noexcept { return file_; }

 private:
  io::Vfs* vfs_;
  std::uint64_t fork_generation_;
  Id128 id_;
  std::shared_ptr<io::File> file_;
};

/// Who makes files before a frame names them: as long as it stands, no sweep takes them away.
class FileOwner {
 public:
  FileOwner(io::Vfs& vfs, io::Environment& environment);
  const Id128& id() const noexcept { return id_; }
  /// Throws io if others no longer see that it stands (the lock file was replaced).
  void check() const;

 private:
  io::Vfs& vfs_;
  Id128 id_;
  std::unique_ptr<history::OwnerLock> lock_;
};

/// Bytes of every file reach the disk, then the entries of their folders.
void sync_segments(io::Vfs& vfs, std::span<io::File* const> files, std::span<const Id128> segments);

}  // namespace otolith::ingest
