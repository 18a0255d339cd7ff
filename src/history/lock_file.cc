#include "history/lock_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr int kLooksMax = 1000;
constexpr int kReplacedMax = 3;                             // then others have a turn
constexpr std::uint64_t kOwnerByteMask = (1ull << 62) - 1;  // offsets of locks are signed

// Opens the lock file for writing, making it if it is missing; another process may do so first.
std::unique_ptr<io::File> open_or_create(io::Vfs& vfs) {
  if (vfs.exists(kLockPath)) return vfs.open(kLockPath, io::OpenMode::read_write);
  try {
    return vfs.open(kLockPath, io::OpenMode::create);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::conflict) throw;
    return vfs.open(kLockPath, io::OpenMode::read_write);
  }
}

double seconds(std::uint64_t ns) noexcept { return static_cast<double>(ns) / 1e9; }

}  // namespace

LockFile::LockFile(io::Vfs& vfs, io::Environment& environment, const LockIdentity& identity)
    : vfs_(vfs), environment_(environment), identity_(identity) {}

void LockFile::create() {
  open();
  LockWords words;
  words.file = 1;
  write_page(words);
}

void LockFile::acquire(std::uint64_t wait_ns, std::uint64_t waited_before_ns) {
  const std::uint64_t begin = environment_.monotonic_ns();
  std::uint64_t pause = kLockPollMinNs;
  while (!try_once()) {
    const std::uint64_t waited = environment_.monotonic_ns() - begin;
    if (waited >= wait_ns) give_up(waited_before_ns + waited);
    environment_.sleep_ns(std::min(pause, wait_ns - waited));
    pause = std::min(2 * pause, kLockPollMaxNs);
  }
}

bool LockFile::try_acquire() { return try_once(); }

void LockFile::release() noexcept {
  try {
    file_->unlock(kAppendLockByte);
  } catch (...) {
    file_.reset();  // closing gives the lock back as well
  }
}

LockPage LockFile::read() {
  std::array<std::byte, kLockReadBytes> bytes;
  bool torn = true;
  LockPage page;
  for (int look = 0; torn && look < kLooksMax; ++look) {
    try {
      if (file_->read_at(0, bytes) < bytes.size()) return {};
    } catch (const Error& error) {
      log_line(LogLevel::warning, error.what());
      return {};
    }
    page = decode_lock_page(bytes, identity_, torn);
  }
  return page;
}

void LockFile::write(const LockWords& words, LockWord first, LockWord last) {
  file_->write_at(lock_word_at(first), encode_lock_words(identity_, words, first, last));
}

void LockFile::write_page(LockWords words) {
  put_holder(words);
  file_->write_at(0, encode_lock_page(identity_, words));
}

// One look at the path, behind the lock: who is called by it then is the one that is locked.
bool LockFile::try_once() {
  for (int look = 0; look < kReplacedMax; ++look) {
    if (!file_) open();
    try {
      const bool got = file_->try_lock(kAppendLockByte, true);
      if (stands()) return got;
    } catch (...) {
      if (!mutant("log-lock-kept-on-error")) file_.reset();
      throw;
    }
    file_.reset();  // and the lock with it
  }
  return false;
}

void LockFile::open() {
  file_ = open_or_create(vfs_);
  const io::FileStat stat = file_->stat();
  inode_ = stat.inode;
  if (stat.size < kLockPageBytes) file_->preallocate(kLockPageBytes);
}

bool LockFile::stands() const {
  const auto there = vfs_.stat(kLockPath);
  return mutant("log-lock-not-looked-at") || (there && there->inode == inode_);
}

// For messages of those who wait: failing to write it is no reason not to hold the lock. Who held
// it last need not say so again.
void LockFile::sign_in(LockWords& words) {
  const LockWords before = words;
  put_holder(words);
  if (words.holder_pid == before.holder_pid && words.holder_start == before.holder_start) return;
  try {
    write(words, LockWord::holder_pid, LockWord::holder_start);
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
  }
}

void LockFile::put_holder(LockWords& words) const {
  words.holder_pid = environment_.process_id();
  words.holder_start = environment_.process_start();
}

void LockFile::give_up(std::uint64_t waited_ns) {
  const LockPage page = file_ ? read() : LockPage{};
  const std::string holder = page.valid() && page.words.holder_pid != 0
                                 ? fmt::format("process {} holds it", page.words.holder_pid)
                                 : std::string("its holder is unknown");
  throw_error(
      ErrorCode::locked,
      fmt::format("the append lock of {} was not free within lock_wait ({:.1f} s): {}; wait "
                  "for that process or end it, or open with a longer lock_wait",
                  vfs_.describe(""), seconds(waited_ns), holder),
      ErrorWhere{kLockPath, std::nullopt, {}});
}

std::unique_ptr<OwnerLock> OwnerLock::take(io::Vfs& vfs, const Id128& owner) {
  const auto place = load_le<std::uint64_t>(owner.bytes.data()) & kOwnerByteMask;
  auto file = open_or_create(vfs);
  if (!file->try_lock(kOwnerLockBytesAt + place, true)) return nullptr;
  const std::uint64_t inode = file->stat().inode;
  return std::unique_ptr<OwnerLock>(new OwnerLock(std::move(file), inode));
}

bool OwnerLock::join_owners() { return file_->try_lock(kOwnersLockByte, false); }

bool OwnerLock::none_alive(io::Vfs& vfs) {
  return open_or_create(vfs)->try_lock(kOwnersLockByte, true);
}

OwnerLock::OwnerLock(std::unique_ptr<io::File> file, std::uint64_t inode)
    : file_(std::move(file)), inode_(inode) {}

bool OwnerLock::stands(io::Vfs& vfs) const {
  const auto there = vfs.stat(kLockPath);
  return there && there->inode == inode_;
}

}  // namespace otolith::history
