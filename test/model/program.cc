#include "test/model/program.h"

#include <algorithm>
#include <iterator>

namespace otolith::lineage_model {

Operation Program::next(const Truth& truth) {
  if (truth.head() == 0) return edits(truth);
  const std::uint64_t roll = pick(100);
  if (roll < 48) return edits(truth);
  if (roll < 56) return rollback(truth);
  if (roll < 63) return scope_rollback(truth);
  if (roll < 94) return revert(truth);
  if (roll < 97 && expires_) return expire(truth);
  return {.kind = Operation::Kind::tag,
          .edits = {},
          .target = pick(truth.head() + 1),
          .dataset = {},
          .scope = {},
          .replace_name = false,
          .kept = {},
          .tag = small()};
}

Operation Program::edits(const Truth& truth) {
  Operation operation;
  State state = truth.now();
  int created = 0;
  for (std::uint64_t left = 1 + pick(3); left > 0; --left) {
    // Most edits that would be refused are left out, as one of them refuses the whole commit.
    Edit made = edit(state, truth.head() + 1, created);
    State next = state;
    const bool done = lineage_model::apply(made, next);
    if (!done && pick(10) != 0) continue;
    operation.edits.push_back(made);
    if (!done) break;
    state = std::move(next);
  }
  return operation;
}

Edit Program::create(Commit n, int& created) {
  Edit edit{.kind = Edit::Kind::create,
            .dataset = {n, created++},
            .stamp = stamp_ + 1,
            .key = 0,
            .time = 0,
            .scope = {},
            .name = small(),
            .policy = static_cast<Policy>(pick(5))};
  edit.key = static_cast<int>(pick(2));
  stamp_ += 2;
  return edit;
}

Edit Program::edit(const State& state, Commit n, int& created) {
  if (state.empty() || (state.size() < 3 && pick(8) == 0)) return create(n, created);
  const auto& [d, table] =
      *std::next(state.begin(), static_cast<std::ptrdiff_t>(pick(state.size())));
  return edit_of(d, table);
}

Edit Program::edit_of(Dataset d, const Table& table) {
  using Kind = Edit::Kind;
  static constexpr Kind kCatalog[] = {Kind::drop,        Kind::rename, Kind::add_column,
                                      Kind::drop_column, Kind::widen,  Kind::relabel};
  Edit edit{.kind = Kind::append,
            .dataset = d,
            .stamp = ++stamp_,
            .key = small(),
            .time = small(),
            .scope = scope(),
            .name = small(),
            .policy = table.policy};
  const std::uint64_t roll = pick(20);
  if (roll < 5) {
    edit.kind = kCatalog[pick(std::size(kCatalog))];
  } else if (roll < 9) {
    edit.kind = Kind::remove;
  } else if (table.policy == Policy::collection) {
    edit.kind = roll < 17 ? Kind::put : Kind::insert;
  }
  return edit;
}

Scope Program::scope() {
  Scope scope{.key = {}, .time_first = 0, .time_last = 2};
  if (pick(2) == 0) scope.key = small();
  if (pick(2) == 0) scope.time_first = scope.time_last = small();
  return scope;
}

std::optional<Dataset> Program::dataset_ever(const Truth& truth) {
  std::set<Dataset> ever;
  for (Commit c = 0; c <= truth.head(); ++c) {
    for (const auto& [d, table] : truth.at(c)) ever.insert(d);
  }
  if (ever.empty()) return std::nullopt;
  return *std::next(ever.begin(), static_cast<std::ptrdiff_t>(pick(ever.size())));
}

Commit Program::recent(const Truth& truth) {
  const Commit head = truth.head();
  return pick(3) == 0 ? 1 + pick(head) : head - pick(std::min<Commit>(head, 4));
}

Operation Program::rollback(const Truth& truth) {
  Operation operation;
  operation.kind = Operation::Kind::rollback;
  operation.target = recent(truth) - 1;
  if (pick(2) == 0) operation.dataset = dataset_ever(truth);
  operation.replace_name = operation.dataset && pick(2) == 0;
  return operation;
}

Operation Program::scope_rollback(const Truth& truth) {
  Operation operation;
  operation.kind = Operation::Kind::scope_rollback;
  operation.target = recent(truth) - 1;
  operation.dataset = dataset_ever(truth);
  operation.scope = scope();
  return operation.dataset ? operation : edits(truth);
}

Operation Program::revert(const Truth& truth) {
  Operation operation;
  operation.kind = Operation::Kind::revert;
  operation.target = recent(truth);
  if (pick(4) == 0) operation.dataset = dataset_ever(truth);
  return operation;
}

Operation Program::expire(const Truth& truth) {
  Operation operation;
  operation.kind = Operation::Kind::expire;
  for (const Commit c : truth.retained()) {
    if (pick(3) != 0) operation.kept.insert(c);
  }
  return operation;
}

}  // namespace otolith::lineage_model
