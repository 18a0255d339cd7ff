// The one interface through which Otolith touches files, locks and memory maps.
//
// Role:    log, segments, index and lock page all live behind it; POSIX and a simulated disk
//          implement it.
// Shapes:  offsets and sizes in bytes; paths are relative to the root the Vfs was opened on, '/'
//          between parts, never with "..": users' names never become paths.
// Errors:  io (with errno's text), no_space (ENOSPC, EDQUOT, EFBIG), not_found (missing file),
//          conflict (create of a file that exists). EINTR and short reads and writes are retried
//          inside.
// Threads: thread-safe, where calls go to different ranges.
// Why:     durability rules can be tested only if every call can be recorded and failed
//          (docs/testing.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace otolith::io {

/// A read-only mapping; valid until destroyed. Move-only through unique_ptr.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual BytesView bytes() const noexcept = 0;
};

/// How to open a file.
enum class OpenMode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // read_write; must not exist (conflict); the entry is durable only after sync_dir
};

struct FileStat {
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

/// One open file. Closing never throws and syncs nothing.
class File {
 public:
  virtual ~File() = default;

  /// Reads up to out.size() bytes; fewer only at the end of the file. Returns the bytes read.
  virtual std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// Writes all bytes, extending the file as needed. On error any part may have been written.
  virtual void write_at(std::uint64_t offset, BytesView bytes) = 0;
  /// Data and size reach the disk before it returns. After an error the state of everything written
  /// since the last success is unknown and stays so: never retry, begin a new file.
  virtual void sync() = 0;
  /// Starts write-back of a range and returns at once; a hint.
  virtual void write_back(std::uint64_t offset, std::uint64_t bytes) = 0;
  /// Reserves blocks up to `size` and makes the file that long, zero-filled.
  virtual void preallocate(std::uint64_t size) = 0;
  virtual void truncate(std::uint64_t size) = 0;
  virtual FileStat stat() const = 0;
  /// Maps the first `size` bytes read-only (size <= the file's).
  virtual std::unique_ptr<Mapping> map(std::uint64_t size) = 0;

  /// Takes the open-file-description lock on one byte; false if another description holds it. It
  /// goes with unlock, with this File, or with the process. The file must be open for writing: a
  /// forked child closes its copies of those (io/fork.h), so that no lock outlives its process in a
  /// child.
  virtual bool try_lock(std::uint64_t byte, bool exclusive) = 0;
  virtual void unlock(std::uint64_t byte) = 0;

  /// True if sync waits for a device, so that syncs of several files are better issued together.
  virtual bool syncs_in_parallel() const noexcept { return false; }
};

/// A directory tree. The empty path is its root; all others obey io/path.h.
class Vfs {
 public:
  virtual ~Vfs() = default;

  virtual std::unique_ptr<File> open(const std::string& path, OpenMode mode) = 0;
  virtual bool exists(const std::string& path) = 0;
  /// Identity of a file or directory; nullopt if it does not exist.
  virtual std::optional<FileStat> stat(const std::string& path) = 0;
  /// Names in a directory, sorted, without "." and ".."; not_found if it is missing.
  virtual std::vector<std::string> list(const std::string& directory) = 0;
  /// Creates one directory; true if it was made, false if it was there.
  virtual bool make_dir(const std::string& directory) = 0;
  /// Entries of this directory (created, renamed, removed) reach the disk before it returns. With
  /// outcome `failed` it was not begun and may be tried again; after any other error as File::sync.
  virtual void sync_dir(const std::string& directory) = 0;
  /// Replaces `to` atomically.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// The same for a name that nobody may have: conflict if `to` exists. Atomic, but on file systems
  /// that cannot refuse to replace: there it looks first.
  virtual void rename_new(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) = 0;      // a file; no error if it is missing
  virtual void remove_dir(const std::string& path) = 0;  // an empty directory
  /// Bytes free for this user on the file system.
  virtual std::uint64_t space_left() = 0;
  /// True if nothing can be written here (EROFS, no permission, or opened read-only).
  virtual bool read_only() const noexcept = 0;
  /// True if a Mapping shows what is written after it was made (MAP_SHARED). If false a Mapping is
  /// a copy of the bytes at map time: pages that others change, such as the lock page, are read
  /// with read_at.
  virtual bool maps_follow_writes() const noexcept { return false; }
  /// Shown in messages: where the user said the database is.
  virtual std::string describe(const std::string& path) const = 0;
};

/// Syncs many files at once, in parallel where that helps; throws the first error after all
/// returned.
void sync_all(std::span<File* const> files);

}  // namespace otolith::io
