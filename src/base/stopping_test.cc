#include "base/stopping.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

namespace otolith {

TEST_CASE("stopping: whoever waits is asked at each stop point, and what is within it too") {
  int outer = 0;
  int inner = 0;
  stop_point();
  {
    const Stopping of_outer([&] { ++outer; });
    stop_point();
    {
      const Stopping of_inner([&] { ++inner; });
      stop_point();
    }
    stop_point();
    std::thread([] { stop_point(); }).join();  // another thread's work is nobody's here
  }
  stop_point();
  CHECK(outer == 3);
  CHECK(inner == 1);
}

TEST_CASE("stopping: what is asked has no stop points itself, and may end the work") {
  int asked = 0;
  const Stopping stopping([&] {
    ++asked;
    stop_point();
    if (asked == 2) throw std::runtime_error("enough");
  });
  stop_point();
  CHECK_THROWS_WITH(stop_point(), "enough");
  stop_point();
  CHECK(asked == 3);
}

}  // namespace otolith
