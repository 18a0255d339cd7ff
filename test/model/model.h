// The rules of docs/history.md 4 on plain sets: rows, marks, catalog events, V.
//
// Role:    what brute force judges first; what the production classes are judged by next.
// Shapes:  V(d, c) is a set of commit numbers per dataset and commit, stored whole.
// Errors:  a refused operation names the rule that refused it.
// Threads: thread-compatible.
// Why:     every rule can be broken by name (`Broken`); a test shows that each break is noticed.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string_view>

#include "test/model/operation.h"

namespace otolith::lineage_model {

// Rules broken on purpose, one at a time. The names in model_rules.cc say what is wrong.
enum class Broken {
  nothing,
  revert_is_without_m,
  revert_unchecked,
  revert_ignores_begins,
  revert_ignores_marks,
  revert_ignores_names,
  revert_ignores_schemas,
  revert_ignores_columns,
  revert_columns_of_begun_only,
  revert_ignores_rows_that_return,
  revert_ignores_existence,
  revert_counts_added_rows_only,
  revert_ignores_holders,
  revert_ignores_unique,
  revert_unique_of_begun_only,
  revert_by_one_lineage,
  revert_refused_when_anything_came_since,
  rollback_cuts,
  rollback_of_dataset_is_global,
  rollback_keeps_the_present_name,
  rollback_ignores_holders,
  replace_name_keeps_the_other,
  scope_by_row_in_collections,
  scope_ignores_columns,
  visible_by_begin_only,
  latest_by_place,
  known_at_cuts_head,
  policy_before_visibility,
  error_keys_unchecked,
  not_netted,
  column_ids_reused,
  tags_follow_lineage,
  expire_keeps_only_head,
  expired_is_reachable,
  count_,
};
std::string_view name(Broken broken);

using Set = std::set<Commit>;

struct Event {
  Commit commit = 0;
  bool alive = false;  // begin or revive
};

struct RowFacts {
  Dataset dataset;
  Row row;
  std::vector<Event> events;  // by commit; the first is the begin
};

struct CatalogFact {
  enum class Kind { create, drop, rename, alter };
  Commit commit = 0;
  Kind kind = Kind::create;
  Table face;  // without rows, as the commit left it
};

// Why an operation was refused.
enum class Refusal {
  none,
  edit,
  row,
  dataset,
  name,
  schema,
  columns,
  holder,
  unique,
  retention,
  since,
};

class Model {
 public:
  explicit Model(Broken broken = Broken::nothing) : broken_(broken) {}

  Refusal apply(const Operation& operation);

  Commit head() const { return database_.size() - 1; }
  SeenState seen(Commit c) const;
  std::map<int, Commit> tags() const;

  // The plain facts, for judging refusals and for driving the production classes.
  const Set& lineage(Dataset d, Commit c) const { return own_.at(d)[c]; }
  const Set& lineage(Commit c) const { return database_[c]; }
  const std::map<Stamp, RowFacts>& rows() const { return rows_; }
  const std::map<Dataset, std::vector<CatalogFact>>& catalog() const { return catalog_; }
  std::optional<Table> face(Dataset d, const Set& v) const;
  bool visible(const RowFacts& row, const Set& v) const;
  // V(n) of a revert of m, and how it comes about.
  struct Undoing {
    Set removed;  // V(m) without V(m-1)
    Set added;    // V(m-1) without V(m)
    Set gone;     // V(m) without V(n-1)
    Set since;    // V(n-1) without V(m)
    Set after;    // V(n)
    bool in_t(Commit c) const { return removed.contains(c) || added.contains(c); }
    bool in_s(Commit c) const { return gone.contains(c) || since.contains(c); }
  };
  Undoing undoing(Dataset d, Commit m) const;

 private:
  bool broken(Broken what) const { return broken_ == what; }
  const std::vector<Set>& lineages(Dataset d) const;
  State state(Commit c) const;
  State state(const std::function<const Set&(Dataset)>& v) const;
  Set read_lineage(Dataset d, Commit c) const;

  Refusal edit(const Operation& operation);
  Refusal roll_back(const Operation& operation);
  Refusal roll_scope_back(const Operation& operation);
  Refusal revert(const Operation& operation);
  Refusal expire(const Operation& operation);

  // model_rules.cc
  Refusal judge(Dataset d, Commit m, const Undoing& undoing) const;
  Refusal judge_rows(Dataset d, const Undoing& undoing) const;
  Refusal judge_catalog(Dataset d, const Undoing& undoing) const;
  Refusal judge_columns(Dataset d, Commit m, const Undoing& undoing) const;
  Refusal judge_unique(Dataset d, Commit m, const Undoing& undoing) const;
  struct Moved {
    std::vector<const Row*> back, since;
  };
  Moved moved(Dataset d, Commit m, const Undoing& undoing, Broken begun_only) const;

  void give_ids(State& state);
  void record(const State& before, const State& after);
  void mark(Stamp stamp, bool alive) { rows_.at(stamp).events.push_back({head() + 1, alive}); }
  // The next commit: V(d, n) of each dataset, {n} added.
  void commit(const std::function<Set(const std::vector<Set>&, std::optional<Dataset>)>& v);
  void commit() {
    commit([](const std::vector<Set>& of, std::optional<Dataset>) { return of.back(); });
  }

  Broken broken_;
  std::vector<Set> database_{Set{}};
  std::map<Dataset, std::vector<Set>> own_;
  std::map<Stamp, RowFacts> rows_;
  std::map<Dataset, std::vector<CatalogFact>> catalog_;
  std::map<Dataset, int> column_ids_;
  Set retained_{0};
  Set expires_;
  std::map<int, std::pair<Commit, Commit>> tags_;  // target, and HEAD when it was made
};

}  // namespace otolith::lineage_model
