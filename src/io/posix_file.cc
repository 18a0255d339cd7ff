#include "io/posix_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "io/aligned_buffer.h"

namespace otolith::io {

namespace {

// Linux moves at most 2 GiB less a page in one call; a smaller step also bounds the time in the
// kernel.
constexpr std::size_t kCallBytesMax = std::size_t{1} << 30;

// Beyond RLIMIT_FSIZE a write raises SIGXFSZ, which ends the process, before it answers EFBIG. Held
// back in this thread while the write runs; without a limit nothing is done.
class FileSizeSignal {
 public:
  /// `within` is how far the file was found to lie within the limit, so that a commit's writes into
  /// space that is there do not ask again. Who lowers the limit below it is told by the signal.
  FileSizeSignal(std::uint64_t end, std::atomic<std::uint64_t>& within) noexcept {
    if (end <= within.load(std::memory_order_relaxed)) return;
    struct ::rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) return;
    if (limit.rlim_cur >= end) {
      within.store(end, std::memory_order_relaxed);
      return;
    }
    sigset_t signal = own();
    sigset_t pending;
    const bool theirs = ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
    held_ = !theirs && ::pthread_sigmask(SIG_BLOCK, &signal, &before_) == 0;
  }
  ~FileSizeSignal() {
    if (!held_) return;
    const int number = errno;
    const sigset_t signal = own();
    const struct ::timespec at_once{};
    while (::sigtimedwait(&signal, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = number;
  }
  FileSizeSignal(const FileSizeSignal&) = delete;
  FileSizeSignal& operator=(const FileSizeSignal&) = delete;

 private:
  static sigset_t own() noexcept {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGXFSZ);
    return set;
  }

  bool held_ = false;
  sigset_t before_{};
};

class MemoryMap final : public Mapping {
 public:
  MemoryMap(void* start, std::size_t size) : start_(start), size_(size) {}
  ~MemoryMap() override { ::munmap(start_, size_); }
  BytesView bytes() const noexcept override {
    return {static_cast<const std::byte*>(start_), size_};
  }

 private:
  void* const start_;
  const std::size_t size_;
};

}  // namespace

PosixFile::PosixFile(std::unique_ptr<OwnedDescriptor> descriptor, PosixFileSetup setup)
    : descriptor_(std::move(descriptor)), setup_(std::move(setup)) {}

void PosixFile::fail(int number, const char* verb) const {
  throw_os_error(number, {verb, setup_.shown, setup_.path});
}

std::size_t PosixFile::read_at(std::uint64_t offset, std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t step = std::min(out.size() - done, kCallBytesMax);
    const ssize_t got = retried([&] {
      return ::pread(descriptor_->get(), out.data() + done, step,
                     static_cast<off_t>(offset + done));
    });
    if (got < 0) fail(errno, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void PosixFile::require_writable(const char* verb) const {
  if (setup_.writable) return;
  throw_error(ErrorCode::invalid_argument, "to {} {} open it with OpenMode::read_write", verb,
              setup_.shown);
}

void PosixFile::write_at(std::uint64_t offset, BytesView bytes) {
  require_writable("write");
  const FileSizeSignal held(offset + bytes.size(), within_limit_to_);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t step = std::min(bytes.size() - done, kCallBytesMax);
    const ssize_t put = retried([&] {
      return ::pwrite(descriptor_->get(), bytes.data() + done, step,
                      static_cast<off_t>(offset + done));
    });
    if (put < 0) fail(errno, "write");
    if (put == 0) fail(ENOSPC, "write");  // a device that takes nothing and says nothing is full
    done += static_cast<std::size_t>(put);
    if (mutant("io-short-write-ignored")) return;
  }
}

// fdatasync also writes the size and the block map where they are needed to read the data back;
// what it leaves out (times) nobody here relies on.
void PosixFile::sync() {
  if (sync_failed_.load(std::memory_order_acquire)) fail(EIO, "sync again after a failed sync of");
  if (retried([&] { return ::fdatasync(descriptor_->get()); }) == 0) return;
  const int number = errno;
  if (!mutant("io-failed-sync-forgotten")) sync_failed_.store(true, std::memory_order_release);
  fail(number, "sync");
}

// Only starts the writing: with the WAIT flags it would consume errors that sync must report.
void PosixFile::write_back(std::uint64_t offset, std::uint64_t bytes) {
  (void)::sync_file_range(descriptor_->get(), static_cast<off64_t>(offset),
                          static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

void PosixFile::preallocate(std::uint64_t size) {
  require_writable("preallocate");
  const FileSizeSignal held(size, within_limit_to_);
  if (retried([&] { return ::fallocate(descriptor_->get(), 0, 0, static_cast<off_t>(size)); }) ==
      0) {
    return;
  }
  if (errno != EOPNOTSUPP && errno != ENOSYS) fail(errno, "preallocate");
  const std::uint64_t old_size = stat().size;
  if (old_size < size) write_zeros(old_size, size);
}

// Writing zeros reserves the blocks where fallocate is missing; a hole would not.
void PosixFile::write_zeros(std::uint64_t from, std::uint64_t to) {
  static constexpr std::array<std::byte, 65536> zeros{};
  while (from < to) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), to - from));
    write_at(from, BytesView(zeros).first(step));
    from += step;
  }
}

