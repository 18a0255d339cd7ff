#include "db/sealer.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "base/mutant.h"

namespace otolith::db {

Sealer::Sealer(SealerWork work, std::shared_ptr<io::Environment> environment, bool own_thread)
    : work_(std::move(work)), environment_(std::move(environment)), own_thread_(own_thread) {}

Sealer::~Sealer() { close(); }

void Sealer::ask() {
  MutexLock guard(mutex_);
  if (closing_) return;
  if (thread_there()) {
    asked_ = true;
    changed_.notify_all();
    return;
  }
  if (alone_ == std::this_thread::get_id()) return;  // whoever commits next asks again
  take_turn();
  guard.unlock();
  work_.seal();
  guard.lock();
  give_turn();
}

void Sealer::committed() {
  const MutexLock guard(mutex_);
  const std::uint64_t now = environment_->monotonic_ns();
  if (closing_ || now < sweep_next_ || mutant("sweep-behind-seals-only")) return;
  sweep_next_ = now + kSweepEveryNs;
  if (!thread_there()) return;
  sweep_at_ = now;
  changed_.notify_all();
}

void Sealer::sweep_behind(std::uint64_t time_ns) {
  const MutexLock guard(mutex_);
  if (closing_ || !thread_there()) return;
  const std::uint64_t at = environment_->monotonic_ns() + time_ns;
  sweep_at_ = std::min(sweep_at_.value_or(at), at);
  changed_.notify_all();
}

bool Sealer::thread_there() {
  if (!own_thread_) return false;
  if (thread_.joinable()) return true;
  try {
    thread_ = std::thread([this] { run(); });
    return true;
  } catch (const std::system_error& error) {
    log_line(LogLevel::warning, error.what());
    return false;
  }
}

void Sealer::wait() {
  const MutexLock guard(mutex_);
  if (alone_ == std::this_thread::get_id()) return;
  changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return !asked_ && !busy_; });
}

void Sealer::alone(const std::function<void()>& other) {
  MutexLock guard(mutex_);
  if (alone_ == std::this_thread::get_id()) {
    throw_error(ErrorCode::invalid_argument,
                "this thread is at work on the database's files, in whose progress callback this "
                "was called; call it behind that");
  }
  take_turn();
  alone_ = std::this_thread::get_id();
  guard.unlock();
  std::exception_ptr thrown;
  try {
    other();
  } catch (...) {
    thrown = std::current_exception();
  }
  guard.lock();
  alone_ = {};
  give_turn();
  guard.unlock();
  if (thrown) std::rethrow_exception(thrown);
}

void Sealer::take_turn() {
  changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return !busy_; });
  busy_ = true;
}

void Sealer::give_turn() {
  busy_ = false;
  changed_.notify_all();
}

bool Sealer::sweep_due() const { return sweep_at_ && *sweep_at_ <= environment_->monotonic_ns(); }

// Until there is some, or the end.
void Sealer::wait_for_work() {
  const auto ready = [this]() OTO_REQUIRES(mutex_) {
    return ((asked_ || sweep_due()) && !busy_) || closing_;
  };
  while (!ready()) {
    const auto at = sweep_at_;
    if (busy_ || !at) {
      changed_.wait(mutex_,
                    [&]() OTO_REQUIRES(mutex_) { return ready() || (sweep_at_ && !busy_); });
    } else {
      const std::uint64_t now = environment_->monotonic_ns();
      const std::chrono::nanoseconds patience(*at - std::min(*at, now));
      (void)changed_.wait_for(mutex_, patience, [&]() OTO_REQUIRES(mutex_) {
        return ready() || busy_ || sweep_at_ != at;
      });
    }
  }
}

void Sealer::run() {
  MutexLock guard(mutex_);
  while (true) {
    wait_for_work();
    const bool seal = asked_;
    if (!seal && !sweep_due()) return;
    take_turn();
    const auto& work = seal ? work_.seal : work_.sweep;
    if (seal) {
      asked_ = false;
    } else {
      sweep_at_.reset();
    }
    guard.unlock();
    work();
    guard.lock();
    give_turn();
  }
}

void Sealer::close() {
  {
    const MutexLock guard(mutex_);
    closing_ = true;
    if (alone_ == std::this_thread::get_id()) {  // the thread cannot wait for who waits for it
      asked_ = false;
      sweep_at_.reset();
    }
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace otolith::db
