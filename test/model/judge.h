// Runs one random program through brute force and the model, and tells them apart.
//
// Role:    the tests assert that it finds nothing with every rule in place, and something with each
//          broken.
// Shapes:  after every operation each retained commit is compared as readers see it.
// Errors:  none: what it finds is text.
// Threads: thread-compatible.
// Why:     reverts that the model refuses and brute force would accept are allowed in the shapes of
//          `allowed_refusal` only, each shown from the events alone, not by the code that refused.
#pragma once

#include <array>
#include <string>

#include "test/model/model.h"
#include "test/model/program.h"

namespace otolith::lineage_model {

// What a run of programs did, for the figures that the test prints.
struct Tally {
  std::uint64_t programs = 0;
  std::uint64_t commits = 0;
  std::uint64_t refused = 0;
  std::uint64_t reverts = 0;                 // accepted
  std::uint64_t reverts_refused = 0;         // by both
  std::array<std::uint64_t, 16> stricter{};  // refused by the model alone, by Refusal
};
std::string text(const Tally& tally);

// One operation in both. Text: how they differ.
std::optional<std::string> step(const Operation& operation, Truth& truth, Model& model,
                                Tally& tally);

// A whole program. Text: the first difference, with the seed and the program so far.
std::optional<std::string> run(std::uint64_t seed, Broken broken, Tally& tally);

// Whether a revert may be refused although brute force would accept it. The shapes:
//   row:     a row with an event in T has one in S, and the two cancel out
//   dataset: a dataset was made or dropped in one and used in the other, and that cancels out
//   name, schema: changed in both, and changed back
bool allowed_refusal(const Model& model, const Operation& operation, Refusal refusal);

}  // namespace otolith::lineage_model
