// Rows as plain values: what property tests compare batches with.
//
// Role:    the brute-force side of tests of segments and scans.
// Shapes:  a Row has one Cell per column of its schema; nullopt is null.
// Errors:  none.
// Threads: thread-compatible.
// Why:     values of every type as one variant: slow and obvious, so that the test is not the bug.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "model/array.h"
#include "model/decimals.h"
#include "otolith/batch.h"

namespace otolith::test {

using Value = std::variant<std::int64_t, std::uint64_t, double, std::string, Decimal>;
using Cell = std::optional<Value>;
using Row = std::vector<Cell>;
using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t bound) { return random() % bound; }

// Equality bit by bit, so that NaN equals itself and zeros keep their signs.
inline bool same_cell(const Cell& a, const Cell& b) {
  if (a.has_value() != b.has_value() || !a) return a.has_value() == b.has_value();
  if (a->index() != b->index()) return false;
  if (const double* left = std::get_if<double>(&*a)) {
    return std::bit_cast<std::uint64_t>(*left) ==
           std::bit_cast<std::uint64_t>(std::get<double>(*b));
  }
  return *a == *b;
}

inline bool same_row(const Row& a, const Row& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_cell(a[i], b[i])) return false;
  }
  return true;
}

inline bool same_rows(const std::vector<Row>& a, const std::vector<Row>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_row(a[i], b[i])) return false;
  }
  return true;
}

// Calls `with` with a value of the C++ type that holds this kind, and the Value member it goes to.
template <typename With>
auto dispatch(TypeKind kind, With with) {
  switch (kind) {
    case TypeKind::int8:
      return with(std::int8_t{}, std::int64_t{});
    case TypeKind::int16:
      return with(std::int16_t{}, std::int64_t{});
    case TypeKind::int32:
      return with(std::int32_t{}, std::int64_t{});
    case TypeKind::boolean:
    case TypeKind::uint8:
      return with(std::uint8_t{}, std::uint64_t{});
    case TypeKind::uint16:
      return with(std::uint16_t{}, std::uint64_t{});
    case TypeKind::uint32:
      return with(std::uint32_t{}, std::uint64_t{});
    case TypeKind::uint64:
      return with(std::uint64_t{}, std::uint64_t{});
    case TypeKind::float32:
      return with(float{}, double{});
    case TypeKind::float64:
      return with(double{}, double{});
    default:
      return with(std::int64_t{}, std::int64_t{});
  }
}

inline Cell cell_of(const Array& array, std::uint64_t row) {
  if (array.is_null(row)) return std::nullopt;
  if (model::is_text(array.type)) return Value(std::string(array.text(row)));
  if (array.type.kind == TypeKind::decimal) return Value(array.value<Decimal>(row));
  return dispatch(array.type.kind, [&](auto stored, auto kept) -> Cell {
    return Value(static_cast<decltype(kept)>(array.value<decltype(stored)>(row)));
  });
}

inline std::vector<Row> rows_of(const Batch& batch) {
  std::vector<Row> out(batch.rows);
  for (std::uint64_t row = 0; row < batch.rows; ++row) {
    for (const Array& column : batch.columns) out[row].push_back(cell_of(column, row));
  }
  return out;
}

inline void append_cell(model::ArrayBuilder& builder, Type type, const Cell& cell) {
  if (!cell) return builder.append_null();
  if (model::is_text(type)) return builder.append_text(std::get<std::string>(*cell));
  if (type.kind == TypeKind::decimal) return builder.append_value(std::get<Decimal>(*cell));
  dispatch(type.kind, [&](auto stored, auto kept) {
    builder.append_value(static_cast<decltype(stored)>(std::get<decltype(kept)>(*cell)));
  });
}

inline Batch batch_of(std::shared_ptr<const Schema> schema, const std::vector<Row>& rows) {
  Batch out{.schema = schema, .rows = rows.size(), .columns = {}};
  for (std::size_t column = 0; column < schema->columns.size(); ++column) {
    model::ArrayBuilder builder(schema->columns[column].type);
    for (const Row& row : rows) append_cell(builder, schema->columns[column].type, row[column]);
    out.columns.push_back(builder.finish());
  }
  return out;
}

inline constexpr Type kAllTypes[] = {
    {TypeKind::boolean},        {TypeKind::int8},      {TypeKind::int16},
    {TypeKind::int32},          {TypeKind::int64},     {TypeKind::uint8},
    {TypeKind::uint16},         {TypeKind::uint32},    {TypeKind::uint64},
    {TypeKind::float32},        {TypeKind::float64},   {TypeKind::decimal, 6, 2},
    {TypeKind::decimal, 38, 0}, {TypeKind::timestamp}, {TypeKind::string},
    {TypeKind::binary}};

// Few distinct texts, some longer than a zone map's bounds, some that end at the greatest byte.
inline std::string random_text(Random& random, bool utf8) {
  static const char* const kWords[] = {"",
                                       "a",
                                       "ab",
                                       "EWR",
                                       "JFK",
                                       "LGA",
                                       "ö",
                                       "zzzzzzzzzzzzzzzz",
                                       "zzzzzzzzzzzzzzzzz",
                                       "zzzzzzzzzzzzzzzzy and more"};
  std::string out = kWords[below(random, std::size(kWords))];
  if (!utf8 && below(random, 4) == 0) out.insert(0, below(random, 20), '\xff');
  return out;
}

inline Value random_float(Random& random, bool narrow) {
  static const double kOdd[] = {
      0.0, -0.0, 1.5, -2.25, __builtin_inf(), -__builtin_inf(), __builtin_nan(""), 1e-310, 3.0e38};
  const double value = kOdd[below(random, std::size(kOdd))];
  return narrow ? static_cast<double>(static_cast<float>(value)) : value;
}

// Few small numbers, and the ends of the precision.
inline Value random_units(Random& random, Type type) {
  const Int128 limit = model::decimal_limit(type.precision);
  if (below(random, 10) == 0)
    return model::decimal_of_int128(below(random, 2) == 0 ? limit : -limit);
  return decimal_of(static_cast<std::int64_t>(below(random, 40)) - 20);
}

inline Cell random_cell(Random& random, const Column& column) {
  if (column.nullable && below(random, 5) == 0) return std::nullopt;
  if (model::is_text(column.type)) {
    return Value(random_text(random, column.type.kind == TypeKind::string));
  }
  if (column.type.kind == TypeKind::decimal) return random_units(random, column.type);
  if (column.type.kind == TypeKind::boolean) return Value(std::uint64_t{below(random, 2)});
  return dispatch(column.type.kind, [&](auto stored, auto kept) -> Cell {
    using Stored = decltype(stored);
    if constexpr (std::is_floating_point_v<Stored>) {
      return random_float(random, sizeof(Stored) == 4);
    } else if (column.type.kind == TypeKind::timestamp) {
      return Value(static_cast<std::int64_t>(below(random, 1000)));
    } else {
      const bool extreme = below(random, 10) == 0;
      const auto wide = static_cast<Stored>(extreme ? random() : below(random, 100));
      return Value(static_cast<decltype(kept)>(wide));
    }
  });
}

}  // namespace otolith::test
