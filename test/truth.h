// A condition on a row of plain values, by brute force: true, false or null.
//
// Role:    what tests compare the filter with, and random conditions to compare them by.
// Errors:  none; the condition fits the schema.
// Threads: thread-safe, with a generator each.
// Why:     three values and `not` as they are defined; numbers as long double, which holds every
//          64-bit integer and every double: nothing in common with criterion.cc.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "otolith/expression.h"
#include "otolith/schema.h"
#include "test/rows.h"

namespace otolith::scan::sample_world {

using Truth = std::optional<bool>;

static_assert(std::numeric_limits<long double>::digits >= 64);

inline long double number_of(const auto& value) {
  return std::visit(
      [](const auto& of) -> long double {
        using Of = std::decay_t<decltype(of)>;
        if constexpr (std::is_same_v<Of, Timestamp>)
          return static_cast<long double>(of.ns);
        else if constexpr (std::is_same_v<Of, std::string>)
          return static_cast<long double>(timestamp_parse(of).ns);
        else if constexpr (std::is_arithmetic_v<Of>)
          return static_cast<long double>(of);
        else
          return std::numeric_limits<long double>::quiet_NaN();  // decimals: asked for null only
      },
      value);
}

inline bool compares(ExpressionKind kind, const auto& value, const auto& constant) {
  switch (kind) {
    case ExpressionKind::equal:
    case ExpressionKind::isin:
      return value == constant;
    case ExpressionKind::not_equal:
      return value != constant;
    case ExpressionKind::less:
      return value < constant;
    case ExpressionKind::less_equal:
      return value <= constant;
    case ExpressionKind::greater:
      return value > constant;
    default:
      return value >= constant;
  }
}

inline bool compares(ExpressionKind kind, const Constant& constant, const test::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return compares(kind, *text, std::get<std::string>(constant.value()));
  return compares(kind, number_of(value), number_of(constant.value()));
}

inline Truth truth_of(const Expression& where, const Schema& schema, const test::Row& row);

inline Truth beside_column(const ExpressionNode& node, const test::Value& left,
                           const Schema& schema, const test::Row& row) {
  const test::Cell& right = row[*schema.find(node.operands[1].node().column)];
  if (!right) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&left))
    return compares(node.kind, *text, std::get<std::string>(*right));
  return compares(node.kind, number_of(left), number_of(*right));
}

inline Truth joined_truth(const ExpressionNode& node, const Schema& schema, const test::Row& row) {
  const bool decides = node.kind == ExpressionKind::any_of;
  Truth out = !decides;
  for (const Expression& operand : node.operands) {
    const Truth of = truth_of(operand, schema, row);
    if (of == Truth(decides)) return decides;
    if (!of) out = std::nullopt;
  }
  return out;
}

inline Truth truth_of(const Expression& where, const Schema& schema, const test::Row& row) {
  const ExpressionNode& node = where.node();
  if (node.kind == ExpressionKind::all_of || node.kind == ExpressionKind::any_of)
    return joined_truth(node, schema, row);
  if (node.kind == ExpressionKind::inverse) {
    const Truth of = truth_of(node.operands[0], schema, row);
    return of ? Truth(!*of) : std::nullopt;
  }
  const test::Cell& cell = row[*schema.find(node.operands[0].node().column)];
  if (node.kind == ExpressionKind::is_null) return !cell;
  if (node.kind == ExpressionKind::not_null) return cell.has_value();
  if (!cell) return std::nullopt;
  if (node.operands.size() == 2) return beside_column(node, *cell, schema, row);
  if (node.kind == ExpressionKind::between) {
    return compares(ExpressionKind::greater_equal, node.constants[0], *cell) &&
           compares(ExpressionKind::less_equal, node.constants[1], *cell);
  }
  return std::ranges::any_of(node.constants, [&](const Constant& constant) {
    return compares(node.kind, constant, *cell);
  });
}

// ----------------------------------------------------------------------------------------- random

