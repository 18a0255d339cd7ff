// Random programs: operations that are mostly sensible for the state they meet.
//
// Role:    feeds the model of lineage and, beside it, the production classes.
// Shapes:  three names, keys and times, so that programs of fifteen operations collide often.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <random>

#include "test/model/truth.h"

namespace otolith::lineage_model {

class Program {
 public:
  explicit Program(std::uint64_t seed, bool expires = true) : random_(seed), expires_(expires) {}
  Operation next(const Truth& truth);
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }

 private:
  Operation edits(const Truth& truth);
  Edit edit(const State& state, Commit n, int& created);
  Edit edit_of(Dataset d, const Table& table);
  Edit create(Commit n, int& created);
  Operation rollback(const Truth& truth);
  Operation scope_rollback(const Truth& truth);
  Operation revert(const Truth& truth);
  Operation expire(const Truth& truth);
  Scope scope();
  int small() { return static_cast<int>(pick(3)); }
  // Any dataset of any state; nothing before the first.
  std::optional<Dataset> dataset_ever(const Truth& truth);
  Commit recent(const Truth& truth);  // 1..head, mostly of the last four

  std::mt19937_64 random_;
  bool expires_;
  Stamp stamp_ = 0;
};

}  // namespace otolith::lineage_model
