// The History of one handle: log, committer and timeline behind one mutex.
//
// Role:    the one implementation of history.h; its parts are the other files of this name.
//
//   live_history.cc         head, at, resolve, log, tags, status
//   live_history_open.cc    open and recover: checkpoint, replay, trailing relaxed commits
//   live_history_commit.cc  commit and tag on their way through the committer
//   live_history_apart.cc   how states differ, also one that a request would make
//   live_history_upkeep.cc  seal, join and sweep there
//   live_history_save.cc    checkpoints and index runs; close
//   live_history_verify.cc  the chain of commits, the mountain range, the index against the log
//
// Shapes:  as history.h.
// Errors:  as history.h.
// Threads: thread-safe. The log is never called while mutex_ is held, because its sinks take it.
// Why:     a reader takes the mutex for two pointers; no fsync happens under it.
#pragma once

#include <memory>
#include <optional>

#include "base/log.h"
#include "base/mutex.h"
#include "history/committer.h"
#include "history/history.h"
#include "history/reference.h"
#include "history/row_questions.h"
#include "history/timeline.h"

namespace otolith::history {

class LiveHistory final : public History {
 public:
  LiveHistory(std::shared_ptr<io::Vfs> vfs, std::shared_ptr<io::Environment> environment,
              const Id128& database, HistoryOptions options);
  ~LiveHistory() override;

  Commit commit(CommitRequest request) override;
  std::shared_ptr<const Snapshot> head() override;
  std::shared_ptr<const Snapshot> readable() override;
  std::shared_ptr<const Snapshot> at(CommitNumber number) override;
  std::shared_ptr<const Snapshot> renew(const Snapshot& snapshot) override;
  CommitNumber resolve(std::string_view reference) override;
  CommitNumber resolve_time(Timestamp time) override;
  Commit commit_info(CommitNumber number) override;
  Timestamp commit_time(CommitNumber number) override;
  StatesApart apart(CommitNumber from, CommitNumber to, std::optional<DatasetId> dataset) override;
  StatesApart preview(CommitRequest request) override;
  CommitNumber durable_head() override;
  std::vector<Commit> log(const LogFilter& filter) override;
  void tag(const std::string& name, CommitNumber number) override;
  void untag(const std::string& name) override;
  std::map<std::string, CommitNumber> tags() override;
  bool seal_due(std::uint64_t times) override;
  RecordNumber seal_point() override;
  std::vector<std::pair<DatasetId, std::vector<TailEntry>>> tail_until(RecordNumber point) override;
  std::shared_ptr<const Schema> schema_of(DatasetId dataset) override;
  bool seal(const SealRequest& request) override;
  void seal_left() override;
  bool compact(const CompactRequest& request) override;
  void checkpoint() override;
  void sync() override;
  std::vector<NeededSegment> all_segments() override;
  std::vector<Id128> unneeded(const std::vector<Id128>& segments, bool at_once) override;
  StripReport strip_log(std::size_t followers) override;
  LogStatus status() override;
  void verify(const std::function<void(const Error&)>& problem,
              const std::function<void(const RowsProof&)>& rows) override;
  void close() override;

 private:
  class CommitSubmission;
  class TagSubmission;
  class SealSubmission;
  class CompactSubmission;
  class SweepSubmission;
  class StripSubmission;

  /// A checkpoint that waits to be written, as of a durable record, and the seals that it knows of.
  struct Planned {
    Checkpoint checkpoint;
    std::uint64_t seals = 0;
  };

  // live_history.cc
  std::optional<Error> look() OTO_EXCLUDES(mutex_);
  bool tail_stripped() const OTO_EXCLUDES(mutex_);
  bool looked_just_now() const;
  Error with_commit(const Error& error) const OTO_REQUIRES(mutex_);
  void refresh() OTO_EXCLUDES(mutex_);
  void check_there(CommitNumber number, const std::optional<Error>& damage) const
      OTO_REQUIRES(mutex_);
  Commit told(CommitNumber number) OTO_EXCLUDES(mutex_);
  bool damaged() const OTO_EXCLUDES(mutex_);
  Commit describe(CommitNumber number, RecordNumber durable) OTO_REQUIRES(mutex_);
  std::map<std::string, ChangeCount> changes_of(const CommitMeta& meta, CommitNumber number)
      OTO_REQUIRES(mutex_);
  std::map<std::string, ChangeCount> changes_of_lineage(const CommitMeta& meta, CommitNumber number)
      OTO_REQUIRES(mutex_);
  std::vector<Id128> segment_ids() const OTO_REQUIRES(mutex_);
  std::vector<Id128> replaced_lately() const OTO_REQUIRES(mutex_);
  DatasetId dataset_named(const std::string& name) OTO_REQUIRES(mutex_);
  CommitNumber find(const Reference& reference, const std::optional<Error>& damage)
      OTO_REQUIRES(mutex_);
  /// Runs a look-up with the mutex held; a damaged index is made again from the log, and it runs
  /// anew.
  template <typename LookUp>
  auto with_timeline(LookUp look_up) -> decltype(look_up());

