#include "base/error.h"
#include "base/mutant.h"
#include "history/disk_log.h"
#include "history/frame_record.h"

namespace otolith::history {

namespace {

// What the sound frames of an interrupted writer become in a new file; moves the place behind them.
Bytes encode_copies(const RecoveryPlan& plan, std::uint64_t seed, Appender::Place& place) {
  Bytes out;
  const auto add = [&](std::uint8_t type, bool relaxed, BytesView payload) {
    place.last = next(place.last);
    place.chain =
        encode_frame(out, {place.last, type, relaxed, plan.durable, place.chain}, payload, seed);
  };
  for (const CopiedFrame& frame : plan.copies) add(frame.type, frame.relaxed, frame.payload);
  // As relaxed as what it stands behind: it says nothing of the segments that those name.
  const bool relaxed = !plan.copies.empty() && plan.copies.back().relaxed;
  if (plan.lost_to != RecordNumber{0}) {
    add(static_cast<std::uint8_t>(FrameType::lost), relaxed,
        lost_write({next(plan.last), plan.lost_to}));
  }
  place.offset += out.size();
  return out;
}

// The last record before the relaxed ones at the end: their frames are on the disk now, but nobody
// has synced the segments that they name.
RecordNumber durable_of(const RecoveryPlan& plan, RecordNumber last) {
  std::size_t kept = plan.copies.size();
  while (kept > 0 && plan.copies[kept - 1].relaxed) --kept;
  const bool vouched = kept == plan.copies.size() || mutant("log-adoption-vouches");
  return vouched ? last : RecordNumber{value_of(plan.durable) + kept};
}

}  // namespace

void DiskLog::catch_up(const FrameSink& sink, const Fallback& fallback) {
  settle([&] {
    const MutexLock guard(mutex_);
    if (!mutant("log-adopts-unread")) deliver(sink, fallback);
  });
  if (appended_last()) return;
  {
    const MutexLock guard(mutex_);
    deliver(sink, fallback);
    // What was just read need not be read again to find the end.
    const bool there =
        appender_.attached_to(words_.file) && appender_.place().last == words_.visible;
    if (!there && reader_ && reader_->last() == words_.visible &&
        appender_.attached_to(reader_->info()->header.file)) {
      appender_.move_to({reader_->offset(), reader_->last(), reader_->chain()});
    }
  }
  place_appender();
  const MutexLock guard(mutex_);
  if (last_ != words_.visible)
    deliver(sink, fallback);  // records were lost, and the log says which
}

// Nobody has appended since this handle did: there is nothing to read, and the end is known.
bool DiskLog::appended_last() {
  const bool end_known =
      appender_.attached_to(words_.file) &&
      (appender_.place().last == words_.visible || mutant("log-own-end-trusted"));
  const MutexLock guard(mutex_);
  if (!end_known || last_ != words_.visible || epoch_ != words_.epoch) return false;
  durable_ = std::max(durable_, words_.durable);
  shown_durable_ = durable_;
  return true;
}

// Makes the page hold and the log end in a file that may be appended to.
// Whoever is to recover is first handed what can be read: the new file's header names its last
// commit.
void DiskLog::settle(const std::function<void()>& read) {
  const LockPage page = lock_file_.read();
  words_ = page.words;
  if (page.valid()) lock_file_.sign_in(words_);
  if (!page.valid() || words_.writing != 0) {
    read();
    with_relief([this] { recover(); });
    return;
  }
  if (appender_.attached_to(words_.file)) return;
  if (attach_appender()) return;
  read();
  with_relief([this] { recover(); });
}

// To the file that the page names; false if a newer one is there, which nobody has told of.
bool DiskLog::attach_appender() {
  const MutexLock guard(mutex_);
  directory_.refresh();
  const auto info = directory_.last();
  directory_.throw_damage_behind(info ? info->header.file : 0);
  if (!info || info->header.file < words_.file) {
    throw_corrupt(log_file_path(words_.file), 0,
                  "this log file is missing; put it back, or restore a backup");
  }
  if (info->header.file > words_.file) return false;
  OpenLogFile file{info, directory_.open(*info, io::OpenMode::read_write)};
  check_not_cut(*info, *file.file);
  appender_.attach(std::move(file), words_.visible);
  return true;
}

void DiskLog::place_appender() {
  if (appender_.read_to(words_.visible)) return;
  const RecordNumber expected = next(appender_.place().last);
  if (expected <= words_.durable) {
    throw_unreadable(appender_.info(), appender_.place().offset, expected, "it fails its checks");
  }
  with_relief([this] { recover(); });
}

void DiskLog::recover() {
  RecoveryQuestion question{lock_file_.read(), RecordNumber{0}, RecordNumber{0}};
  RecoveryPlan plan;
  {
    const MutexLock guard(mutex_);
    directory_.refresh();
    question.known_durable = durable_;
    question.handed_over = last_;
    plan = plan_recovery(directory_, question);
  }
  appender_.detach();
  const LockWords& found = question.page.words;
  words_ = {};
  words_.epoch = std::max(found.epoch, plan.file.info->header.epoch);
  words_.file = plan.file.info->header.file;
  words_.durable = plan.durable;
  words_.visible = question.page.valid() ? found.visible : std::max(plan.last, plan.lost_to);
  words_.writing = value_of(next(plan.durable));
  // Nothing else is written before the page says so: who finds this interrupted adopts.
  lock_file_.write_page(words_);
  {
    const MutexLock guard(mutex_);
    shown_durable_ = durable_;  // there is a page now: what can be read is durable no longer
  }
  if (mutant("log-adopts-in-place")) plan.begin_file = false;
  if (mutant("log-torn-tail-overwritten")) plan.begin_file = !plan.copies.empty();
  if (plan.begin_file) {
    adopt(plan);
  } else {
    go_on_in_place(plan);
  }
}

void DiskLog::go_on_in_place(RecoveryPlan& plan) {
  if (mutant("log-adopts-in-place")) plan.file.file->sync();
  vfs_->sync_dir(kLogDirectory);  // the name of the file may be as young as its frames
  appender_.attach(std::move(plan.file), plan.last);
  appender_.move_to(plan.place);
  raise(plan.last, plan.last);
}

void DiskLog::adopt(const RecoveryPlan& plan) {
  if (plan.torn_from != plan.torn_to) {
    keep_torn_tail(*vfs_, *plan.file.info, *plan.file.file, plan.torn_from, plan.torn_to);
  }
  NewLogFile wanted;
  wanted.header.first = next(plan.durable);
  wanted.header.epoch = words_.epoch;
  if (plan.raise_epoch && !mutant("log-epoch-not-raised")) ++wanted.header.epoch;
  environment_->random(wanted.header.salt.bytes);
  const std::uint64_t seed = wanted.header.seed();
  Appender::Place place{kLogHeaderBytes, plan.durable, seed};
  const Bytes copies = encode_copies(plan, seed, place);
  wanted.header.durable = place.last;
  wanted.frames = copies;
  appender_.begin(begin_file(wanted), place);
  words_.epoch = appender_.info().header.epoch;
  raise(durable_of(plan, place.last), place.last);
  relaxed_ = words_.durable < words_.visible;
}

OpenLogFile DiskLog::begin_file(NewLogFile wanted) {
  require_lock();  // else it could take the name of another's file
  wanted.header.database = database_;
  wanted.bytes_wanted = options_.preallocate_bytes;
  const RecordNumber before{value_of(wanted.header.first) - 1};
  bool handed_over = false;
  {
    const MutexLock guard(mutex_);
    wanted.header.file = directory_.next_number();
    handed_over = last_ >= before;
  }
  if (options_.commit_hash && handed_over) {
    wanted.header.commit_hash = options_.commit_hash(before);
  }
  OpenLogFile file = begin_log_file(*vfs_, wanted);
  const MutexLock guard(mutex_);
  directory_.add(file.info);
  words_.file = file.info->header.file;
  return file;
}

}  // namespace otolith::history
