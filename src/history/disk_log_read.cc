#include "base/error.h"
#include "base/mutant.h"
#include "history/disk_log.h"
#include "history/torn_tail.h"

namespace otolith::history {

namespace {

constexpr RecordNumber kNoBound{~0ull};
constexpr int kRoundsMax = 10'000;  // each is a change of files or epoch under the reader

}  // namespace

void DiskLog::refresh(const FrameSink& sink, const Fallback& fallback) {
  const MutexLock guard(mutex_);
  deliver(sink, fallback);
}

bool DiskLog::behind() {
  const MutexLock guard(mutex_);
  const LockPage page = page_reader_.read();
  // Relaxed records become durable without a record behind them where they name no segments.
  const bool durable = page.words.durable > durable_ && !mutant("log-durable-unnoticed");
  return !page.valid() || page.words.visible > last_ || page.words.epoch != epoch_ || durable;
}

void DiskLog::deliver(const FrameSink& sink, const Fallback& fallback) {
  page_reader_.reattach();
  for (int round = 0; round < kRoundsMax; ++round) {
    if (reader_) reader_->forget();
    const LockPage page = page_reader_.read();
    follow(page, fallback);
    if (!read_on(page, sink)) continue;
    if (page.valid()) durable_ = std::max(durable_, page.words.durable);
    shown_durable_ =
        page.valid() ? durable_ : last_;  // without a page all that can be read is durable
    return;
  }
}

// Takes note of new files, and falls back where relaxed records were lost.
void DiskLog::follow(const LockPage& page, const Fallback& fallback) {
  const auto newest = directory_.last();
  if (!page.valid() || !newest || page.words.file != newest->header.file) directory_.refresh();
  const std::uint64_t epoch = page.valid() ? page.words.epoch : directory_.epoch();
  if (epoch <= epoch_) return;
  RecordNumber stands = last_;
  for (const auto& info : directory_.files()) {
    if (info->header.epoch <= epoch_) continue;
    stands = std::min(stands, RecordNumber{value_of(info->header.first) - 1});
  }
  // What this handle knows to be on the disk stands, also where nobody could tell the new file so.
  if (!mutant("log-fallback-behind-durable")) {
    stands = std::max(stands, std::min(last_, durable_));
  }
  reader_.reset();
  if (mutant("log-fallback-forgotten")) epoch_ = epoch;
  // First: if it fails, what it was told of is still to be told.
  if (stands != last_ && fallback) fallback(stands);
  epoch_ = epoch;
  last_ = stands;
  durable_ = std::min(durable_, stands);
}

// Hands over records up to `visible`. False if the page has changed so that it must be followed
// first.
bool DiskLog::read_on(const LockPage& page, const FrameSink& sink) {
  // Without a page every sound frame counts, up to the moment at which somebody makes a page.
  const bool bounded = page.valid();
  const RecordNumber shown = bounded ? page.words.visible : kNoBound;
  const RecordNumber target = std::min(shown, in_flight_behind_.value_or(shown));
  while (last_ < target) {
    place_reader();
    if (reader_->last() != last_) return stopped(page, reader_->next());
    const std::uint64_t fills = reader_->fills();
    const FrameVerdict verdict = reader_->next();
    if (!bounded && reader_->fills() != fills && page_reader_.read().valid()) {
      reader_.reset();
      return false;
    }
    if (verdict.soundness == Soundness::unsupported) {
      throw_unsupported(*reader_->info(), reader_->offset(), verdict);
    }
    if (verdict.soundness != Soundness::sound) return stopped(page, verdict);
    hand_over(verdict, sink);
  }
  return true;
}

// Opens the file that holds the next record, and passes what was handed over already.
void DiskLog::place_reader() {
  const auto info = directory_.holding(next(last_));
  if (!info) {
    directory_.throw_damage_behind(0);
    throw_corrupt(log_file_path(1), 0, "the log file that begins with record 1 is missing");
  }
  if (!reader_ || reader_->info() != info) {
    check_commit(*info);
    reader_ = std::make_unique<FrameReader>(directory_.open(*info, io::OpenMode::read), info);
  }
  (void)reader_->skip_to(last_);
}

// A file of another line of history may fit by its numbers: it names the commit that it goes on
// from.
void DiskLog::check_commit(const LogFileInfo& info) const {
  if (!options_.commit_hash || mutant("log-header-hash-unread")) return;
  const Hash256& named = info.header.commit_hash;
  if (named.is_zero()) return;
  const Hash256 known = options_.commit_hash(RecordNumber{value_of(info.header.first) - 1});
  if (known.is_zero() || known == named) return;
  throw_corrupt(info.path, kHeaderCommitHashAt,
                fmt::format("the log file goes on from commit #{}, the files before it end with "
                            "#{}; put back the file of this history, or restore a backup",
                            hex(named.view()).substr(0, 12), hex(known.view()).substr(0, 12)));
}

// The next record cannot be read here. True if this is the end for now; false to look again.
bool DiskLog::stopped(const LockPage& page, const FrameVerdict& verdict) {
  if (!page.valid()) return ends_here(verdict);
  const LockPage now = page_reader_.read();
  if (!now.valid() || now.words.file != page.words.file || now.words.epoch != page.words.epoch) {
    return false;
  }
  const RecordNumber expected = next(reader_->last());
  directory_.throw_damage_behind(reader_->info()->header.file);
  if (expected <= std::max(now.words.durable, durable_)) {
    if (verdict.soundness == Soundness::zero) {
      directory_.throw_gap(*reader_->info(), expected);
    }
    throw_unreadable(*reader_->info(), reader_->offset(), expected,
                     verdict.soundness == Soundness::zero ? "it is blank" : verdict.why);
  }
  return true;  // relaxed, and not readable: the next holder of the lock judges it
}

bool DiskLog::ends_here(const FrameVerdict& verdict) {
  const LogFileInfo& info = *reader_->info();
  const std::uint64_t offset = reader_->offset();
  const RecordNumber expected = next(reader_->last());
  if (judged_file_ == info.header.file && judged_at_ == offset) return true;
  directory_.throw_damage_behind(info.header.file);
  const TailVerdict tail = judge_tail(reader_->file(), info, offset, expected);
  if (page_reader_.read().valid()) return false;
  const char* const why = verdict.soundness == Soundness::zero ? "it is blank" : verdict.why;
  const RecordNumber known = std::max({durable_, info.header.durable, tail.proven});
  if (verdict.soundness == Soundness::zero) directory_.throw_gap(info, expected);
  if (directory_.bound(info) || expected <= known) throw_unreadable(info, offset, expected, why);
  check_not_cut(info, reader_->file());
  judged_file_ = info.header.file;
  judged_at_ = offset;
  return true;
}

void DiskLog::hand_over(const FrameVerdict& verdict, const FrameSink& sink) {
  const FrameFields& fields = verdict.fields;
  // A later version says of unknown types without the required bit that they may be passed over.
  if (sink && frame_type_known(fields.type)) {
    try {
      sink({fields.number, static_cast<FrameType>(fields.type), fields.relaxed, verdict.payload});
    } catch (...) {
      reader_.reset();  // it is handed over again
      throw;
    }
  }
  last_ = fields.number;
}

}  // namespace otolith::history
