#include <algorithm>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "base/mutant.h"
#include "history/disk_log.h"

namespace otolith::history {

namespace {

constexpr int kPageTriesMax = 3;

std::uint64_t bytes_of(const std::vector<Record>& records) {
  std::uint64_t bytes = 0;
  for (const Record& record : records) bytes += frame_bytes(record.payload.size());
  return bytes;
}

bool all_relaxed(const std::vector<Record>& records) {
  return std::ranges::all_of(records, [](const Record& record) { return record.relaxed; });
}

// The records to append were decided on what is no longer there.
[[noreturn]] void throw_lost() {
  throw_error(ErrorCode::io,
              "relaxed commits before this one could not be read back and are lost; nothing was "
              "appended: try again on what is left");
}

}  // namespace

void DiskLog::append(const std::vector<Record>& records, std::vector<RecordNumber>& numbers) {
  const RecordNumber before = words_.visible;
  const std::uint64_t epoch = words_.epoch;
  with_relief([&] { append_once(records, epoch); });
  for (std::uint64_t i = 1; i <= records.size(); ++i) {
    numbers.push_back(RecordNumber{value_of(before) + i});
  }
}

// The order of a commit, from the lock on: announce, append, fsync, raise. The epoch is the one in
// which the records were decided.
void DiskLog::append_once(const std::vector<Record>& records, std::uint64_t epoch) {
  const bool relaxed = all_relaxed(records);
  OTO_INVARIANT(!records.empty() && appender_.place().last == words_.visible);
  const RecordNumber before = words_.visible;
  try {
    if (!relaxed && relaxed_unvouched()) recover();
    find_room(bytes_of(records));
    // The epoch, not the numbers: the record that tells of a lost one has its number.
    const bool fewer =
        mutant("log-loss-by-numbers") ? words_.visible != before : words_.epoch != epoch;
    if (fewer) throw_lost();
    announce();
  } catch (const Error& error) {
    throw error.with_outcome(Outcome::failed);  // not one byte of these records was written
  }
  appender_.encode(records, words_.durable);
  stage(before);
  write_frames();
  if (mutant("log-published-before-sync")) raise(words_.durable, appender_.written().last);
  if (mutant("log-durable-before-sync")) raise(appender_.written().last, words_.visible);
  confirm();
  if (!relaxed) sync_frames();
  appender_.accept();
  const RecordNumber last = appender_.place().last;
  // A sync mark is the log's own: nobody has applied it, so it is handed over like those of others.
  std::optional<RecordNumber> own_behind;
  if (records.front().type != FrameType::sync_mark) own_behind = before;
  raise(relaxed && !mutant("log-relaxed-counts-durable") ? words_.durable : last, last, own_behind);
  appended_ = true;
  relaxed_ = words_.durable < words_.visible;
  if (room_is_low() || appender_.blanks_are_low()) tend_due_ = true;
}

// Relaxed records of others that a sync through this handle's descriptor would not vouch for.
bool DiskLog::relaxed_unvouched() const {
  return words_.durable < words_.visible && !appender_.vouches_for_all_behind(words_.durable);
}

// A file that is full gives way to a new one; the last of a full disk is used up first.
void DiskLog::find_room(std::uint64_t bytes) {
  const bool full = appender_.place().offset + bytes > options_.file_bytes;
  if (full && appender_.holds_frames()) rotate();
  if (bytes <= appender_.room()) return;
  if (purpose_ != LockPurpose::relief && !reserve_.refill()) {
    throw_error(ErrorCode::no_space,
                "the disk that holds {} is full; free space, work goes on without a restart",
                vfs_->describe(""));
  }
  appender_.make_room(bytes, options_.preallocate_bytes);
}

void DiskLog::rotate() {
  if (relaxed_unvouched()) return recover();  // that takes a new file already
  announce();
  // The frames only: `durable` would say as much of the segments that they name.
  if (words_.durable < words_.visible) sync_frames();
  NewLogFile wanted;
  wanted.header.first = next(words_.visible);
  wanted.header.durable = words_.visible;
  wanted.header.epoch = words_.epoch;
  environment_->random(wanted.header.salt.bytes);
  const Appender::Place place{kLogHeaderBytes, words_.visible, wanted.header.seed()};
  const std::uint64_t number = words_.file + 1;
  try {
    appender_.begin(begin_file(wanted), place);
    raise(words_.durable, words_.visible);  // the page names it before a record is in it
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space || vfs_->exists(log_file_path(number))) throw;
    withdraw();  // no space for a new file: the old one may still have some
  }
}

