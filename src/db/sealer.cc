#include "db/sealer.h"

#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/mutant.h"

namespace otolith::db {

Sealer::Sealer(std::function<void()> work, bool own_thread)
    : work_(std::move(work)), own_thread_(own_thread) {}

Sealer::~Sealer() { close(); }

void Sealer::ask() {
  MutexLock guard(mutex_);
  if (closing_) return;
  if (thread_there()) {
    asked_ = true;
    changed_.notify_all();
    return;
  }
  take_turn();
  guard.unlock();
  work_();
  guard.lock();
  give_turn();
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
  changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return !asked_ && !busy_; });
}

void Sealer::alone(const std::function<void()>& other) {
  MutexLock guard(mutex_);
  take_turn();
  guard.unlock();
  try {
    other();
  } catch (...) {
    guard.lock();
    give_turn();
    throw;
  }
  guard.lock();
  give_turn();
}

void Sealer::take_turn() {
  changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return !busy_; });
  busy_ = true;
}

void Sealer::give_turn() {
  busy_ = false;
  changed_.notify_all();
}

void Sealer::run() {
  MutexLock guard(mutex_);
  while (true) {
    changed_.wait(mutex_, [this]() OTO_REQUIRES(mutex_) { return (asked_ && !busy_) || closing_; });
    if (!asked_ || (closing_ && mutant("closing-forgets-the-seal"))) return;
    take_turn();
    asked_ = false;
    guard.unlock();
    work_();
    guard.lock();
    give_turn();
  }
}

void Sealer::close() {
  {
    const MutexLock guard(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace otolith::db
