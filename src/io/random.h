// A small seeded generator, the same on every machine.
//
// Role:    the simulated environment, disk and crash states draw everything from it.
// Shapes:  64-bit words; ranges half-open.
// Errors:  none.
// Threads: thread-compatible.
// Why:     std::uniform_int_distribution differs between libraries, so a printed seed would not
//          repeat.
// Source:  splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
#pragma once

#include <cstdint>

#include "base/int128.h"

namespace otolith::io {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  /// A number below `bound` (> 0). The bias of 2^-32 and less is of no concern to tests.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<Uint128>(next()) * bound) >> 64);
  }

  /// True once in `n` (> 0) draws.
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace otolith::io
