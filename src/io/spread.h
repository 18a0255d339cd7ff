// Visits 0 .. count-1 once each, evenly spread at every moment.
//
// Role:    walks over crash states and fault points whose budget may end before they do.
// Shapes:  count >= 1.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a budget that ends early has then seen the whole run, not its beginning; steps of the
//          golden ratio do that without a table.
#pragma once

#include <cstdint>
#include <numeric>

namespace otolith::io {

class Spread {
 public:
  explicit Spread(std::uint64_t count)
      : count_(count),
        step_(static_cast<std::uint64_t>(static_cast<double>(count) * 0.618034) + 1) {
    while (std::gcd(step_, count_) != 1) ++step_;
  }

  std::uint64_t next() noexcept {
    at_ = (at_ + step_) % count_;
    return at_;
  }

 private:
  const std::uint64_t count_;
  std::uint64_t step_;
  std::uint64_t at_ = 0;
};

}  // namespace otolith::io
