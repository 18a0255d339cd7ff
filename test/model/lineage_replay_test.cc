// Lineage, Marks and the acceptance of reverts against the model, which brute force has judged.
#include <doctest/doctest.h>

#include "test/budget.h"
#include "test/model/judge.h"
#include "test/model/replay.h"

namespace otolith::lineage_model {
namespace {

void replay(std::uint64_t seed, Tally& tally) {
  CAPTURE(seed);
  constexpr int kSteps = 16;
  Program program(seed, false);
  Truth truth;
  Model model;
  Replay production(model);
  std::string log;
  for (int i = 0; i < kSteps; ++i) {
    const Operation operation = program.next(truth);
    log += "\n  at " + std::to_string(truth.head()) + ": " + text(operation);
    CAPTURE(log);
    const bool accepts = production.accepts(operation);
    const Commit before = truth.head();
    const auto differs = step(operation, truth, model, tally);
    REQUIRE_MESSAGE(!differs, differs.value_or(""));
    const bool accepted = truth.head() > before;
    if (operation.kind == Operation::Kind::revert || operation.kind == Operation::Kind::rollback) {
      REQUIRE(accepts == accepted);
    }
    if (accepted) production.follow(operation);
    if (program.pick(8) == 0) production.reload();
    const std::string shown = production.compare();
    REQUIRE_MESSAGE(shown.empty(), shown);
  }
  ++tally.programs;
}

TEST_CASE("lineage replay: production decides and shows what the model does") {
  Tally tally;
  for (std::uint64_t i = 0; i < 400; ++i) replay(test::seed() + i, tally);
  MESSAGE(text(tally));
}

TEST_SUITE("long") {
  TEST_CASE("lineage replay: production follows the model over many programs") {
    const test::Budget budget;
    Tally tally;
    for (std::uint64_t i = 0; i < 10'000'000 && budget.left(); ++i) {
      replay(test::seed() + i, tally);
    }
    MESSAGE("from seed ", test::seed(), ": ", text(tally));
  }
}

}  // namespace
}  // namespace otolith::lineage_model
