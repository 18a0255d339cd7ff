// The acceptance of a revert (docs/history.md 4), on plain sets.
#include <algorithm>
#include <array>

#include "test/model/model.h"

namespace otolith::lineage_model {

std::string_view name(Broken broken) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(Broken::count_)> kNames{
      "nothing",
      "V(n) of a revert is V(n-1) without m",
      "a revert is never refused",
      "rows begun since do not count as events",
      "rows marked since do not count as events",
      "a dataset renamed in both is not noticed",
      "a schema altered in both is not noticed",
      "rows that carry the columns of a reverted schema do not count",
      "only rows begun since count as carrying columns, not revived ones",
      "rows that return need not fit the present schema",
      "creating and dropping a dataset does not count as an event of its rows",
      "of a dataset's later use only added rows count",
      "a restored name may be held by another dataset",
      "rows that return may share an id with rows since",
      "rows that return are compared with rows begun since, not revived ones",
      "a revert uses the database's lineage for every dataset",
      "a revert is refused when anything came since",
      "V(n) of a rollback is V(n-1) cut at k",
      "a rollback of a dataset rolls all back",
      "a rollback keeps the present name",
      "a rollback does not look who holds the name",
      "replace_name leaves the other dataset its name",
      "a scope of a collection holds rows, not ids",
      "a scope brings back rows that do not fit the present schema",
      "visible by begin only",
      "the latest event is the last in the list",
      "the past is V(HEAD) cut at c",
      "the policy chooses before visibility",
      "error keys are not checked at commit",
      "two events of one row in one commit",
      "column ids are used again",
      "tags follow lineage",
      "expire drops all that HEAD does not show",
      "a commit that is not retained can be rolled back to and reverted",
  };
  return kNames[static_cast<std::size_t>(broken)];
}

Model::Undoing Model::undoing(Dataset d, Commit m) const {
  const std::vector<Set>& of = lineages(d);
  const std::vector<Set>& of_m = broken(Broken::revert_by_one_lineage) ? database_ : of;
  const auto without = [](const Set& a, const Set& b) {
    Set rest = a;
    for (const Commit c : b) rest.erase(c);
    return rest;
  };
  Undoing undoing{.removed = without(of_m[m], of_m[m - 1]),
                  .added = without(of_m[m - 1], of_m[m]),
                  .gone = without(of[m], of.back()),
                  .since = without(of.back(), of[m]),
                  .after = {}};
  if (broken(Broken::revert_is_without_m)) undoing.removed = {m}, undoing.added = {};
  undoing.after = without(of.back(), undoing.removed);
  undoing.after.insert(undoing.added.begin(), undoing.added.end());
  return undoing;
}

// No row has an event in T and one in S.
Refusal Model::judge_rows(Dataset d, const Undoing& undoing) const {
  for (const auto& [stamp, row] : rows_) {
    if (row.dataset != d) continue;
    bool in_t = false;
    bool in_s = false;
    for (const Event& event : row.events) {
      const bool begin = &event == &row.events.front();
      in_t |= undoing.in_t(event.commit);
      in_s |= undoing.in_s(event.commit) &&
              !broken(begin ? Broken::revert_ignores_begins : Broken::revert_ignores_marks);
    }
    if (in_t && in_s) return Refusal::row;
  }
  return Refusal::none;
}

// No name, schema or existence was changed in both; a dataset made or dropped in one is unused in
// the other: rows and marks count as uses.
Refusal Model::judge_catalog(Dataset d, const Undoing& undoing) const {
  struct Uses {
    bool any = false, existence = false, name = false, schema = false;
  };
  Uses t;
  Uses s;
  for (const CatalogFact& fact : catalog_.at(d)) {
    for (Uses* uses :
         {undoing.in_t(fact.commit) ? &t : nullptr, undoing.in_s(fact.commit) ? &s : nullptr}) {
      if (uses == nullptr) continue;
      using Kind = CatalogFact::Kind;
      uses->any = true;
      uses->existence |= fact.kind == Kind::create || fact.kind == Kind::drop;
      uses->name |= fact.kind == Kind::rename;
      uses->schema |= fact.kind == Kind::alter;
    }
  }
  for (const auto& [stamp, row] : rows_) {
    for (const Event& event : row.events) {
      if (row.dataset != d) continue;
      const bool added = &event == &row.events.front();
      t.any |= undoing.in_t(event.commit) && !broken(Broken::revert_counts_added_rows_only);
      s.any |=
          undoing.in_s(event.commit) && (added || !broken(Broken::revert_counts_added_rows_only));
    }
  }
  if (!broken(Broken::revert_ignores_existence)) {
    if ((t.existence && s.any) || (s.existence && t.any)) return Refusal::dataset;
  }
  if (t.name && s.name && !broken(Broken::revert_ignores_names)) return Refusal::name;
  if (t.schema && s.schema && !broken(Broken::revert_ignores_schemas)) return Refusal::schema;
  return Refusal::none;
}

