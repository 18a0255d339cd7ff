#include "io/fork.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include "base/mutant.h"
#include "base/mutex.h"

namespace otolith::io {

// Links the descriptors to close; lives for ever, for forks can come after static destructors
// began.
class ForkHandler {
 public:
  static ForkHandler& instance() {
    static ForkHandler* const handler = new ForkHandler;
    return *handler;
  }

  void open_and_add(OwnedDescriptor& descriptor, const std::function<int()>& open) {
    const MutexLock lock(mutex_);
    descriptor.descriptor_ = open();
    descriptor.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &descriptor;
    first_ = &descriptor;
  }

  // Closes under the mutex: else a fork between unlink and close would leave a copy in the child.
  void remove_and_close(OwnedDescriptor& descriptor) {
    const MutexLock lock(mutex_);
    if (descriptor.previous_ != nullptr) descriptor.previous_->next_ = descriptor.next_;
    if (descriptor.next_ != nullptr) descriptor.next_->previous_ = descriptor.previous_;
    if (first_ == &descriptor) first_ = descriptor.next_;
    if (descriptor.descriptor_ >= 0) ::close(descriptor.descriptor_);
  }

  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }

 private:
  // The mutex is held across the fork so that the child finds the list whole. No analysis: one
  // callback takes what another gives back.
  ForkHandler() {
    ::pthread_atfork([]() OTO_NO_ANALYSIS { instance().mutex_.lock(); },
                     []() OTO_NO_ANALYSIS { instance().mutex_.unlock(); },
                     []() OTO_NO_ANALYSIS { instance().close_in_child(); });
  }

  void close_in_child() OTO_RELEASE(mutex_) {
    if (mutant("io-fork-keeps-descriptors")) first_ = nullptr;
    for (OwnedDescriptor* each = first_; each != nullptr; each = each->next_) {
      ::close(each->descriptor_);
      each->descriptor_ = -1;  // the number may be given to another file from now on
    }
    generation_.fetch_add(1, std::memory_order_relaxed);
    mutex_.unlock();
  }

  std::atomic<std::uint64_t> generation_{0};

  Mutex mutex_;
  OwnedDescriptor* first_ OTO_GUARDED_BY(mutex_) = nullptr;
};

std::uint64_t fork_generation() noexcept { return ForkHandler::instance().generation(); }

OwnedDescriptor::OwnedDescriptor(InChild in_child, const std::function<int()>& open)
    : in_child_(in_child) {
  if (in_child_ == InChild::close) {
    ForkHandler::instance().open_and_add(*this, open);
  } else {
    descriptor_ = open();
  }
}

OwnedDescriptor::~OwnedDescriptor() {
  if (in_child_ == InChild::close) {
    ForkHandler::instance().remove_and_close(*this);
  } else if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

}  // namespace otolith::io
