#include "scan/prune.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <set>
#include <span>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/criterion.h"
#include "model/decimals.h"

namespace otolith::scan {

namespace {

// ------------------------------------------------------------------------------------------
// request

std::size_t column_of(const Schema& schema, const std::string& name) {
  const auto found = schema.find(name);
  if (found) return *found;
  throw_error(ErrorCode::invalid_argument, "there is no column {}{}", quoted(name),
              nearest_hint(name, schema.names()));
}

std::size_t key_of(const Schema& schema, const std::string& name) {
  const std::size_t column = column_of(schema, name);
  if (std::ranges::find(schema.keys, name) != schema.keys.end()) return column;
  throw_error(ErrorCode::invalid_argument,
              "column {} is no key of this table{}; keys= takes keys only", quoted(name),
              nearest_hint(name, schema.keys));
}

// A number that the column's type cannot hold equals no row.
void add_decimal(KeyTest& test, const Column& column, const KeyValue& value) {
  std::optional<Decimal> units;
  if (const auto* text = std::get_if<std::string>(&value)) {
    const model::DecimalText read = model::decimal_from_text(*text, column.type);
    if (!read.is_number) {
      throw_error(ErrorCode::invalid_argument, "key {} is {}, {} is no number", quoted(column.name),
                  type_name(column.type), quoted(*text));
    }
    units = read.units;
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    units = model::decimal_rescaled(*number, 0, column.type);
  } else {
    units = model::decimal_rescaled(std::get<std::uint64_t>(value), 0, column.type);
  }
  if (units) test.decimals.push_back(*units);
}

void add_value(KeyTest& test, const Column& column, const KeyValue& value) {
  if (column.type.kind == TypeKind::decimal) return add_decimal(test, column, value);
  const bool text = std::holds_alternative<std::string>(value);
  if (text != model::is_text(column.type)) {
    throw_error(ErrorCode::invalid_argument, "key {} is {}, a value given for it is {}",
                quoted(column.name), type_name(column.type), text ? "text" : "a number");
  }
  if (text) {
    test.texts.push_back(std::get<std::string>(value));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    test.signed_values.push_back(*number);
    if (*number >= 0) test.unsigned_values.push_back(static_cast<std::uint64_t>(*number));
  } else {
    const auto large = std::get<std::uint64_t>(value);
    test.unsigned_values.push_back(large);
    if (large <= INT64_MAX) test.signed_values.push_back(static_cast<std::int64_t>(large));
  }
}

KeyTest test_of(const KeyFilter& filter, const Schema& schema) {
  const Column& column = schema.columns[key_of(schema, filter.column)];
  KeyTest out;
  out.column = ColumnId{column.id};
  out.leads = filter.column == schema.keys.front();
  out.scale = column.type.scale;
  for (const KeyValue& value : filter.values) add_value(out, column, value);
  std::ranges::sort(out.signed_values);
  std::ranges::sort(out.unsigned_values);
  std::ranges::sort(out.texts);
  std::ranges::sort(out.decimals);
  return out;
}

// The decimals asked for in units of a stored type, whose scale is another.
KeyTest in_units_of(Type stored, const KeyTest& test) {
  KeyTest out;
  out.column = test.column;
  out.scale = stored.scale;
  for (const Decimal units : test.decimals) {
    const auto same = model::decimal_rescaled(model::int128_of(units), test.scale, stored);
    if (same) out.decimals.push_back(*same);
  }
  return out;
}

// --------------------------------------------------------------------------------------------
// pages

// For each page with candidates: `bounds` answers from its zone map (nullopt: unknown), else the
// source by what it stores, where there is a test of that, else `keep` gets its values and appends
// those of a range that are wanted.
template <typename Bounds, typename Keep>
RowSet by_page(const RowSource& source, std::size_t piece, ColumnId column,
               const RowSet& candidates, const model::Criterion* test, Bounds bounds, Keep keep) {
  const std::uint64_t rows = source.pieces()[piece].rows;
  const std::uint64_t page_rows = std::min(source.page_rows(), rows);
  RowSet out;
  std::vector<std::uint64_t> bits(test == nullptr ? 0 : model::bit_words(page_rows));
  for (std::uint64_t first = 0; first < rows; first += page_rows) {
    const segment::Zone* zone = source.zone(piece, column, first / page_rows);
    const std::optional<bool> known = zone == nullptr ? std::nullopt : bounds(*zone);
    if (known && !*known) continue;
    const RowRange page{first, std::min(page_rows, rows - first)};
    const RowSet asked = intersect(candidates, {page});
    if (asked.empty()) continue;
    if (known) {
      for (const RowRange& range : asked) out.append({range.first, range.count});
      continue;
    }
    if (test != nullptr && source.select(piece, column, first / page_rows, *test, bits.data())) {
      RowSet passed;
      passed.append_bits(std::span(bits).first(model::bit_words(page.count)), first);
      for (const RowRange& range : intersect(asked, passed)) out.append({range.first, range.count});
      continue;
    }
    const Array values = source.values(piece, column, first, page.count);
    for (const RowRange& range : asked) keep(values, first, range, out);
  }
  return out;
}

// Appends the rows of a range that pass. Rows count from `first` in the values.
template <typename Test>
void keep_rows(const RowRange& range, std::uint64_t first, RowSet& out, Test test) {
  for (std::uint64_t row = range.first; row < range.end();) {
    const std::uint64_t from = row;
    while (row < range.end() && test(row - first)) ++row;
    if (row != from) out.append({from, row - from});
    if (row < range.end()) ++row;
  }
}

RowSet prune_time(const RowSource& source, std::size_t piece, const Wanted& wanted,
                  const RowSet& candidates) {
  const auto bounds = [&](const segment::Zone& zone) -> std::optional<bool> {
    const std::int64_t off = mutant("zone_map_off_by_one") ? 1 : 0;
    const auto min = zone.min_as<std::int64_t>() + off;
    const auto max = zone.max_as<std::int64_t>();
    if (!wanted.overlaps(min, max)) return false;
    return wanted.covers(min, max) ? std::optional(true) : std::nullopt;
  };
  const auto keep = [&](const Array& times, std::uint64_t first, const RowRange& range,
                        RowSet& out) {
    keep_rows(range, first, out, [&](std::uint64_t row) {
      const auto time = times.value<std::int64_t>(row);
      return wanted.covers(time, time);
    });
  };
  return by_page(source, piece, wanted.time, candidates, nullptr, bounds, keep);
}

bool is_unsigned(Type type) noexcept {
  return (type.kind >= TypeKind::uint8 && type.kind <= TypeKind::uint64) ||
         type.kind == TypeKind::boolean;
}

bool may_hold(const segment::Zone& zone, Type type, const KeyTest& test) {
  const auto any = [](const auto& values, auto holds) {
    return std::ranges::any_of(values, holds);
  };
  if (model::is_text(type)) {
    return any(test.texts, [&](const std::string& text) { return zone_may_hold(zone, text); });
  }
  if (type.kind == TypeKind::decimal) {
    return any(test.decimals, [&](Decimal units) { return zone_may_hold(zone, units); });
  }
  if (is_unsigned(type)) {
    return any(test.unsigned_values, [&](std::uint64_t n) { return zone_may_hold(zone, type, n); });
  }
  return any(test.signed_values, [&](std::int64_t n) { return zone_may_hold(zone, type, n); });
}

template <typename T>
bool holds(const Array& values, std::uint64_t row, const KeyTest& test) {
  const T value = values.value<T>(row);
  if constexpr (std::is_signed_v<T>)
    return std::ranges::binary_search(test.signed_values, value);
  else
    return std::ranges::binary_search(test.unsigned_values, value);
}

bool is_one_of(const Array& values, std::uint64_t row, const KeyTest& test) {
  if (values.is_null(row)) return false;
  switch (values.type.kind) {
    case TypeKind::int8:
      return holds<std::int8_t>(values, row, test);
    case TypeKind::int16:
      return holds<std::int16_t>(values, row, test);
    case TypeKind::int32:
      return holds<std::int32_t>(values, row, test);
    case TypeKind::int64:
    case TypeKind::timestamp:
      return holds<std::int64_t>(values, row, test);
    case TypeKind::boolean:
    case TypeKind::uint8:
      return holds<std::uint8_t>(values, row, test);
    case TypeKind::uint16:
      return holds<std::uint16_t>(values, row, test);
    case TypeKind::uint32:
      return holds<std::uint32_t>(values, row, test);
    case TypeKind::uint64:
      return holds<std::uint64_t>(values, row, test);
    case TypeKind::decimal:
      return std::ranges::binary_search(test.decimals, values.value<Decimal>(row));
    default:
      return std::binary_search(test.texts.begin(), test.texts.end(), values.text(row),
                                std::less<>());
  }
}

// Rows of a piece stand in the order of the first key: those of one value are found by halving.
void keep_texts(const Array& values, std::uint64_t first, const RowRange& range,
                const KeyTest& test, RowSet& out) {
  std::uint64_t from = range.first;
  for (const std::string& text : test.texts) {
    const auto rows = std::views::iota(from, range.end());
    const auto of = [&](std::uint64_t row) { return values.text(row - first); };
    const auto found = std::ranges::equal_range(rows, std::string_view(text), {}, of);
    if (found.empty()) continue;
    out.append({*found.begin(), static_cast<std::uint64_t>(found.size())});
    from = *found.begin() + static_cast<std::uint64_t>(found.size());
  }
}

// What is asked of values of a stored type.
model::Criterion criterion_of(const KeyTest& test, Type type) {
  model::Criterion out{.type = type, .kind = model::Criterion::Kind::set};
  if (model::is_text(type)) {
    out.text_set = test.texts;
  } else if (type.kind == TypeKind::decimal) {
    for (const Decimal units : test.decimals) out.integer_set.push_back(model::int128_of(units));
  } else if (is_unsigned(type)) {
    out.integer_set.assign(test.unsigned_values.begin(), test.unsigned_values.end());
  } else {
    out.integer_set.assign(test.signed_values.begin(), test.signed_values.end());
  }
  return out;
}

RowSet prune_key(const RowSource& source, std::size_t piece, const KeyTest& asked,
                 const RowSet& candidates) {
  const auto type = source.type(asked.column);
  if (!type) return {};  // a key that did not exist yet: null, which equals nothing
  const bool other_scale = type->kind == TypeKind::decimal && type->scale != asked.scale;
  const KeyTest rescaled = other_scale ? in_units_of(*type, asked) : KeyTest{};
  const KeyTest& test = other_scale ? rescaled : asked;
  const auto bounds = [&](const segment::Zone& zone) -> std::optional<bool> {
    return may_hold(zone, *type, test) ? std::nullopt : std::optional(false);
  };
  const auto keep = [&](const Array& values, std::uint64_t first, const RowRange& range,
                        RowSet& out) {
    if (test.leads && model::is_text(values.type))
      return keep_texts(values, first, range, test, out);
    keep_rows(range, first, out, [&](std::uint64_t row) { return is_one_of(values, row, test); });
  };
  const model::Criterion stored = criterion_of(test, *type);
  return by_page(source, piece, test.column, candidates, &stored, bounds, keep);
}

}  // namespace

Wanted wanted_of(const ReadRequest& request, const Schema& schema) {
  Wanted out;
  if (request.start) out.start = request.start->ns;
  if (request.stop) out.stop = request.stop->ns;
  out.time = ColumnId{schema.columns[schema.time_index()].id};
  for (const KeyFilter& filter : request.keys) out.keys.push_back(test_of(filter, schema));
  if (!request.columns) {
    for (std::size_t i = 0; i < schema.columns.size(); ++i) out.columns.push_back(i);
    return out;
  }
  std::set<std::size_t> seen;
  for (const std::string& name : *request.columns) {
    out.columns.push_back(column_of(schema, name));
    if (!seen.insert(out.columns.back()).second) {
      throw_error(ErrorCode::invalid_argument, "column {} is asked for twice; name it once",
                  quoted(name));
    }
  }
  return out;
}

RowSet prune(const RowSource& source, std::size_t piece, const Wanted& wanted, RowSet candidates) {
  const Piece& rows = source.pieces()[piece];
  if (!wanted.overlaps(rows.time_min, rows.time_max)) return {};
  for (const KeyTest& test : wanted.keys) {  // first: rows are sorted by keys, then by time
    if (candidates.empty()) return candidates;
    candidates = prune_key(source, piece, test, candidates);
  }
  if (candidates.empty() || wanted.covers(rows.time_min, rows.time_max)) return candidates;
  return prune_time(source, piece, wanted, candidates);
}

}  // namespace otolith::scan
