#include "scan/shown_apart.h"

#include <algorithm>
#include <set>

#include "base/mutant.h"
#include "history/rows_view.h"
#include "model/cast.h"
#include "scan/collected.h"
#include "scan/documents_apart.h"
#include "scan/merge.h"
#include "scan/policy.h"
#include "scan/prune.h"
#include "scan/row_ids.h"
#include "scan/together.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

using history::RowsOfBegin;
using history::RowsView;
using Units = std::vector<Unit>;
using SnapshotPtr = std::shared_ptr<const history::Snapshot>;

bool contains(const std::vector<RowsOfBegin>& rows, const RowId& row) {
  const auto found = std::ranges::lower_bound(rows, row.begin, {}, &RowsOfBegin::begin);
  return found != rows.end() && found->begin == row.begin && found->rows.contains(row.ordinal);
}

std::pair<std::int64_t, std::int64_t> times_of(const Units& units) {
  std::pair out{units.front().time_min, units.front().time_max};
  for (const Unit& unit : units) {
    out.first = std::min(out.first, unit.time_min);
    out.second = std::max(out.second, unit.time_max);
  }
  return out;
}

Walk walk_of(const ScanContext& context, const SnapshotPtr& snapshot,
             const history::DatasetEntry& dataset) {
  const ReadRequest all{.columns = std::vector<std::string>{}};
  return Walk(context.store, snapshot, dataset, wanted_of(all, *dataset.schema), false);
}

std::set<const RowSource*> sources_of(const Units& units) {
  std::set<const RowSource*> out;
  for (const Unit& unit : units) out.insert(unit.source.get());
  return out;
}

// Rows of two kinds side by side: units of the one, and of the other.
class Sides {
 public:
  Sides(const ScanContext& context, const history::DatasetEntry& dataset, const Units& units,
        const std::set<const RowSource*>& second)
      : together_(context, dataset, units) {
    for (const Unit& unit : units) {
      ids_.emplace_back(unit);
      second_.push_back(second.contains(unit.source.get()));
    }
  }

  /// Calls with the row ids of each group that share keys and time: of the first side, and of the
  /// second.
  template <typename Meet>
  void groups(Meet meet) const {
    std::vector<RowId> first;
    std::vector<RowId> second;
    together_.groups(1, [&](std::span<const std::uint64_t> group) {
      first.clear();
      second.clear();
      for (const std::uint64_t row : group) {
        const std::size_t unit = together_.unit_of(row);
        const std::uint64_t place = together_.place_of(row);
        (second_[unit] ? second : first)
            .push_back({ids_[unit].begin(place), ids_[unit].ordinal(place)});
      }
      meet(first, second);
    });
  }

 private:
  const Together together_;
  std::vector<RowIds> ids_;
  std::vector<bool> second_;
};

// The dataset with keys that are wide enough for the rows of both states.
history::DatasetEntry comparable(const history::DatasetEntry& before,
                                 const history::DatasetEntry& after) {
  Schema schema = *after.schema;
  for (const std::size_t key : schema.key_indexes()) {
    Column& column = schema.columns[key];
    const auto& others = before.schema->columns;
    const auto other = std::ranges::find(others, column.id, &Column::id);
    if (other != others.end() && model::cast_always_exact(column.type, other->type))
      column.type = other->type;
  }
  return {after.id, after.name, std::make_shared<const Schema>(std::move(schema))};
}

// Goes through the rows that differ, partition by partition.
class Settling {
 public:
  Settling(const ScanContext& context, const history::StatesApart& states,
           const history::DatasetApart& apart)
      : context_(context),
        dataset_(comparable(*apart.before, *apart.after)),
        rows_(apart.rows),
        hides_(hides_rows(*dataset_.schema)),
        differing_(view(states, joined_rows(rows_.added, rows_.removed))),
        was_(hides_ ? states.from : view(states, rows_.removed)),
        fresh_(view(states, rows_.added)) {}

  ShownApart run() {
    Walk walk = walk_of(context_, differing_, dataset_);
    for (Units units = walk.next(); !units.empty(); units = walk.next()) partition(units);
    return {added_.take(), removed_.take(), before_.take(), after_.take()};
  }

