#include "scan/condition.h"

#include <algorithm>
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

Condition bound(const Expression& where, bool inverse, const Schema& schema) {
  const ExpressionNode& node = where.node();
  if (node.kind == ExpressionKind::column) return truth(where, inverse, schema);
  if (node.kind == ExpressionKind::inverse) return bound(node.operands.front(), !inverse, schema);
  const bool every = node.kind == ExpressionKind::all_of;
  if (every || node.kind == ExpressionKind::any_of) {
    Condition out;
    out.kind = every != inverse || mutant("filter-not-keeps-and") ? Condition::Kind::all_of
                                                                  : Condition::Kind::any_of;
    for (const Expression& operand : node.operands)
      out.operands.push_back(bound(operand, inverse, schema));
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
