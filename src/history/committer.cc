#include "history/committer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/mutant.h"

namespace otolith::history {

namespace {

constexpr std::uint64_t kGatherShare = 5;          // of the last append's time, at most
constexpr std::uint64_t kGatherNsMax = 5'000'000;  // whatever made that one slow
constexpr int kRoundsMax = 3;                      // then a decision may no longer ask for `later`
constexpr auto kKeepEarly =
    std::chrono::milliseconds(100);  // so that the fsync ends within the second

// Errors before anything was written leave no doubt; those that know better say so themselves.
// Each submitter gets an error of its own: threads do not share what one of them may change.
std::exception_ptr as_failed(const std::exception_ptr& error) noexcept {
  try {
    try {
      std::rethrow_exception(error);
    } catch (const Error& known) {
      const Outcome outcome = known.outcome() == Outcome::none ? Outcome::failed : known.outcome();
      return std::make_exception_ptr(known.with_outcome(outcome));
    }
  } catch (...) {
    return std::current_exception();
  }
}

bool is_locked(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return known.code() == ErrorCode::locked;
  } catch (...) {
    return false;
  }
}

}  // namespace

// One submission in the queue; lives on its submitter's stack.
struct Committer::Slot {
  enum class Turn : std::uint32_t { waits, leads, served };

  Slot(Submission& of, LockPurpose why, std::uint64_t now_ns)
      : submission(of), purpose(why), since_ns(now_ns) {}

  // Each waits for its own word: whoever wakes only those who have something to do, and holds no
  // mutex meanwhile, costs the others no switch of threads.
  Turn wait() const noexcept {
    turn.wait(Turn::waits, std::memory_order_acquire);
    return turn.load(std::memory_order_acquire);
  }
  // Whoever waits may return at once and take the slot with it: nothing of it is touched behind
  // this.
  void wake(Turn as) noexcept {
    std::atomic<Turn>& word = turn;
    word.store(as, std::memory_order_release);
    word.notify_one();
  }

  Submission& submission;
  const LockPurpose purpose;
  const std::uint64_t since_ns;  // that it waits
  int round = 1;
  bool relaxed = false;
  bool later = false;
  RecordNumber number{0};
  std::exception_ptr error;
  std::atomic<Turn> turn{Turn::waits};
};

Committer::Committer(Log& log, io::Environment& environment, CommitterHooks hooks)
    : log_(log), environment_(environment), hooks_(std::move(hooks)) {}

Committer::~Committer() {
  try {
    close();
  } catch (const std::exception& error) {
    log_line(LogLevel::error, error.what());
  }
}

RecordNumber Committer::submit(Submission& submission, LockPurpose purpose) {
  Slot slot(submission, purpose, environment_.monotonic_ns());
  for (;; ++slot.round) {
    submission.prepare();
    slot.later = false;
    run_round(slot);
    if (slot.error) std::rethrow_exception(slot.error);
    if (!slot.later) break;
  }
  if (slot.relaxed) remember_relaxed();
  return slot.number;
}

// Waits to be served by another's batch, or leads one.
void Committer::run_round(Slot& slot) {
  slot.turn = Slot::Turn::waits;
  bool leads = false;
  {
    const MutexLock guard(mutex_);
    queue_.push_back(&slot);
    ++queued_;
    leads = !std::exchange(leading_, true);
  }
  if (leads || slot.wait() == Slot::Turn::leads) lead();
}

// By the submitter of the first in the queue, which is served thereby. Who leads must come to the
// end, or nobody else is served: the queue is taken apart and put together without allocating.
void Committer::lead() noexcept {
  Batch batch = gather();
  const std::size_t served = run_batch(batch, batch.front()->purpose);
  Batch unserved;
  const auto first = std::next(batch.begin(), static_cast<std::ptrdiff_t>(served));
  unserved.splice(unserved.end(), batch, first, batch.end());
  Slot* successor = nullptr;
  {
    const MutexLock guard(mutex_);
    queued_ += unserved.size();
    queue_.splice(queue_.begin(), unserved);
    last_batch_ = served;
    leading_ = !queue_.empty();
    if (leading_) successor = queue_.front();
  }
  if (successor != nullptr) successor->wake(Slot::Turn::leads);
  batch.pop_front();  // who leads is awake
  for (Slot* slot : batch) slot->wake(Slot::Turn::served);
  log_.tend();
}

