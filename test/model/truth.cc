#include "test/model/truth.h"

#include <algorithm>

namespace otolith::lineage_model {

namespace {

// One dataset that m made, dropped or changed: back to `before` where it is still as `after`.
bool revert_table(const Table* before, const Table* after, State& state, Dataset d) {
  const auto at = state.find(d);
  Table* now = at == state.end() ? nullptr : &at->second;
  const auto same = [](const Table& a, const Table& b) {
    return a.name == b.name && a.columns == b.columns &&
           std::ranges::equal(
               a.rows, b.rows, {}, [](const auto& r) { return r.first; },
               [](const auto& r) { return r.first; });
  };
  if (before == nullptr && after == nullptr) return true;
  if (before == nullptr) return now != nullptr && same(*now, *after) && state.erase(d) > 0;
  if (after == nullptr) return now == nullptr && state.emplace(d, *before).second;
  if (same(*before, *after)) return true;
  if (now == nullptr) return false;

  if (before->name != after->name) {
    if (now->name != after->name) return false;
    now->name = before->name;
  }
  const Columns columns = now->columns;
  if (before->columns != after->columns) {
    if (now->columns != after->columns) return false;
    now->columns = before->columns;
  }
  for (const auto& [stamp, row] : before->rows) {
    if (!after->rows.contains(stamp) && !now->rows.emplace(stamp, row).second) return false;
  }
  for (const auto& [stamp, row] : after->rows) {
    if (!before->rows.contains(stamp) && now->rows.erase(stamp) == 0) return false;
  }
  // No row may lose a value that it shows now: it was written after m, into a column that m made.
  const auto has = [](const Columns& in, const Column& c) {
    return std::ranges::find(in, c.identity, &Column::identity) != in.end();
  };
  return std::ranges::none_of(now->rows, [&](const auto& entry) {
    return !before->rows.contains(entry.first) &&
           std::ranges::any_of(entry.second.written, [&](const Column& written) {
             return before->columns != after->columns && has(columns, written) &&
                    !has(now->columns, written);
           });
  });
}

}  // namespace

std::optional<State> Truth::result(const Operation& operation) const {
  switch (operation.kind) {
    case Operation::Kind::edits:
      return edited(operation.edits);
    case Operation::Kind::rollback:
      return rolled_back(operation);
    case Operation::Kind::scope_rollback:
      return scope_rolled_back(operation);
    case Operation::Kind::revert:
      return reverted(operation);
    case Operation::Kind::expire:
    case Operation::Kind::tag:
      return now();
  }
  return std::nullopt;
}

void Truth::accept(const Operation& operation, State state) {
  if (operation.kind == Operation::Kind::tag) {  // no commit
    tags_[operation.tag] = operation.target;
    return;
  }
  if (operation.kind == Operation::Kind::expire) {
    std::erase_if(retained_,
                  [&](Commit c) { return c != 0 && c != head() && !operation.kept.contains(c); });
    expires_.insert(head() + 1);
  }
  states_.push_back(std::move(state));
  retained_.insert(head());
}

std::optional<State> Truth::edited(const std::vector<Edit>& edits) const {
  State state = now();
  for (const Edit& edit : edits) {
    if (!apply(edit, state)) return std::nullopt;
  }
  settle(edits, state);
  return state;
}

std::optional<State> Truth::rolled_back(const Operation& operation) const {
  if (!retained_.contains(operation.target)) return std::nullopt;
  const State& then = at(operation.target);
  if (!operation.dataset) return then;
  const Dataset d = *operation.dataset;
  State state = now();
  state.erase(d);
  const auto old = then.find(d);
  if (old == then.end()) return state;
  if (operation.replace_name) {
    std::erase_if(state, [&](const auto& entry) { return entry.second.name == old->second.name; });
  }
  state.emplace(*old);
  return name_is_free(state, old->second.name, d) ? std::optional(state) : std::nullopt;
}

std::optional<State> Truth::scope_rolled_back(const Operation& operation) const {
  const Dataset d = *operation.dataset;
  const State& then = at(operation.target);
  State state = now();
  if (!retained_.contains(operation.target) || !then.contains(d) || !state.contains(d)) {
    return std::nullopt;
  }
  const Table& old = then.at(d);
  Table& table = state.at(d);
  std::set<int> ids;  // of a collection: all documents inside the scope, then or now
  for (const Table* side : {&old, static_cast<const Table*>(&table)}) {
    for (const auto& [stamp, row] : side->rows) {
      if (operation.scope.holds(row)) ids.insert(row.key);
    }
  }
  const auto inside = [&](const Row& row) {
    return table.policy == Policy::collection ? ids.contains(row.key) : operation.scope.holds(row);
  };
  std::erase_if(table.rows, [&](const auto& entry) { return inside(entry.second); });
  for (const auto& [stamp, row] : old.rows) {
    if (inside(row)) table.rows.emplace(stamp, row);
  }
  return is_valid(state) ? std::optional(state) : std::nullopt;
}

std::optional<State> Truth::reverted(const Operation& operation) const {
  const Commit m = operation.target;
  if (!retained_.contains(m) || !retained_.contains(m - 1) || expires_.contains(m)) {
    return std::nullopt;
  }
  std::set<Dataset> datasets;
  for (const auto& [d, table] : at(m - 1)) datasets.insert(d);
  for (const auto& [d, table] : at(m)) datasets.insert(d);
  State state = now();
  for (const Dataset d : datasets) {
    if (operation.dataset && *operation.dataset != d) continue;
    const auto of = [&](Commit c) { return at(c).contains(d) ? &at(c).at(d) : nullptr; };
    if (!revert_table(of(m - 1), of(m), state, d)) return std::nullopt;
  }
  return is_valid(state) ? std::optional(state) : std::nullopt;
}

}  // namespace otolith::lineage_model
