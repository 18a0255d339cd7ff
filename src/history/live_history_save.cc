#include "history/live_history.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr const char* kFolder = "index";
constexpr int kTriesMax = 100;  // of a checkpoint while others commit

[[noreturn]] void throw_lost_commits(const std::vector<CommitNumber>& lost) {
  ErrorWhere where;
  for (const CommitNumber number : lost) where.commits.push_back(value_of(number));
  const std::string text = fmt::format(
      "relaxed commits of this handle were lost before they were on the disk: {}; what they wrote "
      "could not be read back. Commit it again",
      fmt::join(where.commits, ", "));
  throw Error(ErrorCode::io, text, std::move(where));
}

}  // namespace

bool LiveHistory::save_due() const {
  const HeadState& head = timeline_->staged();
  if (head.commit < save_from_) return false;
  return sealed_ || value_of(head.commit) - value_of(saved_) >= options_.checkpoint_commits;
}

// Under the append lock, behind a durable append: all that is visible is durable. Only pointers are
// taken here; it is encoded and written without any lock.
void LiveHistory::plan_save() noexcept {
  if (timeline_->has_staged() || planned_ || !save_due()) return;
  try {
    planned_ = timeline_->checkpoint();
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
}

// Derived data: that it could not be written is no failure of the commit that was to bring it.
void LiveHistory::save_planned() noexcept {
  std::optional<Checkpoint> planned;
  if (!save_mutex_.try_lock()) return;
  const MutexLock saving(save_mutex_, std::adopt_lock);
  {
    const MutexLock guard(mutex_);
    planned = std::exchange(planned_, std::nullopt);
  }
  if (!planned) return;
  try {
    save(*planned);
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, std::string("no checkpoint was written: ") + error.what());
    const MutexLock guard(mutex_);
    save_from_ = CommitNumber{value_of(planned->head.commit) + options_.checkpoint_commits / 8 + 1};
  }
}

// The index first: a checkpoint counts only where the index reaches it.
void LiveHistory::save(const Checkpoint& checkpoint) {
  vfs_->make_dir(kFolder);
  while (true) {
    std::optional<RunPlan> plan;
    {
      const MutexLock guard(mutex_);
      plan = timeline_->index().plan(checkpoint.head.commit);
    }
    if (!plan) break;
    auto run = plan->write(*vfs_, database_);
    const MutexLock guard(mutex_);
    timeline_->index().install(std::move(run));
  }
  checkpoint_store(*vfs_, checkpoint.head.record, checkpoint_write(database_, checkpoint));
  const MutexLock guard(mutex_);
  saved_ = checkpoint.head.commit;
  saved_record_ = checkpoint.head.record;
  sealed_ = false;
}

void LiveHistory::checkpoint() {
  const MutexLock saving(save_mutex_);
  for (int i = 0; i < kTriesMax; ++i) {
    committer_->sync();
    const RecordNumber durable = log_->durable();
    std::optional<Checkpoint> planned;
    {
      const MutexLock guard(mutex_);
      timeline_->check_damage();
      if (timeline_->visible().record == saved_record_) return;
      if (timeline_->has_staged() || timeline_->visible().record > durable) continue;
      planned = timeline_->checkpoint();
    }
    save(*planned);
    return;
  }
}

void LiveHistory::sync() {
  telling_losses([this] { committer_->sync(); });
}

void LiveHistory::close() {
  if (read_only_) return;
  telling_losses([this] {
    committer_->close();
    if (!damaged()) checkpoint();
    log_->close([this](LogLock& held) {
      held.catch_up(sink_, fallback_);
      sync_relaxed_segments();
    });
    remove_unfinished(*vfs_, kFolder);
  });
}

// Work that makes commits of this handle durable, or finds out that they are lost. Who made them
// was told that they stand, and is now told that they do not: once, in place of any other error.
void LiveHistory::telling_losses(const std::function<void()>& work) {
  std::exception_ptr failure;
  try {
    work();
  } catch (const Error&) {
    failure = std::current_exception();
  }
  look();  // a loss that the work met at its end has not been taken in yet
  std::vector<CommitNumber> lost;
  {
    const MutexLock guard(mutex_);
    lost = timeline_->losses().take_own();
  }
  if (!lost.empty()) throw_lost_commits(lost);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace otolith::history