void PosixFile::truncate(std::uint64_t size) {
  require_writable("truncate");
  const FileSizeSignal held(size, within_limit_to_);
  if (retried([&] { return ::ftruncate(descriptor_->get(), static_cast<off_t>(size)); }) != 0) {
    fail(errno, "truncate");
  }
}

FileStat PosixFile::stat() const {
  FileStat found;
  if (const int error = stat_at(descriptor_->get(), "", found); error != 0) fail(error, "stat");
  return found;
}

std::unique_ptr<Mapping> PosixFile::map(std::uint64_t size) {
  // Beyond the end a mapping would raise SIGBUS at its first use instead of failing here.
  if (const std::uint64_t whole = stat().size; size > whole) {
    throw_error(ErrorCode::invalid_argument, "cannot map {} bytes of {}: it has only {}", size,
                setup_.shown, whole);
  }
  if (size == 0 || !setup_.mmap) return copy_mapping(*this, size);
  void* const start =
      ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_SHARED, descriptor_->get(), 0);
  if (start == MAP_FAILED) fail(errno, "map");
  return std::make_unique<MemoryMap>(start, static_cast<std::size_t>(size));
}

int PosixFile::lock_call(std::uint64_t byte, short kind) {
  struct ::flock request{};
  request.l_type = kind;
  request.l_whence = SEEK_SET;
  request.l_start = static_cast<off_t>(byte);
  request.l_len = 1;
  return retried([&] { return ::fcntl(descriptor_->get(), F_OFD_SETLK, &request); });
}

bool PosixFile::try_lock(std::uint64_t byte, bool exclusive) {
  // A file opened for reading is kept open by a forked child, which would keep the lock alive with
  // it.
  require_writable("lock");
  if (lock_call(byte, exclusive ? F_WRLCK : F_RDLCK) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  fail(errno == EINVAL ? ENOLCK : errno, "lock");
}

void PosixFile::unlock(std::uint64_t byte) {
  if (lock_call(byte, F_UNLCK) != 0) fail(errno, "unlock");
}

// Asks for no times: a time that was looked at makes the next write stamp a new one, which dirties
// the inode, and a file system without a journal writes the block of inodes with every fsync.
int stat_at(int descriptor, const char* path, FileStat& out) noexcept {
  constexpr unsigned wanted = STATX_TYPE | STATX_INO | STATX_SIZE;
  struct ::statx found;
  if (::statx(descriptor, path, *path == '\0' ? AT_EMPTY_PATH : 0, wanted, &found) != 0) {
    return errno;
  }
  out = {found.stx_size, ::makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino};
  return 0;
}

}  // namespace otolith::io
