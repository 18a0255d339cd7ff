#include "segment/tasks.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "base/stopping.h"

namespace otolith::segment {

TEST_CASE("tasks: one that fails ends the others at their stop points") {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(10);
  std::atomic<bool> begun = false;
  std::atomic<bool> ended = true;
  for (const std::size_t failing : {std::size_t{0}, std::size_t{1}}) {
    begun = false;
    const auto task = [&](unsigned, std::size_t at) {
      if (at == failing) {
        while (!begun && Clock::now() < end) std::this_thread::yield();
        throw std::runtime_error("enough");
      }
      begun = true;
      while (Clock::now() < end) stop_point();
      ended = false;
    };
    CHECK_THROWS_WITH(run_tasks(2, 2, task), "enough");
    CHECK(begun);
    CHECK(ended);
  }
}

}  // namespace otolith::segment
