// Hands out places in a file in the order of tickets, whichever thread asks first.
//
// Role:    chunks are encoded in parallel and their sizes known late; the file is the same each
//          time.
// Errors:  rethrows what made another task give up.
// Threads: thread-safe.
// Why:     the same rows make the same bytes, whatever the number of threads: files can be
//          compared.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>

#include "base/bytes.h"

namespace otolith::segment {

class Placer {
 public:
  explicit Placer(std::uint64_t first_byte) : next_byte_(first_byte) {}

  /// Waits for all lower tickets, then gives the offset of `bytes` bytes, a multiple of
  /// `alignment`.
  std::uint64_t place(std::uint64_t ticket, std::uint64_t bytes, std::uint64_t alignment) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return ticket == next_ticket_ || error_; });
    if (error_) std::rethrow_exception(error_);
    const std::uint64_t at = bytes == 0 ? next_byte_ : align_up(next_byte_, alignment);
    next_byte_ = at + bytes;
    ++next_ticket_;
    turn_.notify_all();
    return at;
  }
  void give_up(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    turn_.notify_all();
  }
  std::uint64_t next_byte() const {
    const std::lock_guard lock(mutex_);
    return next_byte_;
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable turn_;
  std::uint64_t next_byte_;
  std::uint64_t next_ticket_ = 0;
  std::exception_ptr error_;
};

}  // namespace otolith::segment