Committer::Batch Committer::gather() noexcept {
  MutexLock guard(mutex_);
  if (const std::size_t expected = company_expected(); queue_.size() < expected) {
    const std::uint64_t patience_ns = std::min(last_append_ns_ / kGatherShare, kGatherNsMax);
    guard.unlock();
    await_company(expected, patience_ns);
    guard.lock();
  }
  const LockPurpose purpose = queue_.front()->purpose;
  const auto other = [&](const Slot* slot) { return slot->purpose != purpose; };
  const auto most = std::min(queue_.size(), kBatchCommitsMax);
  const auto end = std::find_if(
      queue_.begin(), std::next(queue_.begin(), static_cast<std::ptrdiff_t>(most)), other);
  Batch batch;
  batch.splice(batch.end(), queue_, queue_.begin(), end);
  queued_ -= batch.size();
  return batch;
}

// A lone committer never waits. Where there were several, they are about to come again.
std::size_t Committer::company_expected() const { return std::max(last_batch_, queue_.size()); }

// Looks again and again: a sleep this short would last three times as long as asked for.
void Committer::await_company(std::size_t expected, std::uint64_t patience_ns) {
  const std::uint64_t begin = environment_.monotonic_ns();
  while (queued_.load(std::memory_order_relaxed) < expected &&
         environment_.monotonic_ns() - begin < patience_ns) {
    std::this_thread::yield();
  }
}

// Serves a batch from its front; returns how many of it were served: one at the least.
std::size_t Committer::run_batch(const Batch& batch, LockPurpose purpose) noexcept {
  Staged staged;
  std::size_t taken = 0;
  try {
    staged.reserve(batch.size());
    std::vector<Record> records;
    records.reserve(batch.size());
    const std::uint64_t waited_ns = environment_.monotonic_ns() - batch.front()->since_ns;
    const auto lock = log_.lock(purpose, waited_ns);
    lock->catch_up(hooks_.sink, hooks_.fallback);
    taken = decide_all(batch, staged, records);
    if (!records.empty()) append_all(*lock, staged, std::move(records));
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    for (Slot* slot : staged) slot->error = as_failed(error);
    if (taken == 0) {
      // Of those who waited for the lock only the first has done so for long enough.
      taken = is_locked(error) ? 1 : batch.size();
      auto slot = batch.begin();
      for (std::size_t i = 0; i < taken; ++i) (*slot++)->error = as_failed(error);
    }
  }
  return taken;
}

// In order, each against the staged effects of those before it. Returns how many were asked.
std::size_t Committer::decide_all(const Batch& batch, Staged& staged,
                                  std::vector<Record>& records) {
  std::uint64_t bytes = 0;
  RecordNumber number = next(log_.last());
  std::size_t asked = 0;
  for (Slot* slot : batch) {
    if (bytes >= kBatchBytesMax) break;
    ++asked;
    try {
      Decision decision = slot->submission.decide({number, slot->round >= kRoundsMax});
      slot->later = decision.kind == Decision::Kind::later;
      if (decision.kind != Decision::Kind::append) continue;
      bytes += decision.record.payload.size();
      slot->relaxed = decision.record.relaxed;
      slot->number = number;
      number = next(number);
      records.push_back(std::move(decision.record));
      staged.push_back(slot);
    } catch (...) {
      slot->error = as_failed(std::current_exception());
    }
  }
  return asked;
}

