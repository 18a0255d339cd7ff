#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "history/decide.h"
#include "history/live_history.h"
#include "history/row_questions.h"

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
    if (!questions_.empty()) return ask_rows();
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
  Hash256 base_hash() OTO_REQUIRES(owner_.mutex_) {
    return questions_.base() ? owner_.hash_of(*questions_.base()) : Hash256{};
  }

  // A retry is answered by its winner, whatever became of the dataset since.
  bool is_won() OTO_REQUIRES(owner_.mutex_) {
    return !change_is_new_ && owner_.timeline_->index().find_change(*request_.change_id);
  }

  // Asks in the newest state, without a lock: it may take long.
  void ask_rows() {
    try {
      owner_.refresh();
      RowState now;
      Hash256 base;
      const bool won = owner_.with_timeline([&] {
        owner_.mutex_.assert_held();
        now = owner_.row_state(owner_.timeline_->visible().commit);
        base = base_hash();
        return is_won();
      });
      if (!won) questions_.bring_up(now, base);
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);  // nothing was written
    }
  }

  // Under the lock: what came since is looked at now if it is little, else without the lock.
  bool rows_are_asked(const Turn& turn) OTO_REQUIRES(owner_.mutex_) {
    if (questions_.empty() || is_won() || mutant("delete-of-its-base")) return true;
    const RowState now = owner_.row_state_held(owner_.timeline_->staged().commit);
    const Hash256 base = base_hash();
    if (!turn.last_round && !questions_.little_since(now, base)) return false;
    questions_.bring_up(now, base);
    return true;
  }

  Decision decide_now(const Turn& turn, Timestamp now) OTO_REQUIRES(owner_.mutex_) {
    Timeline& timeline = *owner_.timeline_;
    timeline.check_damage();
    if (!rows_are_asked(turn)) return Decision::later();
    Verdict verdict =
        history::decide(request_, change_is_new_, timeline, owner_.options_.meetings, now);
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
  RowQuestions questions_{request_};
  bool change_is_new_ = false;
  bool relaxed_ = false;
  Verdict::Kind kind_ = Verdict::Kind::empty;
  CommitNumber number_{0};
  std::optional<Commit> answer_;
};

Commit LiveHistory::commit(CommitRequest request) {
  const bool relief = std::holds_alternative<Rollback>(request.lineage);
  CommitSubmission submission = [&] {
    try {
      return CommitSubmission(*this, std::move(request));
    } catch (const Error& error) {
      throw error.with_outcome(Outcome::failed);
    }
  }();
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

}  // namespace otolith::history
