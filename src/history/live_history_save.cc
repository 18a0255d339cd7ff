#include "history/live_history.h"
#include "history/lock_file.h"
#include "history/replace_file.h"

namespace otolith::history {

namespace {

constexpr const char* kFolder = "index";
constexpr Id128 kDerivedOwner{};  // whose lock says that a process writes there
constexpr int kTriesMax = 100;    // of a checkpoint while others commit

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
  return seals_ != seals_saved_ ||
         value_of(head.commit) - value_of(saved_) >= options_.checkpoint_commits;
}

// Under the append lock, behind a durable append: all that is visible is durable. Only pointers are
// taken here; it is encoded and written without any lock.
void LiveHistory::plan_save() noexcept {
  if (timeline_->has_staged() || planned_ || !save_due()) return;
  try {
    planned_ = Planned{timeline_->checkpoint(), seals_};
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
}

// Nullopt where there is nothing newer than what was saved.
std::optional<LiveHistory::Planned> LiveHistory::take_planned() {
  const MutexLock guard(mutex_);
  auto planned = std::exchange(planned_, std::nullopt);
  if (planned && planned->checkpoint.head.record <= saved_record_) planned.reset();
  return planned;
}

// Derived data: that it could not be written is no failure of the commit that was to bring it.
void LiveHistory::save_planned() noexcept {
  if (!save_mutex_.try_lock()) return;
  const MutexLock saving(save_mutex_, std::adopt_lock);
  const auto planned = take_planned();
  if (!planned) return;
  try {
    save(*planned);
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, std::string("no checkpoint was written: ") + error.what());
    const MutexLock guard(mutex_);
    const CommitNumber tried = planned->checkpoint.head.commit;
    save_from_ = CommitNumber{value_of(tried) + options_.checkpoint_commits / 8 + 1};
  }
}

// The index first: a checkpoint counts only where the index reaches it. One process
// at a time: each joins and removes what others would be reading, and one checkpoint does for all.
void LiveHistory::save(const Planned& planned) {
  const auto& [checkpoint, seals] = planned;
  const auto turn = OwnerLock::take(*vfs_, kDerivedOwner);
  if (!turn) return;
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
  seals_saved_ = seals;
}

void LiveHistory::checkpoint() {
  const MutexLock saving(save_mutex_);
  for (int i = 0; i < kTriesMax; ++i) {
    committer_->sync();
    const RecordNumber durable = log_->durable();
    std::optional<Planned> planned;
    {
      const MutexLock guard(mutex_);
      timeline_->check_damage();
      if (timeline_->visible().record == saved_record_) return;
      if (timeline_->has_staged() || timeline_->visible().record > durable) continue;
      planned = Planned{timeline_->checkpoint(), seals_};
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
    checkpoint_at_close();
    log_->close([this](LogLock& held) {
      held.catch_up(sink_, fallback_);
      sync_relaxed_segments();
    });
    if (const auto turn = OwnerLock::take(*vfs_, kDerivedOwner)) remove_unfinished(*vfs_, kFolder);
  });
}

// What is derived can be made again, and damage of a log is no concern of who only read it.
void LiveHistory::checkpoint_at_close() {
  try {
    if (!damaged()) checkpoint();
  } catch (const Error& error) {
    const bool wrote = committer_->counts().commits != 0;
    if (wrote && error.code() == ErrorCode::corrupt) throw;
    log_line(LogLevel::warning, std::string("no checkpoint was written: ") + error.what());
  }
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