void Committer::append_all(LogLock& lock, const Staged& staged, std::vector<Record> records) {
  const bool durable =
      std::ranges::any_of(records, [](const Record& each) { return !each.relaxed; });
  std::uint64_t spent_ns = 0;
  try {
    // Also for relaxed records of this very batch: one fsync makes them durable together.
    if (durable && hooks_.before_durable) hooks_.before_durable();
    const std::uint64_t begin = environment_.monotonic_ns();
    const std::vector<RecordNumber> numbers = lock.append(std::move(records));
    spent_ns = environment_.monotonic_ns() - begin;
    OTO_INVARIANT(numbers.size() == staged.size() && numbers.front() == staged.front()->number);
  } catch (...) {
    if (mutant("committer-undo-forgotten")) throw;
    for (std::size_t i = staged.size(); i-- > 0;) staged[i]->submission.undone();
    throw;
  }
  for (Slot* slot : staged) slot->submission.appended(slot->number);
  const MutexLock guard(mutex_);
  last_append_ns_ = spent_ns;
  ++counts_.batches;
  counts_.commits += staged.size();
}

void Committer::sync() {
  const auto lock = log_.lock(LockPurpose::commit);
  lock->catch_up(hooks_.sink, hooks_.fallback);
  // Always: what others appended, and a handle adopted, may name segments that nobody has synced.
  const bool segments = hooks_.before_durable && hooks_.before_durable();
  segments ? mark(*lock) : lock->sync();
}

// A durable record behind relaxed ones tells every handle, also after a restart, that their
// segments are on the disk. Without space for it they are just made durable.
void Committer::mark(LogLock& lock) {
  try {
    lock.append({{FrameType::sync_mark, false, {}}});
    lock.catch_up(hooks_.sink, hooks_.fallback);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::no_space || error.outcome() != Outcome::failed) throw;
    lock.sync();
  }
}

void Committer::close() {
  bool pending = false;
  {
    const MutexLock guard(keeper_mutex_);
    closing_ = true;
    pending = relaxed_waits_;
    keeper_wakes_.notify_all();
  }
  if (keeper_.joinable()) keeper_.join();
  if (pending) sync();
  const MutexLock guard(keeper_mutex_);
  relaxed_waits_ = false;
}

Committer::Counts Committer::counts() const {
  const MutexLock guard(mutex_);
  return counts_;
}

// Its submitter is told that it will be durable soon: where no thread can be had that sees to it,
// it is made so at once.
void Committer::remember_relaxed() noexcept {
  try {
    if (!keeper_knows()) sync();
  } catch (const std::exception& error) {
    log_line(LogLevel::error, error.what());  // the next one tries again
  }
}

bool Committer::keeper_knows() {
  const MutexLock guard(keeper_mutex_);
  if (relaxed_waits_ || closing_ || mutant("committer-relaxed-forgotten")) return true;
  try {
    if (!keeper_.joinable()) keeper_ = std::thread([this] { keep_relaxed_promise(); });
  } catch (const std::system_error& error) {
    log_line(LogLevel::warning, error.what());
    return false;
  }
  relaxed_waits_ = true;
  keeper_wakes_.notify_all();
  return true;
}

// Relaxed records are on the disk within a second of their commit, whether or not another follows.
void Committer::keep_relaxed_promise() {
  MutexLock guard(keeper_mutex_);
  while (!closing_) {
    keeper_wakes_.wait(keeper_mutex_,
                       [this]() OTO_REQUIRES(keeper_mutex_) { return relaxed_waits_ || closing_; });
    const auto patience = std::chrono::nanoseconds(kRelaxedSyncNs) - kKeepEarly;
    const auto closing = [this]() OTO_REQUIRES(keeper_mutex_) { return closing_; };
    if (keeper_wakes_.wait_for(keeper_mutex_, patience, closing)) return;
    relaxed_waits_ = false;
    guard.unlock();
    try {
      sync();
      guard.lock();
    } catch (const std::exception& error) {
      log_line(LogLevel::error, error.what());
      guard.lock();
      relaxed_waits_ = true;  // tried again a second later, or by the next durable commit
    }
  }
}

}  // namespace otolith::history