inline Constant random_number(test::Random& random, const Column& column) {
  static const double kOdd[] = {0.5,
                                -0.5,
                                90.5,
                                -0.0,
                                1e300,
                                -1e300,
                                0x1p53,
                                0x1p63,
                                0x1p64,
                                -0x1p63,
                                __builtin_inf(),
                                -__builtin_inf(),
                                __builtin_nan(""),
                                0.1,
                                3.0e38,
                                1e-310};
  switch (test::below(random, 6)) {
    case 0:
      return kOdd[test::below(random, std::size(kOdd))];
    case 1:
      return random();
    case 2:
      return static_cast<std::int64_t>(random());
    case 3:
      return static_cast<std::int64_t>(test::below(random, 120)) - 10;
    default:
      Column filled = column;
      filled.nullable = false;
      return std::visit(
          [&](const auto& value) -> Constant {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
              return test::below(random, 8) == 0 ? Constant(static_cast<double>(value) + 0.5)
                                                 : Constant(value);
            else
              return 0;
          },
          *test::random_cell(random, filled));
  }
}

inline Constant random_constant(test::Random& random, const Column& column) {
  if (model::is_text(column.type))
    return test::random_text(random, column.type.kind == TypeKind::string);
  if (column.type.kind == TypeKind::boolean) return test::below(random, 2) == 0;
  if (column.type.kind != TypeKind::timestamp) return random_number(random, column);
  const Timestamp time{static_cast<std::int64_t>(test::below(random, 40)) * 900'000'000'000};
  return test::below(random, 4) == 0 ? Constant(timestamp_format(time)) : Constant(time);
}

// Columns of types that are compared with one another have the same mark.
inline int comparable(Type type) {
  switch (type.kind) {
    case TypeKind::decimal:
      return 0;  // with nothing here: see number_of
    case TypeKind::boolean:
    case TypeKind::timestamp:
    case TypeKind::string:
    case TypeKind::binary:
      return 1 + static_cast<int>(type.kind);
    default:
      return 1;
  }
}

// Of two columns; nullopt where there are no two to compare.
inline std::optional<Expression> random_comparison_of_columns(test::Random& random,
                                                              const Schema& schema) {
  const Column& left = schema.columns[test::below(random, schema.columns.size())];
  const Column& right = schema.columns[test::below(random, schema.columns.size())];
  if (comparable(left.type) == 0 || comparable(left.type) != comparable(right.type))
    return std::nullopt;
  return Expression({.kind = static_cast<ExpressionKind>(1 + test::below(random, 6)),
                     .operands = {col(left.name), col(right.name)}});
}

inline Expression random_comparison(test::Random& random, const Schema& schema) {
  if (test::below(random, 4) == 0) {
    if (auto columns = random_comparison_of_columns(random, schema)) return *std::move(columns);
  }
  const Column& column = schema.columns[test::below(random, schema.columns.size())];
  ExpressionNode node;
  node.operands = {col(column.name)};
  node.kind = static_cast<ExpressionKind>(1 + test::below(random, 10));
  if (column.type.kind == TypeKind::decimal) node.kind = ExpressionKind::is_null;
  const std::uint64_t count = node.kind == ExpressionKind::isin      ? test::below(random, 6)
                              : node.kind == ExpressionKind::between ? 2
                              : node.kind >= ExpressionKind::is_null ? 0
                                                                     : 1;
  for (std::uint64_t i = 0; i < count; ++i)
    node.constants.push_back(random_constant(random, column));
  return Expression(std::move(node));
}

inline Expression random_condition(test::Random& random, const Schema& schema, unsigned depth) {
  switch (depth == 0 ? 9 : test::below(random, 6)) {
    case 0:
    case 1:
      return random_condition(random, schema, depth - 1) &&
             random_condition(random, schema, depth - 1);
    case 2:
    case 3:
      return random_condition(random, schema, depth - 1) ||
             random_condition(random, schema, depth - 1);
    case 4:
      return !random_condition(random, schema, depth - 1);
    default:
      return random_comparison(random, schema);
  }
}

}  // namespace otolith::scan::sample_world
