#include "test/model/operation.h"

#include <fmt/format.h>

#include <algorithm>

namespace otolith::lineage_model {

bool name_is_free(const State& state, int name, Dataset except) {
  return std::ranges::none_of(
      state, [&](const auto& entry) { return entry.first != except && entry.second.name == name; });
}

namespace {

void erase_rows(Table& table, const auto& condition) {
  std::erase_if(table.rows, [&](const auto& entry) { return condition(entry.second); });
}

// Edits of rows. False: refused.
bool edit_rows(Table& table, const Edit& edit) {
  const auto same_key = [&](const Row& row) { return row.key == edit.key; };
  switch (edit.kind) {
    case Edit::Kind::put:
      erase_rows(table, same_key);
      break;
    case Edit::Kind::insert:
    case Edit::Kind::append:
      break;
    case Edit::Kind::remove:
      erase_rows(table, [&](const Row& row) { return edit.scope.holds(row); });
      return true;
    default:
      return false;
  }
  table.rows.emplace(edit.stamp, Row{edit.key, edit.time, table.columns});
  return is_unique(table);
}

// Edits of the dataset itself. False: refused.
bool edit_table(State& state, Table& table, const Edit& edit) {
  switch (edit.kind) {
    case Edit::Kind::drop:
      return state.erase(edit.dataset) > 0;
    case Edit::Kind::rename:
      table.name = edit.name;
      return name_is_free(state, edit.name, edit.dataset);
    case Edit::Kind::add_column:
      table.columns.push_back({.identity = edit.stamp, .label = edit.key});
      return true;
    case Edit::Kind::drop_column:
      if (table.columns.size() < 2) return false;
      table.columns.pop_back();
      return true;
    case Edit::Kind::widen:
      return ++table.columns.front().width <= kWidthMax;
    case Edit::Kind::relabel:
      table.columns.front().label = edit.key;
      return true;
    default:
      return edit_rows(table, edit);
  }
}

}  // namespace

bool apply(const Edit& edit, State& state) {
  if (edit.kind == Edit::Kind::create) {
    Table table{.name = edit.name, .policy = edit.policy, .columns = {}, .rows = {}};
    table.columns.push_back({.identity = edit.stamp});
    if (edit.key != 0) table.columns.push_back({.identity = edit.stamp + 1, .required = true});
    return name_is_free(state, edit.name, edit.dataset) &&
           state.emplace(edit.dataset, table).second;
  }
  const auto at = state.find(edit.dataset);
  return at != state.end() && edit_table(state, at->second, edit);
}

void settle(const std::vector<Edit>& edits, State& state) {
  for (const Edit& edit : edits) {
    const auto at = state.find(edit.dataset);
    if (at == state.end()) continue;
    const auto row = at->second.rows.find(edit.stamp);
    if (row != at->second.rows.end()) row->second.written = at->second.columns;
  }
}

std::string text(const Operation& operation) {
  static constexpr const char* kEdits[] = {"put",         "insert", "append", "remove",
                                           "create",      "drop",   "rename", "add_column",
                                           "drop_column", "widen",  "relabel"};
  static constexpr const char* kKinds[] = {"edits",  "rollback", "scope_rollback",
                                           "revert", "expire",   "tag"};
  const auto id = [](Dataset d) { return fmt::format("{}.{}", d.created, d.index); };
  std::string line;
  for (const Edit& edit : operation.edits) {
    line += fmt::format("{} {} name {} key {} time {} policy {}; ",
                        kEdits[static_cast<int>(edit.kind)], id(edit.dataset), edit.name, edit.key,
                        edit.time, static_cast<int>(edit.policy));
  }
  if (operation.kind == Operation::Kind::edits) return line;
  line = fmt::format("{} {}", kKinds[static_cast<int>(operation.kind)], operation.target);
  if (operation.dataset) line += " of " + id(*operation.dataset);
  if (operation.replace_name) line += " replacing";
  return line;
}

}  // namespace otolith::lineage_model
