// How long a random test may run, and from which seed.
//
// Role:    every test with heavy work (TEST_SUITE("long")) loops `while (budget.left())`.
// Shapes:  OTOLITH_BUDGET_S seconds per test case (default 2); OTOLITH_SEED uint64 (default: fixed,
//          so that a plain run repeats itself).
// Threads: thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace otolith::test {

// Seconds this test case may spend in its loop.
inline double budget_s() {
  const char* text = std::getenv("OTOLITH_BUDGET_S");
  return text != nullptr ? std::strtod(text, nullptr) : 2.0;
}

// The seed of this run; print it when a random test fails.
inline std::uint64_t seed() {
  const char* text = std::getenv("OTOLITH_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 0) : 20260101;
}

// Runs out after budget_s().
class Budget {
 public:
  bool left() const { return std::chrono::steady_clock::now() < end_; }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(budget_s()));
};

}  // namespace otolith::test
