#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "history/endings.h"
#include "history/live_history.h"

namespace otolith::history {

// ---- commits ----------------------------------------------------------------------------------

// One commit on its way: prepared outside, decided and staged under the append lock.
class LiveHistory::CommitSubmission final : public Submission {
 public:
  CommitSubmission(LiveHistory& owner, CommitRequest request)
      : owner_(owner), request_(std::move(request)) {
    try {
      change_is_new_ = request_prepare(request_, *owner_.environment_);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);  // nothing was written
    }
  }

  // Most of what others committed is read before the lock is asked for, and not under it. What
  // cannot be read is met again there, and told with its outcome.
  void prepare() override {
    if (!endings_.empty()) return find_rows();
    if (owner_.looked_just_now() || mutant("catches-up-under-the-lock")) return;
    try {
      owner_.look();
    } catch (const Error& error) {
      log_line(LogLevel::warning, error.what());
    }
  }

  Decision decide(const Turn& turn) override {
    const Timestamp now = owner_.environment_->now();
    return owner_.with_timeline([&] {
      owner_.mutex_.assert_held();
      return decide_now(turn, now);
    });
  }

  void appended(RecordNumber number) noexcept override {
    const RecordNumber durable = owner_.log_->durable();
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->publish(number);
    owner_.timeline_->losses().watch(number, number_, durable);
    if (!relaxed_) owner_.plan_save();
    try {
      answer_ = owner_.describe(number_, durable);
    } catch (const std::exception& error) {  // out of memory: it is asked for again
      log_line(LogLevel::warning, error.what());
    }
  }

  void undone() noexcept override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->unstage();
  }

  Verdict::Kind kind() const noexcept { return kind_; }
  CommitNumber number() const noexcept { return number_; }
  /// What was recorded, as it stood in memory then.
  std::optional<Commit> take_answer() noexcept { return std::exchange(answer_, std::nullopt); }

 private:
  EndingState state_at(CommitNumber number) OTO_REQUIRES(owner_.mutex_) {
    Timeline& timeline = *owner_.timeline_;
    return {timeline.snapshot(number), timeline.view_at(number), hash_of(number)};
  }
  Hash256 hash_of(CommitNumber number) OTO_REQUIRES(owner_.mutex_) {
    const Timeline& timeline = *owner_.timeline_;
    if (number > timeline.staged().commit) return {};
    return value_of(number) == 0 ? Hash256{} : timeline.index().hash(number);
  }
  Hash256 base_hash() OTO_REQUIRES(owner_.mutex_) {
    return endings_.base() ? hash_of(*endings_.base()) : Hash256{};
  }

  // A retry is answered by its winner, whatever became of the dataset since.
  bool is_won() OTO_REQUIRES(owner_.mutex_) {
    return !change_is_new_ && owner_.timeline_->index().find_change(*request_.change_id);
  }

  // Looks for the rows to end in the newest state, without a lock: it may take long.
  void find_rows() {
    try {
      owner_.refresh();
      EndingState now;
      Hash256 base;
      const bool won = owner_.with_timeline([&] {
        owner_.mutex_.assert_held();
        now = state_at(owner_.timeline_->visible().commit);
        base = base_hash();
        return is_won();
      });
      if (!won) endings_.bring_up(now, base);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);  // nothing was written
    }
  }

  // Under the lock: what came since is looked at now if it is little, else without the lock.
  bool rows_are_found(const Turn& turn) OTO_REQUIRES(owner_.mutex_) {
    if (endings_.empty() || is_won() || mutant("delete-of-its-base")) return true;
    const EndingState now = state_at(owner_.timeline_->staged().commit);
    const Hash256 base = base_hash();
    if (!turn.last_round && !endings_.little_since(now, base)) return false;
    endings_.bring_up(now, base);
    return true;
  }

  Decision decide_now(const Turn& turn, Timestamp now) OTO_REQUIRES(owner_.mutex_) {
    Timeline& timeline = *owner_.timeline_;
    timeline.check_damage();
    if (!rows_are_found(turn)) return Decision::later();
    Verdict verdict =
        history::decide(request_, change_is_new_, timeline, owner_.options_.unique, now);
    kind_ = verdict.kind;
    number_ = verdict.winner;
    // The winner is in this very batch: whether it wins is known in the next one.
    if (number_ > timeline.visible().commit && !turn.last_round) return Decision::later();
    if (kind_ != Verdict::Kind::record) return Decision::nothing();
    number_ = verdict.record.number;
    // Relaxed is a permission: now and then one is made durable, so that a checkpoint can be taken.
    relaxed_ = request_.relaxed && !owner_.save_due();
    Hash256 hash;
    Bytes payload = commit_write(verdict.record, hash);
    if (payload.size() > kFrameBytesMax) {
      throw_error(
          ErrorCode::limit,
          "the commit takes {} bytes of the log, and {} are the most: end fewer rows at once",
          payload.size(), kFrameBytesMax);
    }
    timeline.stage(verdict.record, hash, turn.number, request_.relaxed);
    return Decision::append({FrameType::commit, relaxed_, std::move(payload)});
  }

  LiveHistory& owner_;
  CommitRequest request_;
  Endings endings_{request_};
  bool change_is_new_ = false;
  bool relaxed_ = false;
  Verdict::Kind kind_ = Verdict::Kind::empty;
  CommitNumber number_{0};
  std::optional<Commit> answer_;
};

