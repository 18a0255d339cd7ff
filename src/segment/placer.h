// Hands out places in a file in the order of tickets, whichever thread asks first.
//
// Role:    chunks are encoded in parallel and their sizes known late; the file is the same each
//          time.
// Errors:  rethrows what made another task give up.
// Threads: thread-safe.
// Why:     the same rows make the same bytes, whatever the number of threads: files can be
//          compared.
#pragma once

#include <cstdint>
#include <exception>

#include "base/bytes.h"
#include "base/mutex.h"

namespace otolith::segment {

class Placer {
 public:
  explicit Placer(std::uint64_t first_byte) : next_byte_(first_byte) {}

  /// Waits for all lower tickets, then gives the offset of `bytes` bytes, a multiple of
  /// `alignment`.
  std::uint64_t place(std::uint64_t ticket, std::uint64_t bytes, std::uint64_t alignment) {
    const MutexLock lock(mutex_);
    turn_.wait(mutex_, [&]() OTO_REQUIRES(mutex_) { return ticket == next_ticket_ || error_; });
    if (error_) std::rethrow_exception(error_);
    const std::uint64_t at = bytes == 0 ? next_byte_ : align_up(next_byte_, alignment);
    next_byte_ = at + bytes;
    ++next_ticket_;
    turn_.notify_all();
    return at;
  }
  void give_up(std::exception_ptr error) {
    const MutexLock lock(mutex_);
    if (!error_) error_ = std::move(error);
    turn_.notify_all();
  }
  std::uint64_t next_byte() const {
    const MutexLock lock(mutex_);
    return next_byte_;
  }

 private:
  mutable Mutex mutex_;
  Condition turn_;
  std::uint64_t next_byte_ OTO_GUARDED_BY(mutex_);
  std::uint64_t next_ticket_ OTO_GUARDED_BY(mutex_) = 0;
  std::exception_ptr error_ OTO_GUARDED_BY(mutex_);
};

}  // namespace otolith::segment