 private:
  SnapshotPtr view(const history::StatesApart& states, std::vector<RowsOfBegin> rows) const {
    return std::make_shared<RowsView>(states.later, dataset_, std::move(rows));
  }

  void partition(const Units& differing) {
    const auto [first, last] = times_of(differing);
    Units units = units_between(context_, was_, dataset_, first, last);
    if (hides_ && rows_in(differing) <= kLookedUpRowsMax)
      look_up(units, differing, *dataset_.schema);
    Units fresh = units_between(context_, fresh_, dataset_, first, last);
    const std::set<const RowSource*> second = sources_of(fresh);
    std::ranges::move(fresh, std::back_inserter(units));
    for (const Units& cluster :
         clusters_of(std::move(units), {dataset_.schema.get(), Order::time})) {
      Sides(context_, dataset_, cluster, second)
          .groups([&](const std::vector<RowId>& was, const std::vector<RowId>& came) {
            group(was, came);
          });
    }
  }

  void group(std::vector<RowId> was, const std::vector<RowId>& came) {
    std::vector<RowId> is = came;
    for (const RowId& row : was) {
      if (!contains(rows_.removed, row)) is.push_back(row);
    }
    if (came.empty() && is.size() == was.size()) return;
    keep_shown(was);
    keep_shown(is);
    if (was == is) return;
    const std::size_t both = mutant("diff-pairs-nothing") ? 0 : std::min(was.size(), is.size());
    for (std::size_t i = 0; i < was.size(); ++i) (i < both ? before_ : removed_).add(was[i]);
    for (std::size_t i = 0; i < is.size(); ++i) (i < both ? after_ : added_).add(is[i]);
  }

  void keep_shown(std::vector<RowId>& rows) const {
    std::ranges::sort(rows);
    if (!hides_ || rows.size() < 2 || mutant("diff-before-policy")) return;
    const bool last = dataset_.schema->duplicates == Duplicates::last;
    rows = {last ? rows.back() : rows.front()};
  }

  const ScanContext& context_;
  const history::DatasetEntry dataset_;
  const history::RowsApart& rows_;
  const bool hides_;
  const SnapshotPtr differing_;
  const SnapshotPtr was_;    // rows of the first state that may be met
  const SnapshotPtr fresh_;  // rows that only the second has
  CollectedRows added_;
  CollectedRows removed_;
  CollectedRows before_;
  CollectedRows after_;
};

}  // namespace

ShownApart shown_apart(const ScanContext& context, const history::StatesApart& states,
                       const history::DatasetApart& dataset) {
  if (dataset.after->schema->duplicates == Duplicates::keep)
    return {dataset.rows.added, dataset.rows.removed, {}, {}};
  return Settling(context, states, dataset).run();
}

std::vector<history::Meeting> meetings(const ScanContext& context,
                                       const history::DatasetEntry& dataset,
                                       const SnapshotPtr& back, const SnapshotPtr& since,
                                       std::size_t most) {
  if (dataset.schema->kind == DatasetKind::collection)
    return document_meetings(context, dataset, back, since, most);
  std::vector<history::Meeting> out;
  Walk walk = walk_of(context, back, dataset);
  for (Units units = walk.next(); !units.empty() && out.size() < most; units = walk.next()) {
    const auto [first, last] = times_of(units);
    Units there = units_between(context, since, dataset, first, last);
    if (rows_in(units) <= kLookedUpRowsMax) look_up(there, units, *dataset.schema);
    if (there.empty() || mutant("revert-meets-nobody")) continue;
    const std::set<const RowSource*> second = sources_of(there);
    std::ranges::move(there, std::back_inserter(units));
    for (const Units& cluster :
         clusters_of(std::move(units), {dataset.schema.get(), Order::time})) {
      Sides(context, dataset, cluster, second)
          .groups([&](const std::vector<RowId>& returning, const std::vector<RowId>& shown) {
            if (shown.empty()) return;
            for (const RowId& row : returning) {
              if (out.size() < most) out.push_back({row.begin, row.ordinal, shown.front().begin});
            }
          });
    }
  }
  return out;
}

}  // namespace otolith::scan
