#include "test/stateful/chance.h"

#include <algorithm>
#include <set>

#include "model/compare.h"
#include "test/truth.h"

namespace otolith::stateful {

namespace {

using test::kAllTypes;
using test::random_cell;
using test::Value;

constexpr std::int64_t kTickNs = 900'000'000'000;
constexpr std::int64_t kYearNs = 31'556'952'000'000'000;
constexpr std::uint64_t kTicks = 400;
constexpr std::size_t kLongTextBytes = 6000;
constexpr std::uint64_t kLongRows = 70;  // together beyond a third of the least memory

}  // namespace

std::string Chance::name() { return std::string(1, static_cast<char>('a' + upto(7))); }

Type Chance::any_type() { return of(kAllTypes); }

Type Chance::key_type() {
  while (true) {
    const Type type = any_type();
    if (model::is_key_type(type)) return type;
  }
}

PlainColumn Chance::column(int& numbers) {
  PlainColumn out{.number = ++numbers, .name = name(), .type = any_type()};
  if (one_in(6)) out.codec = one_in(2) ? "raw" : "small";
  if (one_in(8)) out.metadata["unit"] = name();
  return out;
}

PlainTable Chance::table(int id, int& numbers) {
  static constexpr const char* kCodecs[] = {"hot", "small", "raw"};
  PlainTable out;
  out.id = id;
  for (std::uint64_t i = 0, count = upto(5); i < count; ++i) {
    PlainColumn added = column(numbers);
    added.nullable = !one_in(4);
    if (out.find(added.name) == nullptr) out.columns.push_back(std::move(added));
  }
  for (std::uint64_t i = 0, count = upto(3); i < count; ++i) {
    const std::string key = std::string("key") + static_cast<char>('0' + i);
    const int number = ++numbers;
    const auto at = out.columns.begin() + static_cast<std::ptrdiff_t>(upto(out.columns.size() + 1));
    out.columns.insert(at, {number, key, key_type(), false, "", {}});
    out.keys.push_back(number);
  }
  out.time = ++numbers;
  const auto at = out.columns.begin() + static_cast<std::ptrdiff_t>(upto(out.columns.size() + 1));
  out.columns.insert(at, {out.time, "time", {TypeKind::timestamp}, false, "", {}});
  if (out.keys.size() > 1 && one_in(2)) std::swap(out.keys[0], out.keys[1]);
  out.partition = static_cast<Partition>(upto(5));
  out.duplicates = of(kPolicies);
  out.codec = of(kCodecs);
  if (one_in(4)) out.metadata["note"] = name();
  return out;
}

std::int64_t Chance::time(const PlainTable& table) {
  if (!table.rows.empty() && one_in(3)) return of(table.rows)->time;
  const auto tick = static_cast<std::int64_t>(upto(kTicks)) * kTickNs;
  if (one_in(12)) return tick + (static_cast<std::int64_t>(upto(40)) - 20) * kYearNs;
  if (one_in(200)) return one_in(2) ? kTimestampMin.ns : kTimestampMax.ns;
  return tick;
}

// Mostly one that a row has.
Cell Chance::key_cell(const PlainTable& table, const PlainColumn& column) {
  if (!table.rows.empty() && !one_in(3)) return table.cell(*of(table.rows), column);
  return random_cell(random_, {.name = column.name, .type = column.type, .nullable = false});
}

RowPtr Chance::row(const PlainTable& table) {
  if (!table.rows.empty() && one_in(12)) {  // the same again
    auto again = std::make_shared<PlainRow>();
    const RowPtr& before = of(table.rows);
    again->time = before->time;
    for (const PlainColumn& column : table.columns)
      again->cells[column.number] = table.cell(*before, column);
    const bool whole = std::ranges::all_of(table.columns, [&](const PlainColumn& column) {
      return column.nullable || again->cells[column.number].has_value();
    });
    if (whole) return again;
  }
  auto out = std::make_shared<PlainRow>();
  out->time = time(table);
  for (const PlainColumn& column : table.columns) {
    Cell& cell = out->cells[column.number];
    if (column.number == table.time) {
      cell = Value(out->time);
    } else if (table.is_key(column.number)) {
      cell = key_cell(table, column);
    } else {
      cell = random_cell(random_,
                         {.name = column.name, .type = column.type, .nullable = column.nullable});
    }
  }
  return out;
}

Rows Chance::rows(const PlainTable& table, std::uint64_t count) {
  Rows out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(row(table));
  const bool in_order = one_in(2);
  if (in_order) std::ranges::sort(out, {}, [](const RowPtr& of) { return of->time; });
  return out;
}

Rows Chance::long_rows(const PlainTable& table) {
  const auto text = std::ranges::find_if(table.columns, [&](const PlainColumn& column) {
    return model::is_text(column.type) && !table.is_key(column.number);
  });
  if (text == table.columns.end()) return {};
  Rows out;
  const std::string filling(kLongTextBytes, static_cast<char>('a' + upto(26)));
  for (const RowPtr& one : rows(table, kLongRows)) {
    auto longer = std::make_shared<PlainRow>(*one);
    longer->cells[text->number] = Value(filling);
    out.push_back(std::move(longer));
  }
  return out;
}

Choice Chance::choice(const PlainTable& table, bool conditions) {
  Choice out;
  if (one_in(2)) out.start = Timestamp{time(table)};
  if (one_in(2)) out.stop = Timestamp{time(table)};
  if (!table.keys.empty() && one_in(2)) {
    const PlainColumn& key = table.column(of(table.keys));
    for (std::uint64_t i = 0, count = 1 + upto(3); i < count; ++i)
      out.keys[key.number].push_back(key_cell(table, key));
  }
  if (conditions && one_in(3))
    out.where = scan::sample_world::random_condition(random_, table.schema(), 2);
  return out;
}

// ---- schemas

namespace {

bool is_signed(Type type) { return type.kind >= TypeKind::int8 && type.kind <= TypeKind::int64; }
bool is_unsigned(Type type) {
  return type.kind >= TypeKind::uint8 && type.kind <= TypeKind::uint64;
}

// What may become what, said once more in other words than the code's.
bool may_widen(Type from, Type to) {
  if (from == to) return true;
  if (is_signed(from)) return is_signed(to) && type_width(from) < type_width(to);
  if (is_unsigned(from))
    return (is_signed(to) || is_unsigned(to)) && type_width(from) < type_width(to);
  if (from.kind == TypeKind::float32) return to.kind == TypeKind::float64;
  return from.kind == TypeKind::decimal && to.kind == TypeKind::decimal && from.scale == to.scale &&
         from.precision < to.precision;
}

Type some_wider(Chance& chance, Type from) {
  Type to = chance.of(kAllTypes);
  for (int again = 0; again < 30 && !may_widen(from, to); ++again) to = chance.of(kAllTypes);
  return to;
}

void note(Chance& chance, MetadataChange& change, std::map<std::string, std::string>& metadata) {
  const std::string key = chance.one_in(2) ? "unit" : "note";
  if (chance.one_in(3)) {
    change[key] = std::nullopt;
    metadata.erase(key);
  } else {
    metadata[key] = (change[key] = chance.name()).value();
  }
}

// What happens to one column that is there; false where it is dropped.
bool change_column(Chance& chance, const PlainTable& before, PlainColumn& column,
                   Alteration& made) {
  const std::string name = column.name;
  const bool fixed = column.number == before.time || before.is_key(column.number);
  if (chance.one_in(fixed ? 80 : 8)) {
    made.change.drop.push_back(name);
    made.legal = made.legal && !fixed;
    return false;
  }
  if (chance.one_in(10)) column.name = made.change.rename[name] = chance.name();
  if (chance.one_in(10)) note(chance, made.change.column_metadata[name], column.metadata);
  if (column.number != before.time && chance.one_in(4)) {
    const Type to = made.change.widen[name] = some_wider(chance, column.type);
    made.legal = made.legal && may_widen(column.type, to);
    column.type = to;
  }
  return true;
}

}  // namespace

Alteration alteration(Chance chance, const PlainTable& before, int& numbers) {
  Alteration out;
  PlainTable& after = out.after = before;
  after.columns.clear();
  for (PlainColumn column : before.columns) {
    if (change_column(chance, before, column, out)) after.columns.push_back(std::move(column));
  }
  for (std::uint64_t count = chance.upto(3); count > 0; --count) {
    PlainColumn added = chance.column(numbers);
    if (chance.one_in(6)) {
      added.nullable = false;
      out.legal = out.legal && !before.held_rows;
    }
    out.change.add.push_back({.name = added.name,
                              .type = added.type,
                              .nullable = added.nullable,
                              .codec = added.codec,
                              .metadata = added.metadata});
    after.columns.push_back(std::move(added));
  }
  if (chance.one_in(6)) note(chance, out.change.metadata, after.metadata);
  std::vector<std::string> names = after.names();
  std::ranges::sort(names);
  out.legal = out.legal && std::ranges::adjacent_find(names) == names.end();
  return out;
}

}  // namespace otolith::stateful
