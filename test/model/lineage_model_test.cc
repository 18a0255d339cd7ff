// The first test of history: the rules of docs/history.md 4 on plain sets, judged by brute
// force.
#include <doctest/doctest.h>

#include "test/budget.h"
#include "test/model/judge.h"

namespace otolith::lineage_model {
namespace {

TEST_CASE("lineage model: agrees with brute force at every commit of random programs") {
  Tally tally;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const auto differs = run(test::seed() + i, Broken::nothing, tally);
    REQUIRE_MESSAGE(!differs, differs.value_or(""));
  }
  MESSAGE(text(tally));
}

TEST_SUITE("long") {
  TEST_CASE("lineage model: agrees with brute force over many random programs") {
    const test::Budget budget;
    Tally tally;
    for (std::uint64_t i = 0; i < 10'000'000 && budget.left(); ++i) {
      const auto differs = run(test::seed() + i, Broken::nothing, tally);
      REQUIRE_MESSAGE(!differs, differs.value_or(""));
    }
    MESSAGE("from seed ", test::seed(), ": ", text(tally));
  }
}

TEST_CASE("lineage model: every rule broken on purpose is noticed") {
  for (int i = 1; i < static_cast<int>(Broken::count_); ++i) {
    const auto broken = static_cast<Broken>(i);
    CAPTURE(name(broken));
    constexpr std::uint64_t kProgramsMax = 20'000;
    Tally tally;
    bool noticed = false;
    for (std::uint64_t program = 0; program < kProgramsMax && !noticed; ++program) {
      noticed = run(test::seed() + program, broken, tally).has_value();
    }
    CHECK(noticed);
    MESSAGE(name(broken), ": after ", tally.programs, " programs");
  }
}

}  // namespace
}  // namespace otolith::lineage_model