// Rows shown since m carry no column that the revert takes away, and fit the schema that comes
// back; rows that come back fit the schema too.
Refusal Model::judge_columns(Dataset d, Commit m, const Undoing& undoing) const {
  const auto face_m = face(d, lineages(d)[m]);
  const auto face_after = face(d, undoing.after);
  if (!face_m || !face_after) return Refusal::none;
  const auto lost = [&](const Column& carried) {
    const auto has = [&](const Table& table) {
      return std::ranges::find(table.columns, carried.id, &Column::id) != table.columns.end();
    };
    return has(*face_m) && !has(*face_after);
  };
  const bool by_t = std::ranges::any_of(catalog_.at(d), [&](const CatalogFact& fact) {
    return fact.kind == CatalogFact::Kind::alter && undoing.in_t(fact.commit);
  });
  const Moved moved = this->moved(d, m, undoing, Broken::revert_columns_of_begun_only);
  const auto fit = [&](const Row* row) {
    return fits(row->written, face_after->columns, Match::id);
  };
  const auto keeps_all = [&](const Row* row) {
    return fit(row) && std::ranges::none_of(row->written, lost);
  };
  const bool since = by_t && !std::ranges::all_of(moved.since, keeps_all);
  const bool back = !std::ranges::all_of(moved.back, fit);
  const bool refuse = (since && !broken(Broken::revert_ignores_columns)) ||
                      (back && !broken(Broken::revert_ignores_rows_that_return));
  return refuse ? Refusal::columns : Refusal::none;
}

// Rows that come back share no id and no `error` key with rows shown since m.
Refusal Model::judge_unique(Dataset d, Commit m, const Undoing& undoing) const {
  const auto after = face(d, undoing.after);
  if (!after || broken(Broken::revert_ignores_unique)) return Refusal::none;
  Table both{.name = 0, .policy = after->policy, .columns = {}, .rows = {}};
  const Moved moved = this->moved(d, m, undoing, Broken::revert_unique_of_begun_only);
  for (const Row* row : moved.back) both.rows.emplace(both.rows.size(), *row);
  for (const Row* row : moved.since) both.rows.emplace(both.rows.size(), *row);
  return !moved.back.empty() && !is_unique(both) ? Refusal::unique : Refusal::none;
}

// Rows that the revert brings back, and rows that n-1 shows and m did not.
Model::Moved Model::moved(Dataset d, Commit m, const Undoing& undoing, Broken begun_only) const {
  Moved moved;
  const Set& now = lineages(d).back();
  const Set& then = lineages(d)[m];
  for (const auto& [stamp, row] : rows_) {
    if (row.dataset != d) continue;
    const bool counts = undoing.since.contains(row.events.front().commit) || !broken(begun_only);
    if (visible(row, undoing.after) && !visible(row, now)) moved.back.push_back(&row.row);
    if (visible(row, now) && !visible(row, then) && counts) moved.since.push_back(&row.row);
  }
  return moved;
}

Refusal Model::judge(Dataset d, Commit m, const Undoing& undoing) const {
  if (broken(Broken::revert_unchecked)) return Refusal::none;
  if (broken(Broken::revert_refused_when_anything_came_since) && m != head()) return Refusal::since;
  Refusal refusal = judge_rows(d, undoing);
  if (refusal == Refusal::none) refusal = judge_catalog(d, undoing);
  if (refusal == Refusal::none) refusal = judge_columns(d, m, undoing);
  if (refusal == Refusal::none) refusal = judge_unique(d, m, undoing);
  return refusal;
}

Refusal Model::revert(const Operation& operation) {
  const Commit m = operation.target;
  const bool retained = retained_.contains(m) && retained_.contains(m - 1);
  if (!retained && !broken(Broken::expired_is_reachable)) return Refusal::retention;
  if (expires_.contains(m)) return Refusal::retention;
  std::map<Dataset, Set> after;
  std::set<int> names;
  for (const auto& [d, facts] : catalog_) {
    after.emplace(d, lineage(d, head()));
    if (!operation.dataset || operation.dataset == d) {
      const Undoing undoing = this->undoing(d, m);
      if (const Refusal refusal = judge(d, m, undoing); refusal != Refusal::none) return refusal;
      after.at(d) = undoing.after;
    }
    const auto table = face(d, after.at(d));
    if (table && !names.insert(table->name).second && !broken(Broken::revert_ignores_holders) &&
        !broken(Broken::revert_unchecked)) {
      return Refusal::holder;
    }
  }
  Set database = database_.back();
  if (!operation.dataset)
    database = undoing({head() + 1, 0}, m).after;  // of a dataset there is none
  commit([&](const std::vector<Set>&, std::optional<Dataset> d) {
    return d ? after.at(*d) : database;
  });
  return Refusal::none;
}

}  // namespace otolith::lineage_model