  // live_history_apart.cc
  Begun begun_by(const CommitRuns& commits) OTO_EXCLUDES(mutex_);
  Begun begun_by_held(const CommitRuns& commits) OTO_REQUIRES(mutex_);
  RowState row_state(CommitNumber number) OTO_REQUIRES(mutex_);
  RowState row_state_held(CommitNumber number) OTO_REQUIRES(mutex_);
  Hash256 hash_of(CommitNumber number) const OTO_REQUIRES(mutex_);
  void would_change(const CatalogView& head, const CommitRecord& record, StatesApart& out)
      OTO_REQUIRES(mutex_);

  // live_history_open.cc
  void open_log();
  void vouch_for_saved() OTO_EXCLUDES(mutex_);
  bool open_from(std::optional<Checkpoint> checkpoint);
  std::unique_ptr<Log> new_log(bool read_only, std::function<Hash256(RecordNumber)> commit_hash);
  Hash256 hash_at(RecordNumber record) OTO_EXCLUDES(mutex_);
  void end_at_unsound();
  bool sync_relaxed_segments() OTO_EXCLUDES(mutex_);

  // live_history_save.cc
  void telling_losses(const std::function<void()>& work) OTO_EXCLUDES(mutex_);
  bool save_due() const OTO_REQUIRES(mutex_);
  void plan_save() noexcept OTO_REQUIRES(mutex_);
  std::optional<Planned> take_planned() OTO_EXCLUDES(mutex_);
  void save_planned() noexcept OTO_EXCLUDES(save_mutex_, mutex_);
  void checkpoint_at_close() OTO_EXCLUDES(save_mutex_, mutex_);
  void save(const Planned& planned) OTO_REQUIRES(save_mutex_);

  const std::shared_ptr<io::Vfs> vfs_;
  const std::shared_ptr<io::Environment> environment_;
  const Id128 database_;
  const HistoryOptions options_;
  const bool read_only_;

  std::unique_ptr<Log> log_;
  std::unique_ptr<Committer> committer_;
  const FrameSink sink_;
  const Log::Fallback fallback_;

  std::atomic<std::uint64_t> looked_ns_{0};  // 0: never

  Mutex save_mutex_;  // one writer of checkpoints at a time; taken before mutex_

  mutable Mutex mutex_;
  // Never null.
  std::unique_ptr<Timeline> timeline_ OTO_GUARDED_BY(mutex_) OTO_PT_GUARDED_BY(mutex_);
  std::map<std::string, CommitNumber> staged_tags_ OTO_GUARDED_BY(mutex_);
  CommitNumber saved_ OTO_GUARDED_BY(mutex_){0};  // commits up to here are in a checkpoint
  RecordNumber saved_record_ OTO_GUARDED_BY(mutex_){0};
  // No try before this commit: the last one failed.
  CommitNumber save_from_ OTO_GUARDED_BY(mutex_){0};
  std::uint64_t seals_ OTO_GUARDED_BY(mutex_) = 0;        // by this handle
  std::uint64_t seals_saved_ OTO_GUARDED_BY(mutex_) = 0;  // of these, in a checkpoint
  std::uint64_t left_bytes_ OTO_GUARDED_BY(mutex_) = 0;   // of the tail, that no seal could take
  std::uint64_t left_entries_ OTO_GUARDED_BY(mutex_) = 0;
  std::optional<Planned> planned_ OTO_GUARDED_BY(mutex_);
};

template <typename LookUp>
auto LiveHistory::with_timeline(LookUp look_up) -> decltype(look_up()) {
  const MutexLock guard(mutex_);
  try {
    return look_up();
  } catch (const Error& error) {
    if (!timeline_->index_damaged(error)) throw;
    log_line(LogLevel::warning, error.what());
  }
  timeline_->rebuild_index(*new_log(true, {}));
  return look_up();
}

/// Throws not_found with the nearest tag.
[[noreturn]] void throw_no_tag(const std::string& name, const Tags& tags);

}  // namespace otolith::history
