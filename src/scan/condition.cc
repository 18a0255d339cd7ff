#include "scan/condition.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/mutant.h"
#include "model/text_place.h"
#include "scan/simplify.h"

namespace otolith::scan {

namespace {

[[noreturn]] void refuse(const ExpressionNode& node, const std::string& what) {
  throw_error(ErrorCode::invalid_argument, "where: {}{}", what, model::place_shown(node.place));
}

std::size_t column_of(const Expression& column, const Schema& schema) {
  const ExpressionNode& node = column.node();
  const auto found = schema.find(node.column);
  if (found) return *found;
  model::refuse_column(node, schema);
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
  try {
    out.test = model::criterion_of(comparison.node(), inverse, of.type, of.name);
  } catch (const Error& error) {
    refuse(comparison.node(), error.message());
  }
  return out;
}

Condition computed(const Expression& where, bool inverse, const Schema& schema) {
  Condition out{.kind = Condition::Kind::computed, .inverse = inverse};
  out.formula = std::make_shared<const model::Formula>(model::condition_formula(where, schema));
  model::collect_columns(*out.formula, out.columns);
  return out;
}

// A column alone: true where it is.
Condition truth(const Expression& column, bool inverse, const Schema& schema) {
  const std::size_t index = column_of(column, schema);
  const Column& of = schema.columns[index];
  if (of.type.kind != TypeKind::boolean) {
    refuse(column.node(), fmt::format("column {} is {} and no condition by itself; compare it, or "
                                      "ask whether it is null",
                                      quoted(of.name), type_name(of.type)));
  }
  return compare(column == Constant(true), inverse, index, schema);
}

constexpr std::size_t kSetValuesMin = 8;  // fewer are ranges, which pages answer faster

// The column that a comparison asks to equal one of its constants; nullptr for all else.
const std::string* equated(const Expression& part) {
  const ExpressionNode& node = part.node();
  if (node.kind != ExpressionKind::equal && node.kind != ExpressionKind::isin) return nullptr;
  const ExpressionNode& of = node.operands.front().node();
  const bool constants = node.operands.size() == 1;
  return constants && of.kind == ExpressionKind::column ? &of.column : nullptr;
}

// `x == 1 || x == 2 || …` as one isin, which is looked up once a row: both are true, false and null
// for the same values.
std::vector<Expression> with_sets(const std::vector<Expression>& parts) {
  std::map<std::string, ExpressionNode> sets;
  for (const Expression& part : parts) {
    const std::string* column = equated(part);
    if (column == nullptr) continue;
    const ExpressionNode& node = part.node();
    const auto [at, first] = sets.try_emplace(
        *column, ExpressionNode{
                     .kind = ExpressionKind::isin, .operands = node.operands, .place = node.place});
    ExpressionNode& set = at->second;
    set.constants.insert(set.constants.end(), node.constants.begin(), node.constants.end());
    if (set.place.text == node.place.text) set.place.end = node.place.end;
  }
  std::erase_if(sets, [](const auto& set) { return set.second.constants.size() < kSetValuesMin; });
  std::vector<Expression> out;
  for (const Expression& part : parts) {
    const std::string* column = equated(part);
    if (column == nullptr || !sets.contains(*column)) out.push_back(part);
  }
  for (auto& [column, set] : sets) out.emplace_back(std::move(set));
  return out;
}

// A column beside constants, which is asked of what is stored.
bool is_plain(const ExpressionNode& node) noexcept {
  return node.kind >= ExpressionKind::equal && node.kind <= ExpressionKind::not_null &&
         node.operands.size() == 1 && node.operands.front().node().kind == ExpressionKind::column;
}

Condition bound(const Expression& given, bool inverse, const Schema& schema) {
  const Expression where = simplified(given, schema);
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
  if (!is_plain(node)) return computed(where, inverse, schema);
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
  columns.insert(condition.columns.begin(), condition.columns.end());
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