void DiskLog::write_frames() {
  try {
    appender_.write();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space || !appender_.take_back()) {
      throw error.with_outcome(Outcome::unknown);
    }
    withdraw();
    throw error.with_outcome(Outcome::failed);
  }
}

void DiskLog::sync_frames() {
  try {
    appender_.sync();
  } catch (const Error& error) {
    // `writing` stays set: whoever comes next begins a new file, however this process ends.
    if (mutant("log-failed-sync-forgotten")) withdraw();
    if (mutant("log-sync-retried")) return appender_.sync();
    throw error.with_outcome(Outcome::unknown);
  }
}

void DiskLog::announce() {
  if (mutant("log-writing-not-announced")) return;
  words_.writing = value_of(next(words_.visible));
  lock_file_.write(words_, LockWord::writing, LockWord::writing);
}

// Whoever locks a file that was put in place of the lock file does not wait for this handle, and
// begins a new log file without what it has not seen.
void DiskLog::require_lock() const {
  if (mutant("log-lock-gone-unnoticed") || lock_file_.stands()) return;
  throw_error(ErrorCode::io,
              "the lock file of {} was removed or replaced while this handle was writing; leave it "
              "where it is, and try again",
              vfs_->describe(""));
}

// Behind the write, which is enough: whoever locks another file later than this begins a new log
// file with every whole frame that is there to read, and this one is. Before the sync, because what
// comes behind it has to wake up first and costs three times as much.
void DiskLog::confirm() const {
  try {
    require_lock();
  } catch (const Error& error) {
    throw error.with_outcome(Outcome::unknown);
  }
}

// Until the lock is given back: what was staged and failed is undone by then.
void DiskLog::stage(RecordNumber behind) {
  if (mutant("log-in-flight-handed-out")) return;
  const MutexLock guard(mutex_);
  in_flight_behind_ = behind;
}

// Nothing was written, or it was taken back. The file may be a new one nevertheless.
void DiskLog::withdraw() noexcept {
  words_.writing = 0;
  show_words();
}

// The fsync decides, not the page. One that cannot be written would hide from others what was
// acknowledged: it is tried again, and taken away in the end, for without a page they read the log.
void DiskLog::show_words() noexcept {
  try {
    for (int tries_left = kPageTriesMax; tries_left > 0; --tries_left) {
      if (show_words_once()) return;
    }
    if (!mutant("log-page-left-stale")) vfs_->remove(kLockPath);
  } catch (const std::exception& error) {
    log_line(LogLevel::error, error.what());
  }
}

bool DiskLog::show_words_once() {
  try {
    lock_file_.write(words_, LockWord::epoch, LockWord::writing);
    return true;
  } catch (const Error& error) {
    log_line(LogLevel::warning, error.what());
    return mutant("log-page-left-stale");
  }
}

void DiskLog::raise(RecordNumber durable, RecordNumber visible,
                    std::optional<RecordNumber> own_behind) {
  words_.durable = durable;
  words_.visible = visible;
  words_.writing = 0;
  MutexLock guard(mutex_);
  if (mutant("log-raised-apart")) {
    in_flight_behind_.reset();
    show_words();
    guard.unlock();
    std::this_thread::yield();
    guard.lock();
  }
  // Raised and remembered as one: a reader of this handle must not be handed what it staged itself.
  if (own_behind && last_ == *own_behind) last_ = visible;
  if (in_flight_behind_) in_flight_behind_ = visible;
  show_words();
  // Where relaxed records were lost this handle's numbers mean others, until it has fallen back.
  if (words_.epoch == epoch_) durable_ = std::max(durable_, durable);
}

void DiskLog::make_durable() {
  if (relaxed_unvouched()) recover();
  if (words_.durable == words_.visible) return;
  announce();
  sync_frames();
  raise(words_.visible, words_.visible);
  relaxed_ = false;
}

// Tries again with the space of the reserve, for those who make room.
void DiskLog::with_relief(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    const bool may = error.code() == ErrorCode::no_space && purpose_ == LockPurpose::relief &&
                     error.outcome() != Outcome::unknown;
    if (!may || !reserve_.spend()) throw;
    tend_due_ = true;
    work();
  }
}

}  // namespace otolith::history
