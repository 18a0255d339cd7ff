// Brute force: a copy of the whole visible state per commit.
//
// Role:    the oracle of the lineage model; it never hears of lineage, marks or row ids.
// Shapes:  one State per commit, from 0, the empty one.
// Errors:  a refused operation is nullopt.
// Threads: thread-compatible.
// Why:     reverting is defined on cells (a row, a name, the columns, the existence of a dataset):
//          each cell that m changed must still be as m left it, and goes back; no other cell may
//          change.
#pragma once

#include <optional>

#include "test/model/operation.h"

namespace otolith::lineage_model {

class Truth {
 public:
  Commit head() const { return states_.size() - 1; }
  const State& at(Commit c) const { return states_[c]; }
  const State& now() const { return states_.back(); }
  const std::set<Commit>& retained() const { return retained_; }
  const std::map<int, Commit>& tags() const { return tags_; }

  // The state that the operation leads to; nullopt if it is to be refused.
  std::optional<State> result(const Operation& operation) const;
  // Takes it as the next commit.
  void accept(const Operation& operation, State state);

 private:
  std::optional<State> edited(const std::vector<Edit>& edits) const;
  std::optional<State> rolled_back(const Operation& operation) const;
  std::optional<State> scope_rolled_back(const Operation& operation) const;
  std::optional<State> reverted(const Operation& operation) const;

  std::vector<State> states_{State{}};
  std::set<Commit> retained_{0};
  std::set<Commit> expires_;
  std::map<int, Commit> tags_;
};

}  // namespace otolith::lineage_model
