// The lock page as a reader sees it.
//
// Role:    visible, durable, epoch and file for refresh, without a lock: one call.
// Shapes:  kLockPageBytes.
// Errors:  none: whatever is wrong with the page or its file, the page counts as absent.
// Threads: thread-compatible.
// Why:     a descriptor of its own, open for reading, so that read permission is enough and a
//          forked child, which loses writable descriptors, still reads. Read, not mapped: under a
//          map a lock file that somebody empties is a signal that ends the process (ADR 0023).
#pragma once

#include <array>
#include <memory>

#include "history/lock_page.h"
#include "io/environment.h"

namespace otolith::history {

class LockPageReader {
 public:
  LockPageReader(io::Vfs& vfs, io::Environment& environment, const LockIdentity& identity);

  /// The page now.
  LockPage read();
  /// Follows the path to another file if the lock file was replaced; true if it was. read() does so
  /// every kLockPageCheckNs, and while an append is under way: whose end cannot be written on the
  /// page takes its file away.
  bool reattach();

 private:
  LockPage look();
  LockPage judge(bool& torn);
  void attach();
  bool copy() noexcept;

  io::Vfs& vfs_;
  io::Environment& environment_;
  const LockIdentity identity_;
  std::unique_ptr<io::File> file_;  // null while there is none
  std::uint64_t inode_ = 0;
  std::uint64_t attached_ns_ = 0;
  std::array<std::byte, kLockReadBytes> bytes_{};   // as they were read last
  std::array<std::byte, kLockReadBytes> judged_{};  // of the last valid page
  LockPage page_of_them_;                           // what they say; absent before there was one
};

}  // namespace otolith::history
