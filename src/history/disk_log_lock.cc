#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/disk_log.h"
#include "io/fork.h"

namespace otolith::history {

void DiskLog::require_writer() const {
  if (options_.read_only || vfs_->read_only()) {
    throw_error(ErrorCode::invalid_argument, "{} is open read-only; open it for writing",
                vfs_->describe(""));
  }
  if (io::fork_generation() != forks_) {
    throw_error(ErrorCode::invalid_argument,
                "{} was opened before this process was forked; open it again in the child",
                vfs_->describe(""));
  }
}

std::unique_ptr<LogLock> DiskLog::lock(LockPurpose purpose, std::uint64_t waited_ns) {
  require_writer();
  // One patience for all: a batch of this process, its other threads, then other processes.
  const auto left = [&] {
    return options_.lock_wait_ns - std::min(waited_ns, options_.lock_wait_ns);
  };
  const std::uint64_t begin = environment_->monotonic_ns();
  take_turn(left());
  waited_ns += environment_->monotonic_ns() - begin;
  try {
    lock_file_.acquire(left(), waited_ns);
  } catch (...) {
    give_turn_back();
    throw;
  }
  purpose_ = mutant("log-reserve-for-all") ? LockPurpose::relief : purpose;
  return std::make_unique<DiskLogLock>(*this);
}

// Null if another thread or process holds it.
std::unique_ptr<LogLock> DiskLog::try_lock() {
  require_writer();
  {
    const MutexLock guard(turn_mutex_);
    if (turn_taken_) return nullptr;
    turn_taken_ = true;
  }
  try {
    if (lock_file_.try_acquire()) {
      purpose_ = LockPurpose::commit;
      return std::make_unique<DiskLogLock>(*this);
    }
  } catch (...) {
    give_turn_back();
    throw;
  }
  give_turn_back();
  return nullptr;
}

void DiskLog::take_turn(std::uint64_t wait_ns) {
  const MutexLock guard(turn_mutex_);
  const auto wait = std::chrono::nanoseconds(wait_ns);
  const auto free = [this]() OTO_REQUIRES(turn_mutex_) { return !turn_taken_; };
  if (!turn_given_.wait_for(turn_mutex_, wait, free)) {
    throw_error(
        ErrorCode::locked,
        "another thread of this process holds the append lock of {} for longer than lock_wait",
        vfs_->describe(""));
  }
  turn_taken_ = true;
}

void DiskLog::give_turn_back() noexcept {
  const MutexLock guard(turn_mutex_);
  turn_taken_ = false;
  turn_given_.notify_one();
}

void DiskLog::give_turn() noexcept {
  {
    const MutexLock guard(mutex_);
    in_flight_behind_.reset();
  }
  lock_file_.release();
  give_turn_back();
}

void DiskLog::sync() { lock(LockPurpose::commit, 0)->sync(); }

void DiskLog::tend() {
  if (!tend_due_.exchange(false)) return;
  try {
    if (const auto held = try_lock()) prepare_ahead();
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
}

bool DiskLog::room_is_low() const noexcept {
  const std::uint64_t end = appender_.place().offset + appender_.room();
  return appender_.room() < options_.preallocate_bytes / 2 && end < options_.file_bytes;
}

void DiskLog::close(const std::function<void(LogLock&)>& before) {
  if (!appended_.load()) return;
  auto held = try_lock();
  // Another writer is at work: it marks what it syncs. Only relaxed records have to wait for it.
  if (!held && !relaxed_.load()) return;
  if (!held) held = lock(LockPurpose::commit, 0);
  if (before) before(*held);
  held->sync();
  place_appender();
  std::vector<RecordNumber> numbers;
  if (!mutant("log-closed-without-mark")) append({{FrameType::sync_mark, false, {}}}, numbers);
  appended_ = false;
}

// Space for what comes, while nobody waits for it.
void DiskLog::prepare_ahead() {
  const LockPage page = lock_file_.read();
  if (!page.valid() || page.words.writing != 0) return;
  if (!appender_.attached_to(page.words.file) || !reserve_.refill()) return;
  // Another has appended since: this handle does not know where the log ends.
  if (appender_.place().last != page.words.visible && !mutant("log-tends-unread")) return;
  if (room_is_low()) appender_.make_room(appender_.room() + 1, options_.preallocate_bytes);
  if (appender_.blanks_are_low()) appender_.write_blanks();
}

DiskLogLock::~DiskLogLock() { log_.give_turn(); }

void DiskLogLock::catch_up(const FrameSink& sink, const Log::Fallback& fallback) {
  log_.catch_up(sink, fallback);
  caught_up_ = true;
}

std::vector<RecordNumber> DiskLogLock::append(std::vector<Record> records) {
  OTO_INVARIANT(caught_up_);
  caught_up_ = false;  // until it has succeeded: a failed append has to be looked at first
  std::vector<RecordNumber> numbers;
  numbers.reserve(records.size());
  log_.append(records, numbers);
  caught_up_ = true;
  return numbers;
}

void DiskLogLock::sync() {
  if (!caught_up_) log_.settle([] {});
  const std::uint64_t epoch = log_.words_.epoch;
  log_.make_durable();
  if (log_.words_.epoch != epoch) caught_up_ = false;
}

bool DiskLogLock::relaxed_pending() const { return log_.words_.durable < log_.words_.visible; }

}  // namespace otolith::history
