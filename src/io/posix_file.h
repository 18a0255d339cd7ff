// One open file of the real disk.
//
// Role:    File over a descriptor: loops over short and interrupted calls, syncs, locks, maps.
// Shapes:  as vfs.h.
// Errors:  as vfs.h. After a failed sync every later sync of this File fails too: the kernel
//          reports an error once and then calls the lost pages clean, so success would prove
//          nothing.
// Threads: thread-safe, where calls go to different ranges.
// Why:     locks are those of the open file description: POSIX record locks vanish when any
//          descriptor of the file is closed anywhere in the process.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "io/fork.h"
#include "io/os_error.h"
#include "io/vfs.h"

namespace otolith::io {

/// What a PosixFile is told by the Vfs that opens it.
struct PosixFileSetup {
  std::string path;   // relative to the root
  std::string shown;  // as Vfs::describe gives it
  bool writable = false;
  bool mmap = true;
};

class PosixFile final : public File {
 public:
  PosixFile(std::unique_ptr<OwnedDescriptor> descriptor, PosixFileSetup setup);

  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) override;
  void write_at(std::uint64_t offset, BytesView bytes) override;
  void sync() override;
  void write_back(std::uint64_t offset, std::uint64_t bytes) override;
  void preallocate(std::uint64_t size) override;
  void truncate(std::uint64_t size) override;
  FileStat stat() const override;
  std::unique_ptr<Mapping> map(std::uint64_t size) override;
  bool try_lock(std::uint64_t byte, bool exclusive) override;
  void unlock(std::uint64_t byte) override;
  bool syncs_in_parallel() const noexcept override { return true; }

 private:
  [[noreturn]] void fail(int number, const char* verb) const;
  void require_writable(const char* verb) const;
  void write_zeros(std::uint64_t from, std::uint64_t to);
  int lock_call(std::uint64_t byte, short kind);

  const std::unique_ptr<OwnedDescriptor> descriptor_;
  const PosixFileSetup setup_;
  std::atomic<bool> sync_failed_{false};
  std::atomic<std::uint64_t> within_limit_to_{0};  // of the process's limit of file sizes
};

/// Calls again while the OS answers EINTR.
template <typename Call>
auto retried(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// Size and place of what a descriptor is open on, or of a path below it; an errno or 0.
int stat_at(int descriptor, const char* path, FileStat& out) noexcept;

}  // namespace otolith::io
