#include "test/model/state.h"

#include <algorithm>
#include <set>
#include <utility>

namespace otolith::lineage_model {

namespace {

const Column* find(const Columns& columns, const Column& like, Match match) {
  const auto same = [&](const Column& c) {
    return match == Match::id ? c.id == like.id : c.identity == like.identity;
  };
  const auto at = std::ranges::find_if(columns, same);
  return at == columns.end() ? nullptr : &*at;
}

}  // namespace

Seen see(const Table& table, Match match) {
  Seen seen{.name = table.name, .policy = table.policy, .columns = {}, .rows = {}, .shown = {}};
  for (const Column& column : table.columns) seen.columns.push_back(column.identity);
  for (const auto& [stamp, row] : table.rows) {
    Seen::SeenRow out{.key = row.key, .time = row.time, .values = {}};
    for (const Column& column : table.columns) {
      const Column* written = find(row.written, column, match);
      out.values.push_back(written == nullptr ? 0 : written->identity);
    }
    seen.rows.emplace(stamp, std::move(out));
  }
  seen.shown = shown(table);
  return seen;
}

SeenState see(const State& state, Match match) {
  SeenState seen;
  for (const auto& [d, table] : state) seen.emplace(d, see(table, match));
  return seen;
}

std::vector<Stamp> shown(const Table& table) {
  std::vector<Stamp> stamps;
  std::map<std::pair<int, int>, Stamp> chosen;
  for (const auto& [stamp, row] : table.rows) {
    if (table.policy == Policy::first) {
      chosen.try_emplace({row.key, row.time}, stamp);
    } else if (table.policy == Policy::last) {
      chosen[{row.key, row.time}] = stamp;
    } else {
      stamps.push_back(stamp);
    }
  }
  for (const auto& [key, stamp] : chosen) stamps.push_back(stamp);
  std::ranges::sort(stamps);
  return stamps;
}

bool fits(const Columns& written, const Columns& columns, Match match) {
  return std::ranges::all_of(columns, [&](const Column& column) {
    const Column* value = find(written, column, match);
    return value == nullptr ? !column.required : value->width <= column.width;
  });
}

bool is_unique(const Table& table) {
  if (table.policy != Policy::error && table.policy != Policy::collection) return true;
  std::set<std::pair<int, int>> keys;
  return std::ranges::all_of(table.rows, [&](const auto& entry) {
    const Row& row = entry.second;
    return keys.emplace(row.key, table.policy == Policy::collection ? 0 : row.time).second;
  });
}

bool is_valid(const State& state) {
  std::set<int> names;
  return std::ranges::all_of(state, [&](const auto& entry) {
    const Table& table = entry.second;
    return names.insert(table.name).second && is_unique(table) &&
           std::ranges::all_of(table.rows, [&](const auto& row) {
             return fits(row.second.written, table.columns, Match::identity);
           });
  });
}

}  // namespace otolith::lineage_model
