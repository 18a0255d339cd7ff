#include "test/stateful/plain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <set>

#include "test/truth.h"

namespace otolith::stateful {

namespace {

using test::Value;

// Where a time falls; said once more in other words than the code's.
std::int64_t bucket(Partition partition, std::int64_t time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> at{nanoseconds(time)};
  const year_month_day date{floor<days>(at)};
  switch (partition) {
    case Partition::none:
      return 0;
    case Partition::hour:
      return floor<hours>(at).time_since_epoch().count();
    case Partition::day:
      return floor<days>(at).time_since_epoch().count();
    case Partition::month:
      return int{date.year()} * 12 + static_cast<int>(unsigned{date.month()});
    case Partition::year:
      return int{date.year()};
  }
  return 0;
}

bool less(const Cell& a, const Cell& b) {
  if (const auto* left = std::get_if<Decimal>(&*a)) {
    const auto& right = std::get<Decimal>(*b);
    return model::int128_of(*left) < model::int128_of(right);
  }
  if (const auto* left = std::get_if<std::string>(&*a))
    return *left < std::get<std::string>(*b);  // by unsigned bytes
  if (const auto* left = std::get_if<std::int64_t>(&*a)) return *left < std::get<std::int64_t>(*b);
  return std::get<std::uint64_t>(*a) < std::get<std::uint64_t>(*b);
}

// A row and what it is sorted by.
struct Placed {
  std::int64_t first;  // the bucket in stored order, else the time
  std::vector<Cell> keys;
  std::int64_t time;
  std::size_t arrival;
  RowPtr row;

  bool before(const Placed& other) const {
    if (first != other.first) return first < other.first;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (less(keys[i], other.keys[i])) return true;
      if (less(other.keys[i], keys[i])) return false;
    }
    return time < other.time;
  }
  bool same_place(const Placed& other) const { return !before(other) && !other.before(*this); }
};

// Of rows that share keys and time, sorted and in the order they came, what a policy shows.
void apply_policy(Duplicates policy, std::vector<Placed>& rows) {
  if (policy == Duplicates::keep || policy == Duplicates::error) return;
  std::vector<Placed> out;
  for (Placed& row : rows) {
    const bool again = !out.empty() && out.back().same_place(row);
    if (!again)
      out.push_back(std::move(row));
    else if (policy == Duplicates::last)
      out.back() = std::move(row);
  }
  rows = std::move(out);
}

KeyValue key_value(const Cell& cell, Type type) {
  if (const auto* text = std::get_if<std::string>(&*cell)) return *text;
  if (const auto* units = std::get_if<Decimal>(&*cell)) return decimal_format(*units, type.scale);
  if (const auto* number = std::get_if<std::int64_t>(&*cell)) return *number;
  return std::get<std::uint64_t>(*cell);
}

}  // namespace

const PlainColumn& PlainTable::column(int number) const {
  return *std::ranges::find(columns, number, &PlainColumn::number);
}

