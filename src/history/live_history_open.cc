#include "base/mutant.h"
#include "history/live_history.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr const char* kIndexFolder = "index";

}  // namespace

void History::create(io::Vfs& vfs, io::Environment& environment, const Id128& database,
                     const LogOptions& options) {
  vfs.make_dir(kIndexFolder);
  Log::create(vfs, environment, database, options);
  vfs.sync_dir("");
}

std::unique_ptr<History> History::open(std::shared_ptr<io::Vfs> vfs,
                                       std::shared_ptr<io::Environment> environment,
                                       const Id128& database, HistoryOptions options) {
  return std::make_unique<LiveHistory>(std::move(vfs), std::move(environment), database,
                                       std::move(options));
}

LiveHistory::LiveHistory(std::shared_ptr<io::Vfs> vfs, std::shared_ptr<io::Environment> environment,
                         const Id128& database, HistoryOptions options)
    : vfs_(std::move(vfs)),
      environment_(std::move(environment)),
      database_(database),
      options_(std::move(options)),
      read_only_(options_.log.read_only),
      sink_([this](const Frame& frame) {
        const MutexLock guard(mutex_);
        timeline_->take(frame);
      }),
      fallback_([this](RecordNumber stands) {
        const MutexLock guard(mutex_);
        timeline_->fall_back(stands);
      }) {
  open_log();
  vouch_for_saved();
  const CommitterHooks hooks{sink_, fallback_, [this] { return sync_relaxed_segments(); }};
  committer_ = std::make_unique<Committer>(*log_, *environment_, hooks);
  end_at_unsound();
}

// The committer's thread ends before what it works on.
LiveHistory::~LiveHistory() { committer_.reset(); }

std::unique_ptr<Log> LiveHistory::new_log(bool read_only,
                                          std::function<Hash256(RecordNumber)> commit_hash) {
  LogOptions options = options_.log;
  options.read_only = read_only;
  options.commit_hash = std::move(commit_hash);
  return Log::open(vfs_, environment_, database_, std::move(options));
}

// Zeros where it cannot be said: records that were not taken in, and a damaged index.
Hash256 LiveHistory::hash_at(RecordNumber record) {
  const MutexLock guard(mutex_);
  if (record > timeline_->visible().record) return {};
  try {
    return timeline_->hash_at(record);
  } catch (const Error& error) {
    if (!timeline_->index_damaged(error)) throw;
    return {};
  }
}

// The newest checkpoint that the log agrees with, else all of the log.
void LiveHistory::open_log() {
  for (const RecordNumber record : checkpoint_list(*vfs_)) {
    auto checkpoint = checkpoint_load(*vfs_, database_, record, !read_only_);
    if (checkpoint && open_from(std::move(checkpoint))) return;
  }
  open_from(std::nullopt);
  const MutexLock guard(mutex_);
  timeline_->adopt_index(!read_only_);
}

void LiveHistory::vouch_for_saved() {
  RecordNumber saved;
  {
    const MutexLock guard(mutex_);
    saved = std::max(saved_record_, timeline_->indexed());
  }
  log_->vouch(saved);
}

bool LiveHistory::open_from(std::optional<Checkpoint> checkpoint) {
  {
    const MutexLock guard(mutex_);
    timeline_ = std::make_unique<Timeline>(vfs_, database_, options_);
  }
  log_ = new_log(read_only_, [this](RecordNumber record) { return hash_at(record); });
  if (checkpoint) {
    const std::uint64_t from = value_of(checkpoint->replay_from());
    const HeadState head = checkpoint->head;
    if (from > 1) log_->seek(RecordNumber{from - 1});
    const MutexLock guard(mutex_);
    if (!timeline_->resume(*std::move(checkpoint))) return false;
    saved_ = head.commit;
    saved_record_ = head.record;
  }
  try {
    log_->refresh(sink_, fallback_);
  } catch (const Error& error) {
    // What came before the damage stays readable; whoever asks for HEAD or commits meets it again.
    if (error.code() != ErrorCode::corrupt) throw;
    log_line(LogLevel::error, error.what());
  }
  const MutexLock guard(mutex_);
  if (timeline_->resumed()) return true;
  log_line(LogLevel::warning, fmt::format("the checkpoint of record {} is of another history",
                                          value_of(saved_record_)));
  if (!read_only_) checkpoint_remove(*vfs_, saved_record_);
  saved_ = CommitNumber{0};
  saved_record_ = RecordNumber{0};
  return false;
}

// Relaxed commits are there before their segments are on the disk: after a crash the first of them
// that is not whole ends history, and only of those behind the last durable record. Records behind
// what the page calls durable were written since this machine started: their segments are there,
// and they may be a living writer's.
void LiveHistory::end_at_unsound() {
  if (!options_.segment_ok || mutant("unsound-relaxed-kept")) return;
  const RecordNumber until = mutant("living-relaxed-judged") ? log_->last() : log_->durable();
  const auto unsound = [&] {
    const MutexLock guard(mutex_);
    return timeline_->unsound_from(options_.segment_ok, until);
  };
  std::optional<RecordNumber> stands = unsound();
  if (!stands) return;
  if (read_only_) {
    const MutexLock guard(mutex_);
    timeline_->end_at(*stands);
    return;
  }
  const auto lock = log_->lock();
  lock->catch_up(sink_, fallback_);
  stands = unsound();
  if (!stands) return;
  log_line(LogLevel::error,
           fmt::format("relaxed commits behind record {} are lost: their segments are not sound",
                       value_of(*stands)));
  {
    const MutexLock guard(mutex_);
    timeline_->fall_back(*stands);
  }
  sync_relaxed_segments();
  const LostRecord lost{next(*stands), log_->last()};
  const RecordNumber number = lock->append({{FrameType::lost, false, lost_write(lost)}}).front();
  const MutexLock guard(mutex_);
  timeline_->take_lost(lost, number);
}

// Whether there were any.
bool LiveHistory::sync_relaxed_segments() {
  std::vector<SegmentRef> segments;
  RecordNumber until{0};
  {
    const MutexLock guard(mutex_);
    segments = timeline_->relaxed_segments(until);
  }
  const bool any = options_.sync_segments && !segments.empty();
  if (any && !mutant("relaxed-segments-unsynced")) options_.sync_segments(segments);
  const MutexLock guard(mutex_);
  timeline_->relaxed_synced(until);
  return any;
}

}  // namespace otolith::history