Commit LiveHistory::commit(CommitRequest request) {
  const bool relief = std::holds_alternative<Rollback>(request.lineage);
  CommitSubmission submission(*this, std::move(request));
  try {
    committer_->submit(submission, relief ? LockPurpose::relief : LockPurpose::commit);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    const MutexLock guard(mutex_);
    throw with_commit(error);
  }
  if (submission.kind() == Verdict::Kind::record) save_planned();
  if (auto answer = submission.take_answer()) return *std::move(answer);
  try {
    if (submission.kind() != Verdict::Kind::empty) return told(submission.number());
    Commit head = told(this->head()->number());
    head.changes.clear();
    return head;
  } catch (const Error& error) {  // what was asked for may stand
    throw error.with_outcome(Outcome::unknown);
  }
}

// ---- tags -------------------------------------------------------------------------------------

// A tag given or taken: 0 takes it.
class LiveHistory::TagSubmission final : public Submission {
 public:
  TagSubmission(LiveHistory& owner, TagRecord tag) : owner_(owner), tag_(std::move(tag)) {}

  Decision decide(const Turn&) override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->check_damage();
    if (value_of(tag_.commit) != 0) {
      check_new();
    } else {
      check_there();
    }
    const auto [at, fresh] = owner_.staged_tags_.emplace(tag_.name, tag_.commit);
    before_ = fresh ? std::nullopt : std::optional(at->second);
    at->second = tag_.commit;
    return Decision::append({FrameType::tag, false, tag_write(tag_)});
  }

  void appended(RecordNumber number) noexcept override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->apply_tag(tag_, number);
    owner_.staged_tags_.erase(tag_.name);
    owner_.plan_save();
  }

  void undone() noexcept override {
    const MutexLock guard(owner_.mutex_);
    if (before_) {
      owner_.staged_tags_[tag_.name] = *before_;
    } else {
      owner_.staged_tags_.erase(tag_.name);
    }
  }

 private:
  bool exists() const OTO_REQUIRES(owner_.mutex_) {
    const auto staged = owner_.staged_tags_.find(tag_.name);
    if (staged != owner_.staged_tags_.end()) return value_of(staged->second) != 0;
    return owner_.timeline_->tags().contains(tag_.name);
  }

  void check_new() const OTO_REQUIRES(owner_.mutex_) {
    const CommitNumber head = owner_.timeline_->staged().commit;
    if (tag_.commit > head) {
      throw_error(ErrorCode::not_found, "commit {} does not exist; HEAD is {}",
                  value_of(tag_.commit), value_of(head));
    }
    if (exists()) {
      throw_error(ErrorCode::conflict, "the tag {} exists already; take it away first",
                  quoted(tag_.name));
    }
  }

  void check_there() const OTO_REQUIRES(owner_.mutex_) {
    if (!exists()) throw_no_tag(tag_.name, owner_.timeline_->tags());
  }

  LiveHistory& owner_;
  const TagRecord tag_;
  std::optional<CommitNumber> before_;  // what was staged of this name
};

void throw_no_tag(const std::string& name, const Tags& tags) {
  std::vector<std::string> names;
  for (const auto& [tag, commit] : tags) names.push_back(tag);
  throw_error(ErrorCode::not_found, "there is no tag {}{}", quoted(name),
              nearest_hint(name, names));
}

