#include "scan/together.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "model/array.h"
#include "model/compare.h"
#include "otolith/decimal.h"
#include "scan/merge.h"
#include "scan/prune.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

// Key columns, then time.
std::vector<std::size_t> same_columns(const Schema& schema) {
  std::vector<std::size_t> out = schema.key_indexes();
  out.push_back(schema.time_index());
  return out;
}

// ---- messages ---------------------------------------------------------------------------------

std::string value_text(const Array& values, std::uint64_t row) {
  switch (values.type.kind) {
    case TypeKind::boolean:
      return values.value<std::uint8_t>(row) != 0 ? "true" : "false";
    case TypeKind::int8:
      return fmt::format("{}", values.value<std::int8_t>(row));
    case TypeKind::int16:
      return fmt::format("{}", values.value<std::int16_t>(row));
    case TypeKind::int32:
      return fmt::format("{}", values.value<std::int32_t>(row));
    case TypeKind::int64:
      return fmt::format("{}", values.value<std::int64_t>(row));
    case TypeKind::uint8:
      return fmt::format("{}", values.value<std::uint8_t>(row));
    case TypeKind::uint16:
      return fmt::format("{}", values.value<std::uint16_t>(row));
    case TypeKind::uint32:
      return fmt::format("{}", values.value<std::uint32_t>(row));
    case TypeKind::uint64:
      return fmt::format("{}", values.value<std::uint64_t>(row));
    case TypeKind::timestamp:
      return timestamp_format({values.value<std::int64_t>(row)});
    case TypeKind::decimal:
      return decimal_format(values.value<Decimal>(row), values.type.scale);
    default:
      return quoted(values.text(row));
  }
}

// ---- looking few rows up ----------------------------------------------------------------------

template <typename T>
void sort_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto again = std::ranges::unique(values);
  values.erase(again.begin(), again.end());
}

template <typename T>
void add_numbers(const Array& values, KeyTest& test) {
  for (std::uint64_t row = 0; row < values.length; ++row) {
    const T value = values.value<T>(row);
    if (std::in_range<std::int64_t>(value))
      test.signed_values.push_back(static_cast<std::int64_t>(value));
    if (std::in_range<std::uint64_t>(value))
      test.unsigned_values.push_back(static_cast<std::uint64_t>(value));
  }
}

// A test that rows with one of these values pass.
KeyTest test_of(const Array& values, const Column& column, bool leads) {
  KeyTest out;
  out.column = ColumnId{column.id};
  out.leads = leads;
  out.scale = column.type.scale;
  switch (values.type.kind) {
    case TypeKind::boolean:
    case TypeKind::uint8:
      add_numbers<std::uint8_t>(values, out);
      break;
    case TypeKind::uint16:
      add_numbers<std::uint16_t>(values, out);
      break;
    case TypeKind::uint32:
      add_numbers<std::uint32_t>(values, out);
      break;
    case TypeKind::uint64:
      add_numbers<std::uint64_t>(values, out);
      break;
    case TypeKind::int8:
      add_numbers<std::int8_t>(values, out);
      break;
    case TypeKind::int16:
      add_numbers<std::int16_t>(values, out);
      break;
    case TypeKind::int32:
      add_numbers<std::int32_t>(values, out);
      break;
    case TypeKind::int64:
    case TypeKind::timestamp:
      add_numbers<std::int64_t>(values, out);
      break;
    case TypeKind::decimal:
      for (std::uint64_t row = 0; row < values.length; ++row)
        out.decimals.push_back(values.value<Decimal>(row));
      break;
    default:
      for (std::uint64_t row = 0; row < values.length; ++row)
        out.texts.emplace_back(values.text(row));
  }
  sort_unique(out.signed_values);
  sort_unique(out.unsigned_values);
  sort_unique(out.texts);
  sort_unique(out.decimals);
  return out;
}

}  // namespace

void look_up(std::vector<Unit>& there, const std::vector<Unit>& rows, const Schema& schema) {
  Wanted wanted;
  wanted.time = ColumnId{schema.columns[schema.time_index()].id};
  for (const std::size_t at : same_columns(schema)) {
    const Column& column = schema.columns[at];
    io::Scratch memory;
    const Array values = units_values(rows, column, 1, memory);
    const bool leads = !schema.keys.empty() && column.name == schema.keys.front();
    wanted.keys.push_back(test_of(values, column, leads));
  }
  for (Unit& unit : there) {
    unit.rows = 0;
    for (Selected& part : unit.parts) {
      part.ranges = prune(*unit.source, part.piece, wanted, std::move(part.ranges));
      unit.rows += part.ranges.rows();
    }
    std::erase_if(unit.parts, [](const Selected& part) { return part.ranges.empty(); });
  }
  std::erase_if(there, [](const Unit& unit) { return unit.parts.empty(); });
}

std::vector<Unit> units_between(const ScanContext& context,
                                const std::shared_ptr<const history::Snapshot>& snapshot,
                                const history::DatasetEntry& dataset, std::int64_t first,
                                std::int64_t last) {
  ReadRequest between{.start = Timestamp{first}, .columns = std::vector<std::string>{}};
  if (last < kTimestampMax.ns) between.stop = Timestamp{last + 1};
  Walk walk(context.store, snapshot, dataset, wanted_of(between, *dataset.schema), false);
  std::vector<Unit> out;
  for (std::vector<Unit> units = walk.next(); !units.empty(); units = walk.next())
    std::ranges::move(units, std::back_inserter(out));
  return out;
}

Together::Together(const ScanContext& context, const history::DatasetEntry& dataset,
                   const std::vector<Unit>& units)
    : dataset_(dataset) {
  io::Scratch scratch;
  for (const std::size_t column : same_columns(*dataset.schema)) {
    io::Scratch memory;
    columns_.push_back(
        units_values(units, dataset.schema->columns[column], context.threads, memory));
  }
  for (const Array& column : columns_) same_.push_back(&column);
  starts_.push_back(0);
  for (const Unit& unit : units) starts_.push_back(starts_.back() + unit.rows);
  auto order = merge(units, {dataset.schema.get(), Order::stored, false}, context.threads, scratch);
  in_order_ = !order.has_value();
  if (order) order_ = *std::move(order);
}

std::size_t Together::unit_of(std::uint64_t row) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(starts_, row) - starts_.begin()) - 1;
}

std::string Together::text(std::uint64_t row) const {
  std::string out;
  for (std::size_t key = 0; key < dataset_.schema->keys.size(); ++key) {
    out += fmt::format("{}{} {}", out.empty() ? " of " : ", ", quoted(dataset_.schema->keys[key]),
                       value_text(columns_[key], row));
  }
  return out + " at " + value_text(columns_.back(), row);
}

// Times differ most often, and cost least.
bool Together::same(std::uint64_t a, std::uint64_t b) const {
  const Array& times = columns_.back();
  return times.value<std::int64_t>(a) == times.value<std::int64_t>(b) &&
         model::row_compare(same_, a, same_, b) == 0;
}

}  // namespace otolith::scan
