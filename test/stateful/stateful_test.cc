// Random programs of all that writes, by several handles of one database, against plain tables.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <numeric>

#include "test/budget.h"
#include "test/stateful/machine.h"

namespace otolith::stateful {

namespace {

constexpr unsigned kTriesMax = 600;          // runs that a failure is cut down by
constexpr double kProgramsPerSecondMin = 3;  // of the budget; fewer: it runs, but tests little

// What differs, and what was done until then; nothing where nothing does.
std::optional<std::string> difference(std::uint64_t seed, const Program& program, Tally& tally,
                                      Lie lie = Lie::none) {
  Machine machine(seed, tally, lie);
  try {
    machine.run(program);
    return std::nullopt;
  } catch (const Differs& differs) {
    return machine.trace() + "\n  differs: " + differs.what;
  }
}

// The report of a program that failed: the shortest that still does.
std::string report(std::uint64_t seed, const Program& program, Lie lie = Lie::none) {
  Tally ignored;
  const Program less = minimised(
      program, [&](const Program& of) { return difference(seed, of, ignored, lie).has_value(); },
      kTriesMax);
  return fmt::format("OTOLITH_SEED={}: {} of {} steps differ:{}", seed, less.size(), program.size(),
                     *difference(seed, less, ignored, lie));
}

bool follows(std::uint64_t seed, Tally& tally) {
  const Program program = program_of(seed);
  const auto differs = difference(seed, program, tally);
  if (differs) FAIL_CHECK(report(seed, program));
  return !differs;
}

std::string text(const Tally& tally) {
  std::string out = fmt::format(
      "{} commits, {} retried, {} lost with the power, {} found no space, {} recorders met a "
      "conflict, {} spilled, {} "
      "segments at the end;",
      tally.commits, tally.retried, tally.lost, tally.full, tally.conflicts, tally.spilled,
      tally.segments);
  for (const auto& [verb, count] : tally.steps) out += fmt::format(" {} {}", count, verb);
  return out;
}

}  // namespace

TEST_CASE("stateful: programs of every writing verb, by three handles, show what plain tables do") {
  Tally tally;
  const test::Budget budget;
  std::uint64_t programs = 0;
  for (bool good = true; good && (programs < 60 || budget.left()); ++programs)
    good = follows(test::seed() + programs, tally);
  MESSAGE(programs, " programs from seed ", test::seed(), ": ", text(tally));
}

TEST_CASE("stateful: an oracle that lies is noticed, and its program cut down to a few steps") {
  for (const Lie lie : {Lie::keeps_a_deleted_row, Lie::forgets_a_rename}) {
    Tally tally;
    std::uint64_t seed = test::seed();
    while (!difference(seed, program_of(seed), tally, lie)) REQUIRE(++seed < test::seed() + 100);
    const std::string told = report(seed, program_of(seed), lie);
    CAPTURE(told);
    CHECK(std::ranges::count(told, '\n') <= 6);
    CHECK(told.find(fmt::format("OTOLITH_SEED={}", seed)) != std::string::npos);
  }
}

TEST_SUITE("long") {
  TEST_CASE("stateful: many programs of every writing verb show what plain tables do") {
    Tally tally;
    const test::Budget budget;
    std::uint64_t programs = 0;
    for (bool good = true; good && budget.left(); ++programs)
      good = follows(test::seed() + 1000 + programs, tally);
    MESSAGE(programs, " programs from seed ", test::seed() + 1000, ": ", text(tally));
    CHECK(static_cast<double>(programs) >= kProgramsPerSecondMin * test::budget_s());
  }
}

}  // namespace otolith::stateful
