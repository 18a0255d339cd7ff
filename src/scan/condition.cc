#include "scan/condition.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/mutant.h"

namespace otolith::scan {

namespace {

std::size_t column_of(const Expression& operand, const Schema& schema) {
  const ExpressionNode& node = operand.node();
  if (node.kind != ExpressionKind::column) {
    throw_error(ErrorCode::invalid_argument,
                "a condition is compared with a value; compare columns, and join conditions with "
                "and, or, not");
  }
  const auto found = schema.find(node.column);
  if (found) return *found;
  throw_error(ErrorCode::invalid_argument, "where: there is no column {}{}", quoted(node.column),
              nearest_hint(node.column, schema.names()));
}

Condition on_column(Condition::Kind kind, bool inverse, std::size_t column, const Schema& schema) {
  Condition out{.kind = kind, .inverse = inverse, .column = column};
  out.id = ColumnId{schema.columns[column].id};
  return out;
}

Condition compare(const Expression& comparison, bool inverse, std::size_t column,
                  const Schema& schema) {
  Condition out = on_column(Condition::Kind::compare, inverse, column, schema);
  const Column& of = schema.columns[column];
  out.asked = comparison;
  out.test = model::criterion_of(comparison.node(), inverse, of.type, of.name);
  return out;
}

// A column alone: true where it is.
Condition truth(const Expression& column, bool inverse, const Schema& schema) {
  const std::size_t index = column_of(column, schema);
  const Column& of = schema.columns[index];
  if (of.type.kind != TypeKind::boolean) {
    throw_error(ErrorCode::invalid_argument,
                "column {} is {} and no condition by itself; compare it, or ask whether it is null",
                quoted(of.name), type_name(of.type));
  }
  return compare(column == Constant(true), inverse, index, schema);
}

constexpr std::size_t kSetValuesMin = 8;  // fewer are ranges, which pages answer faster

// The column that a comparison asks to equal one of its constants; nullptr for all else.
const std::string* equated(const Expression& part) {
  const ExpressionNode& node = part.node();
  if (node.kind != ExpressionKind::equal && node.kind != ExpressionKind::isin) return nullptr;
  const ExpressionNode& of = node.operands.front().node();
  return of.kind == ExpressionKind::column ? &of.column : nullptr;
}

// `x == 1 || x == 2 || …` as one isin, which is looked up once a row: both are true, false and null
// for the same values.
std::vector<Expression> with_sets(const std::vector<Expression>& parts) {
  std::map<std::string, std::vector<Constant>> sets;
  for (const Expression& part : parts) {
    const std::string* column = equated(part);
    if (column == nullptr) continue;
    std::vector<Constant>& set = sets[*column];
    set.insert(set.end(), part.node().constants.begin(), part.node().constants.end());
  }
  std::erase_if(sets, [](const auto& set) { return set.second.size() < kSetValuesMin; });
  std::vector<Expression> out;
  for (const Expression& part : parts) {
    const std::string* column = equated(part);
    if (column == nullptr || !sets.contains(*column)) out.push_back(part);
  }
  for (auto& [column, values] : sets) out.push_back(col(column).isin(std::move(values)));
  return out;
}

Condition bound(const Expression& where, bool inverse, const Schema& schema) {
  const ExpressionNode& node = where.node();
  if (node.kind == ExpressionKind::column) return truth(where, inverse, schema);
  if (node.kind == ExpressionKind::inverse) return bound(node.operands.front(), !inverse, schema);
  const bool every = node.kind == ExpressionKind::all_of;
  if (every || node.kind == ExpressionKind::any_of) {
    Condition out;
    out.kind = every != inverse || mutant("filter-not-keeps-and") ? Condition::Kind::all_of
                                                                  : Condition::Kind::any_of;
    const std::vector<Expression> parts = every ? where.parts() : with_sets(where.parts());
    for (const Expression& part : parts) out.operands.push_back(bound(part, inverse, schema));
    return out;
  }
  const std::size_t column = column_of(node.operands.front(), schema);
  if (node.kind == ExpressionKind::is_null || node.kind == ExpressionKind::not_null) {
    return on_column(Condition::Kind::is_null, inverse != (node.kind == ExpressionKind::not_null),
                     column, schema);
  }
  return compare(where, inverse, column, schema);
}

void collect(const Condition& condition, std::set<std::size_t>& columns) {
  for (const Condition& operand : condition.operands) collect(operand, columns);
  if (condition.kind == Condition::Kind::compare || condition.kind == Condition::Kind::is_null)
    columns.insert(condition.column);
}

}  // namespace

Condition condition_of(const Expression& where, const Schema& schema) {
  return bound(where, false, schema);
}

std::vector<std::size_t> columns_of(const Condition& condition) {
  std::set<std::size_t> columns;
  collect(condition, columns);
  return {columns.begin(), columns.end()};
}

}  // namespace otolith::scan