void LiveHistory::tag(const std::string& name, CommitNumber number) {
  tag_name_check(name);
  if (value_of(number) == 0) {
    throw_error(ErrorCode::invalid_argument,
                "0 is the empty database before the first commit and takes no tag");
  }
  TagSubmission submission(*this, {name, number});
  committer_->submit(submission);
  save_planned();
}

void LiveHistory::untag(const std::string& name) {
  TagSubmission submission(*this, {name, CommitNumber{0}});
  committer_->submit(submission, LockPurpose::relief);
  save_planned();
}

// ---- seals ------------------------------------------------------------------------------------

// A seal: it stands only if the tail it covers is still what its segments were made of.
class LiveHistory::SealSubmission final : public Submission {
 public:
  SealSubmission(LiveHistory& owner, const SealRequest& request)
      : owner_(owner), request_(request) {}

  Decision decide(const Turn&) override {
    const MutexLock guard(owner_.mutex_);
    owner_.timeline_->check_damage();
    record_ = {request_.covers, {}};
    for (const SealedDataset& sealed : request_.datasets) {
      const DatasetVersion* dataset = owner_.timeline_->catalog().version()->find(sealed.dataset);
      if (dataset == nullptr) return Decision::nothing();
      const bool still = covers(*dataset, sealed.segment) || mutant("seal-race-ignored");
      if (!still) return Decision::nothing();
      record_.datasets.push_back({sealed.dataset, dataset->sealed, sealed.segment});
    }
    std::ranges::sort(record_.datasets, {}, &SealedRecord::dataset);
    if (record_.datasets.empty()) return Decision::nothing();
    return Decision::append({FrameType::seal, false, seal_write(record_)});
  }

  void appended(RecordNumber number) noexcept override {
    const MutexLock guard(owner_.mutex_);
    applied_ = owner_.timeline_->apply_seal(record_, number);
    ++owner_.seals_;
    owner_.plan_save();
  }

  void undone() noexcept override {}

  bool applied() const noexcept { return applied_; }

 private:
  // The rows of the tail up to the record, neither more nor fewer than the segment holds.
  bool covers(const DatasetVersion& dataset, const SegmentEntry& segment) const {
    std::uint64_t rows = 0;
    CommitNumber first{0};
    CommitNumber last{0};
    for (std::size_t i = 0; i < dataset.tail->size(); ++i) {
      const StoredTail& tail = (*dataset.tail)[i];
      if (tail.record > request_.covers) break;
      if (rows == 0) first = tail.entry.begin;
      last = tail.entry.begin;
      rows += tail.entry.rows;
    }
    return rows != 0 && rows == segment.ref.rows && first == segment.begin_first &&
           last == segment.begin_last && dataset.sealed < request_.covers;
  }

  LiveHistory& owner_;
  const SealRequest& request_;
  SealRecord record_;
  bool applied_ = false;
};

bool LiveHistory::seal(const SealRequest& request) {
  if (request.covers > log_->durable()) {
    throw_error(ErrorCode::invalid_argument, "a seal covers durable records only (seal_point)");
  }
  SealSubmission submission(*this, request);
  committer_->submit(submission);
  save_planned();
  return submission.applied();
}

// ---- sweeps -----------------------------------------------------------------------------------

// A question that only who holds the append lock, caught up, can answer. It makes no record.
class LiveHistory::SweepSubmission final : public Submission {
 public:
  SweepSubmission(LiveHistory& owner, const std::vector<Id128>& segments)
      : owner_(owner), unneeded_(segments) {}

  Decision decide(const Turn&) override {
    std::vector<Id128> needed;
    {
      const MutexLock guard(owner_.mutex_);
      owner_.timeline_->check_damage();
      needed = owner_.segment_ids();
    }
    std::ranges::sort(needed);
    if (!mutant("sweep-asks-nobody")) {
      std::erase_if(unneeded_,
                    [&](const Id128& id) { return std::ranges::binary_search(needed, id); });
    }
    return Decision::nothing();
  }
  void appended(RecordNumber) noexcept override {}
  void undone() noexcept override {}

  std::vector<Id128> take() noexcept { return std::move(unneeded_); }

 private:
  LiveHistory& owner_;
  std::vector<Id128> unneeded_;
};

std::vector<Id128> LiveHistory::unneeded(const std::vector<Id128>& segments) {
  SweepSubmission submission(*this, segments);
  committer_->submit(submission);
  return submission.take();
}

}  // namespace otolith::history