const PlainColumn* PlainTable::find(const std::string& name) const {
  const auto found = std::ranges::find(columns, name, &PlainColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> PlainTable::names() const {
  std::vector<std::string> out;
  for (const PlainColumn& of : columns) out.push_back(of.name);
  return out;
}

bool PlainTable::is_key(int number) const { return std::ranges::find(keys, number) != keys.end(); }

Schema PlainTable::schema() const {
  Schema out;
  for (const PlainColumn& of : columns) {
    out.columns.push_back({.name = of.name,
                           .type = of.type,
                           .nullable = of.nullable,
                           .codec = of.codec,
                           .metadata = of.metadata});
  }
  out.time = column(time).name;
  for (const int key : keys) out.keys.push_back(column(key).name);
  out.partition = partition;
  out.duplicates = duplicates;
  out.codec = codec;
  out.metadata = metadata;
  return out;
}

Cell PlainTable::cell(const PlainRow& row, const PlainColumn& of) const {
  const auto found = row.cells.find(of.number);
  if (found == row.cells.end() || !found->second) return std::nullopt;
  const auto* number = std::get_if<std::uint64_t>(&*found->second);
  const bool now_signed = of.type.kind >= TypeKind::int8 && of.type.kind <= TypeKind::int64;
  if (number == nullptr || !now_signed) return found->second;
  return Value(static_cast<std::int64_t>(*number));  // widened since
}

Row PlainTable::values(const PlainRow& row) const {
  Row out;
  for (const PlainColumn& of : columns) out.push_back(cell(row, of));
  return out;
}

Rows PlainTable::shown(Order order) const {
  std::vector<Placed> placed;
  for (const RowPtr& row : rows) {
    const std::int64_t first = order == Order::time ? row->time : bucket(partition, row->time);
    Placed at{first, {}, row->time, placed.size(), row};
    for (const int key : keys) at.keys.push_back(cell(*row, column(key)));
    placed.push_back(std::move(at));
  }
  std::ranges::sort(placed, [](const Placed& a, const Placed& b) {
    return a.before(b) || (!b.before(a) && a.arrival < b.arrival);
  });
  apply_policy(duplicates, placed);
  Rows out;
  for (Placed& at : placed) out.push_back(std::move(at.row));
  return out;
}

bool PlainTable::same_place(const PlainRow& a, const PlainRow& b) const {
  return (documents || a.time == b.time) && std::ranges::all_of(keys, [&](int key) {
           return cell(a, column(key)) == cell(b, column(key));
         });
}

bool PlainTable::refuses_duplicates() const {
  if (documents) {
    std::set<std::string> ids;
    for (const RowPtr& row : rows) ids.insert(std::get<std::string>(*row->cells.at(keys[0])));
    return ids.size() < rows.size();
  }
  if (duplicates != Duplicates::error) return false;
  const Rows sorted = shown(Order::time);
  return std::ranges::adjacent_find(sorted, [&](const RowPtr& a, const RowPtr& b) {
           return same_place(*a, *b);
         }) != sorted.end();
}

bool same_columns(const PlainTable& a, const PlainTable& b, bool notes) {
  const auto bare = [&](PlainTable table) {
    if (!notes) {
      table.metadata.clear();
      for (PlainColumn& of : table.columns) of.metadata.clear();
    }
    return std::pair(table.columns, table.metadata);
  };
  return bare(a) == bare(b);
}

PlainTable* find_id(PlainState& state, int id, std::string* name) {
  for (auto& [key, table] : state) {
    if (table.id != id) continue;
    if (name != nullptr) *name = key;
    return &table;
  }
  return nullptr;
}

bool Choice::in_range(const PlainTable& table, const PlainRow& row) const {
  if (start && row.time < start->ns) return false;
  if (stop && row.time >= stop->ns) return false;
  return std::ranges::all_of(keys, [&](const auto& filter) {
    const Cell has = table.cell(row, table.column(filter.first));
    return std::ranges::any_of(filter.second, [&](const Cell& one) { return has == one; });
  });
}

Rows Choice::matching(const PlainTable& table, const Rows& rows) const {
  const Schema schema = table.schema();
  Rows out;
  for (const RowPtr& row : rows) {
    if (!in_range(table, *row)) continue;
    if (!where || scan::sample_world::truth_of(*where, schema, table.values(*row)) == true)
      out.push_back(row);
  }
  return out;
}

std::uint64_t Choice::remove_from(const PlainTable& table, Rows& rows) const {
  const bool one_shown =
      table.duplicates == Duplicates::last || table.duplicates == Duplicates::first;
  if (where && one_shown) {  // the row that is shown is asked, and takes along those it hides
    PlainTable only = table;
    only.rows = rows;
    const Rows asked = matching(table, only.shown(Order::time));
    return std::erase_if(rows, [&](const RowPtr& row) {
      return std::ranges::any_of(
          asked, [&](const RowPtr& shown) { return table.same_place(*row, *shown); });
    });
  }
  const Rows gone = matching(table, rows);
  std::size_t at = 0;  // both are in one order
  return std::erase_if(rows, [&](const RowPtr& row) {
    const bool goes = at < gone.size() && gone[at] == row;
    if (goes) ++at;
    return goes;
  });
}

std::vector<KeyFilter> Choice::filters(const PlainTable& table) const {
  std::vector<KeyFilter> out;
  for (const auto& [number, cells] : keys) {
    const PlainColumn& of = table.column(number);
    KeyFilter filter{of.name, {}};
    for (const Cell& one : cells) filter.values.push_back(key_value(one, of.type));
    out.push_back(std::move(filter));
  }
  return out;
}

DeleteRequest Choice::delete_request(const PlainTable& table) const {
  return {.start = start, .stop = stop, .keys = filters(table), .where = where, .all = names_all()};
}

ReplaceRequest Choice::replace_request(const PlainTable& table) const {
  return {.start = start, .stop = stop, .keys = filters(table)};
}

std::string Choice::text(const PlainTable& table) const {
  std::string out = names_all() ? " all" : "";
  if (start) out += fmt::format(" from {}", start->ns);
  if (stop) out += fmt::format(" to {}", stop->ns);
  for (const auto& [number, cells] : keys)
    out += fmt::format(" {} of {} values", table.column(number).name, cells.size());
  if (where) out += " with a condition";
  return out;
}

}  // namespace otolith::stateful
