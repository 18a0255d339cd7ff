#include "segment/tasks.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/stopping.h"

namespace otolith::segment {

namespace {

class Crew {
 public:
  using Task = std::function<void(unsigned, std::size_t)>;

  Crew(std::size_t count, const Task& task) : count_(count), task_(task) {}

  void work(unsigned worker) noexcept {
    for (std::size_t i = next_++; i < count_; i = next_++) {
      try {
        // Of the thread that waits, and of all where one has failed: long tasks have stop points.
        const Stopping stopping([this] {
          if (failed_) throw Ended{};
        });
        stop_point();
        task_(worker, i);
      } catch (...) {
        next_ = count_;
        const MutexLock lock(mutex_);
        if (!error_) error_ = std::current_exception();
        failed_ = true;
      }
    }
  }

  void rethrow() {
    const MutexLock lock(mutex_);
    if (error_) std::rethrow_exception(error_);
  }

 private:
  struct Ended {};  // by another's error, which is told

  const std::size_t count_;
  const Task& task_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  Mutex mutex_;
  std::exception_ptr error_ OTO_GUARDED_BY(mutex_);
};

}  // namespace

void run_tasks(unsigned threads, std::size_t count,
               const std::function<void(unsigned, std::size_t)>& task) {
  Crew crew(count, task);
  {
    std::vector<std::jthread> others;
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(threads, count));
    for (unsigned worker = 1; worker < wanted; ++worker) {
      try {
        others.emplace_back([&crew, worker] { crew.work(worker); });
      } catch (const std::system_error&) {
        break;  // no more threads to be had: those there are do the work
      }
    }
    crew.work(0);
  }
  crew.rethrow();
}

}  // namespace otolith::segment
