// The append lock, and the words its holder writes.
//
// Role:    one writer at a time over all processes of a machine; owner locks of recorders beside
//          it.
// Shapes:  open-file-description locks on single bytes of the lock file; polling 50 us to 5 ms.
// Errors:  locked (naming the holder) after lock_wait; io, no_space, unauthorized from the file
//          system.
// Threads: thread-compatible: the log gives it to one thread at a time.
// Why:     such locks die with the process, so nobody has to guess whether a holder still lives.
#pragma once

#include <memory>

#include "history/lock_page.h"
#include "io/environment.h"

namespace otolith::history {

class LockFile {
 public:
  LockFile(io::Vfs& vfs, io::Environment& environment, const LockIdentity& identity);

  /// Makes the file if it is missing, and its page for a log whose only file is empty. Before that
  /// file has its name, so that nobody can be appending.
  void create();
  /// Takes the append lock, waiting at most this long; messages add what was waited before. A lock
  /// file that was replaced meanwhile is reopened.
  void acquire(std::uint64_t wait_ns, std::uint64_t waited_before_ns = 0);
  /// The same without waiting; false if another holds it.
  bool try_acquire();
  void release() noexcept;
  /// False if the lock file was removed or replaced: others no longer wait for this lock.
  bool stands() const;

  /// The page, read under the lock.
  LockPage read();
  /// Names this process as the holder, in the words of a valid page and on it.
  void sign_in(LockWords& words);
  /// Writes the words first..last.
  void write(const LockWords& words, LockWord first, LockWord last);
  /// Writes the whole page, with the holder's words of this process.
  void write_page(LockWords words);

 private:
  bool try_once();
  void open();
  [[noreturn]] void give_up(std::uint64_t waited_ns);
  void put_holder(LockWords& words) const;

  io::Vfs& vfs_;
  io::Environment& environment_;
  const LockIdentity identity_;
  std::unique_ptr<io::File> file_;  // of the inode that the lock is on
  std::uint64_t inode_ = 0;         // of file_
};

/// Says that the owner of this id is alive, until destroyed or its process ends.
class OwnerLock {
 public:
  /// Null if another handle holds it.
  static std::unique_ptr<OwnerLock> take(io::Vfs& vfs, const Id128& owner);
  /// Says besides that there is an owner of files, whoever it is; false while somebody asks
  /// none_alive.
  bool join_owners();
  /// Whether at this moment nobody stands who has joined.
  static bool none_alive(io::Vfs& vfs);
  /// False if the lock file was replaced, so that others no longer see this lock.
  bool stands(io::Vfs& vfs) const;

 private:
  OwnerLock(std::unique_ptr<io::File> file, std::uint64_t inode);

  const std::unique_ptr<io::File> file_;
  const std::uint64_t inode_;
};

}  // namespace otolith::history
