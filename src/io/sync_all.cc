#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "io/vfs.h"

namespace otolith::io {

namespace {

constexpr std::size_t kSyncThreadsMax = 8;  // one queue of a disk is full with that many flushes

// Syncs files from a shared counter until none is left; remembers the first failure in file order.
class Syncing {
 public:
  explicit Syncing(std::span<File* const> files) : files_(files), errors_(files.size()) {}

  void work() noexcept {
    for (std::size_t i = next_.fetch_add(1); i < files_.size(); i = next_.fetch_add(1)) {
      try {
        files_[i]->sync();
      } catch (...) {
        errors_[i] = std::current_exception();
      }
    }
  }

  void throw_first() const {
    for (const std::exception_ptr& error : errors_) {
      if (error) std::rethrow_exception(error);
    }
  }

 private:
  const std::span<File* const> files_;
  std::vector<std::exception_ptr> errors_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace

void sync_all(std::span<File* const> files) {
  const bool parallel = std::ranges::all_of(files, &File::syncs_in_parallel);
  const std::size_t workers = parallel ? std::min(files.size(), kSyncThreadsMax) : 1;
  Syncing syncing(files);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < workers; ++i) {
      try {
        threads.emplace_back([&] { syncing.work(); });
      } catch (const std::system_error&) {
        break;  // no more threads to be had: those we have do all the work
      }
    }
    syncing.work();
  }
  syncing.throw_first();
}

}  // namespace otolith::io
