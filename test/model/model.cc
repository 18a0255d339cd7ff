#include "test/model/model.h"

#include <algorithm>

namespace otolith::lineage_model {

// ---- reading ----

bool Model::visible(const RowFacts& row, const Set& v) const {
  if (broken(Broken::visible_by_begin_only)) return v.contains(row.events.front().commit);
  if (broken(Broken::latest_by_place)) {
    return row.events.back().alive && v.contains(row.events.back().commit);
  }
  const Event* latest = nullptr;
  for (const Event& event : row.events) {
    if (!v.contains(event.commit)) continue;
    if (latest == nullptr || latest->commit < event.commit) latest = &event;
  }
  return latest != nullptr && latest->alive;
}

std::optional<Table> Model::face(Dataset d, const Set& v) const {
  std::optional<Table> face;
  for (const CatalogFact& fact : catalog_.at(d)) {
    if (!v.contains(fact.commit)) continue;
    switch (fact.kind) {
      case CatalogFact::Kind::create:
        face = fact.face;
        break;
      case CatalogFact::Kind::drop:
        face.reset();
        break;
      case CatalogFact::Kind::rename:
        if (face) face->name = fact.face.name;
        break;
      case CatalogFact::Kind::alter:
        if (face) face->columns = fact.face.columns;
        break;
    }
  }
  if (face && broken(Broken::rollback_keeps_the_present_name)) {
    face->name = catalog_.at(d).back().face.name;
  }
  return face;
}

State Model::state(const std::function<const Set&(Dataset)>& v) const {
  State state;
  for (const auto& [d, facts] : catalog_) {
    if (auto table = face(d, v(d))) state.emplace(d, std::move(*table));
  }
  for (const auto& [stamp, row] : rows_) {
    const auto at = state.find(row.dataset);
    if (at != state.end() && visible(row, v(row.dataset))) at->second.rows.emplace(stamp, row.row);
  }
  return state;
}

State Model::state(Commit c) const {
  return state([&](Dataset d) -> const Set& { return lineages(d)[c]; });
}

Set Model::read_lineage(Dataset d, Commit c) const {
  if (!broken(Broken::known_at_cuts_head)) return lineage(d, c);
  Set v = lineages(d).back();
  std::erase_if(v, [&](Commit b) { return b > c; });
  return v;
}

SeenState Model::seen(Commit c) const {
  std::map<Dataset, Set> v;
  for (const auto& [d, facts] : catalog_) v.emplace(d, read_lineage(d, c));
  const State state = this->state([&](Dataset d) -> const Set& { return v.at(d); });
  SeenState seen = see(state, Match::id);
  if (!broken(Broken::policy_before_visibility)) return seen;
  for (auto& [d, out] : seen) {
    Table all = state.at(d);
    for (const auto& [stamp, row] : rows_) {
      if (row.dataset == d) all.rows.emplace(stamp, row.row);
    }
    out.shown = shown(all);
    std::erase_if(out.shown, [&](Stamp stamp) { return !out.rows.contains(stamp); });
  }
  return seen;
}

std::map<int, Commit> Model::tags() const {
  std::map<int, Commit> tags;
  for (const auto& [tag, made] : tags_) {
    const bool lost = broken(Broken::tags_follow_lineage) && made.second != 0 &&
                      !database_.back().contains(made.second);
    if (!lost) tags.emplace(tag, made.first);
  }
  return tags;
}

// ---- committing ----

const std::vector<Set>& Model::lineages(Dataset d) const {
  const auto at = own_.find(d);
  return at == own_.end() ? database_ : at->second;
}

void Model::commit(const std::function<Set(const std::vector<Set>&, std::optional<Dataset>)>& v) {
  const Commit n = head() + 1;
  const auto next = [&](std::vector<Set>& of, std::optional<Dataset> d) {
    Set set = v(of, d);
    set.insert(n);
    of.push_back(std::move(set));
  };
  // Created by this commit: up to now it went with the database.
  for (const auto& [d, facts] : catalog_) {
    if (!own_.contains(d)) own_.emplace(d, database_);
  }
  next(database_, std::nullopt);
  for (auto& [d, of] : own_) next(of, d);
  retained_.insert(n);
}

void Model::give_ids(State& state) {
  for (auto& [d, table] : state) {
    for (Column& column : table.columns) {
      if (column.id != 0) continue;
      if (broken(Broken::column_ids_reused)) {
        column.id = std::ranges::max(table.columns, {}, &Column::id).id + 1;
      } else {
        column.id = ++column_ids_[d];
      }
    }
  }
}

// What lies between two states, as one event per row and dataset.
void Model::record(const State& before, const State& after) {
  const Commit n = head() + 1;
  const auto fact = [&](Dataset d, CatalogFact::Kind kind, Table face) {
    face.rows.clear();
    catalog_[d].push_back({n, kind, std::move(face)});
  };
  for (const auto& [d, table] : after) {
    const auto old = before.find(d);
    if (old == before.end()) {
      fact(d, CatalogFact::Kind::create, table);
    } else {
      if (old->second.name != table.name) fact(d, CatalogFact::Kind::rename, table);
      if (old->second.columns != table.columns) fact(d, CatalogFact::Kind::alter, table);
    }
    for (const auto& [stamp, row] : table.rows) {
      if (old == before.end() || !old->second.rows.contains(stamp)) {
        rows_.emplace(stamp, RowFacts{d, row, {{n, true}}});
      }
    }
  }
  for (const auto& [d, table] : before) {
    if (!after.contains(d)) {
      fact(d, CatalogFact::Kind::drop, table);
      continue;
    }
    for (const auto& [stamp, row] : table.rows) {
      if (!after.at(d).rows.contains(stamp)) mark(stamp, false);
    }
  }
}

Refusal Model::edit(const Operation& operation) {
  const State before = state(head());
  State after = before;
  std::map<Stamp, std::pair<Dataset, Row>> passing;  // added and ended by this commit
  for (const Edit& edit : operation.edits) {
    const State step = after;
    State next = after;
    bool done = lineage_model::apply(edit, next);
    if (broken(Broken::error_keys_unchecked) && edit.kind == Edit::Kind::append &&
        step.contains(edit.dataset)) {
      done = true;  // the row was added before its key was looked up
    }
    if (!done) return Refusal::edit;
    after = std::move(next);
    give_ids(after);
    for (const auto& [d, table] : step) {
      for (const auto& [stamp, row] : table.rows) passing.emplace(stamp, std::pair(d, row));
    }
  }
  settle(operation.edits, after);
  record(before, after);
  if (broken(Broken::not_netted)) {
    for (const auto& [stamp, row] : passing) {
      if (rows_.contains(stamp) || !after.contains(row.first)) continue;
      rows_.emplace(stamp,
                    RowFacts{row.first, row.second, {{head() + 1, true}, {head() + 1, false}}});
    }
  }
  commit();
  return Refusal::none;
}

Refusal Model::roll_back(const Operation& operation) {
  const Commit k = operation.target;
  if (!retained_.contains(k) && !broken(Broken::expired_is_reachable)) return Refusal::retention;
  if (operation.dataset) {
    const Dataset d = *operation.dataset;
    const State now = state(head());
    const auto old = face(d, lineage(d, k));
    for (const auto& [other, table] : now) {
      if (!old || other == d || table.name != old->name) continue;
      if (!operation.replace_name && !broken(Broken::rollback_ignores_holders))
        return Refusal::holder;
      if (broken(Broken::replace_name_keeps_the_other) || !operation.replace_name) continue;
      catalog_.at(other).push_back(
          {head() + 1, CatalogFact::Kind::drop, *face(other, lineage(other, head()))});
    }
  }
  const bool all = !operation.dataset || broken(Broken::rollback_of_dataset_is_global);
  commit([&](const std::vector<Set>& of, std::optional<Dataset> d) {
    if (!all && d != operation.dataset) return of.back();
    if (!broken(Broken::rollback_cuts)) return of[k];
    Set cut = of.back();
    std::erase_if(cut, [&](Commit b) { return b > k; });
    return cut;
  });
  return Refusal::none;
}

Refusal Model::roll_scope_back(const Operation& operation) {
  const Dataset d = *operation.dataset;
  const Set& then = lineage(d, operation.target);
  const Set& now = lineage(d, head());
  const auto columns_now = face(d, now);
  if (!retained_.contains(operation.target)) return Refusal::retention;
  if (!columns_now || !face(d, then)) return Refusal::edit;
  const bool by_id =
      columns_now->policy == Policy::collection && !broken(Broken::scope_by_row_in_collections);
  std::set<int> ids;
  for (const auto& [stamp, row] : rows_) {
    const bool shown = row.dataset == d && (visible(row, then) || visible(row, now));
    if (shown && operation.scope.holds(row.row)) ids.insert(row.row.key);
  }
  std::vector<std::pair<Stamp, bool>> marks;
  for (const auto& [stamp, row] : rows_) {
    if (row.dataset != d || visible(row, then) == visible(row, now)) continue;
    if (!(by_id ? ids.contains(row.row.key) : operation.scope.holds(row.row))) continue;
    marks.emplace_back(stamp, visible(row, then));
    if (visible(row, then) && !fits(row.row.written, columns_now->columns, Match::id) &&
        !broken(Broken::scope_ignores_columns)) {
      return Refusal::columns;
    }
  }
  for (const auto& [stamp, alive] : marks) mark(stamp, alive);
  commit();
  return Refusal::none;
}

Refusal Model::expire(const Operation& operation) {
  std::erase_if(retained_,
                [&](Commit c) { return c != 0 && c != head() && !operation.kept.contains(c); });
  expires_.insert(head() + 1);
  commit();
  std::erase_if(rows_, [&](const auto& entry) {
    const RowFacts& row = entry.second;
    if (broken(Broken::expire_keeps_only_head)) return !visible(row, lineage(row.dataset, head()));
    return std::ranges::none_of(retained_,
                                [&](Commit c) { return visible(row, lineage(row.dataset, c)); });
  });
  return Refusal::none;
}

Refusal Model::apply(const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::edits:
      return edit(operation);
    case Operation::Kind::rollback:
      return roll_back(operation);
    case Operation::Kind::scope_rollback:
      return roll_scope_back(operation);
    case Operation::Kind::revert:
      return revert(operation);
    case Operation::Kind::expire:
      return expire(operation);
    case Operation::Kind::tag:
      tags_[operation.tag] = {operation.target, head()};
      return Refusal::none;
  }
  return Refusal::edit;
}

}  // namespace otolith::lineage_model
