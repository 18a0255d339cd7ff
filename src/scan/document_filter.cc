#include "scan/document_filter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "document/condition_node.h"
#include "scan/filter.h"
#include "scan/source_filter.h"

namespace otolith::scan {

namespace {

using document::ConditionNode;
using Kind = Condition::Kind;
using Source = ConditionNode::Source;

// A condition, or nothing known.
using Known = std::optional<Condition>;

Condition never() { return {.kind = Kind::any_of}; }

Condition either(std::vector<Condition> operands) {
  if (operands.size() == 1) return std::move(operands.front());
  return {.kind = Kind::any_of, .operands = std::move(operands)};
}

model::Criterion inverted(model::Criterion test) {
  switch (test.kind) {
    case model::Criterion::Kind::never:
      test.kind = model::Criterion::Kind::always;
      break;
    case model::Criterion::Kind::always:
      test.kind = model::Criterion::Kind::never;
      break;
    default:
      test.inverse = !test.inverse;
  }
  return test;
}

// Of exact numbers of any size, as one of int64.
model::Criterion of_int64(model::Criterion test) {
  constexpr Int128 low = INT64_MIN;
  constexpr Int128 high = INT64_MAX;
  test.type = {TypeKind::int64};
  if (test.kind == model::Criterion::Kind::never || test.kind == model::Criterion::Kind::always)
    return test;
  const bool inverse = std::exchange(test.inverse, false);
  if (test.kind == model::Criterion::Kind::range) {
    model::IntegerBounds& bounds = test.integers;
    bounds = {std::max(bounds.low, low), std::min(bounds.high, high)};
    if (bounds.low > bounds.high) test.kind = model::Criterion::Kind::never;
    if (bounds.low == low && bounds.high == high) test.kind = model::Criterion::Kind::always;
  } else if (test.kind == model::Criterion::Kind::set) {
    std::erase_if(test.integer_set, [](Int128 value) { return value < low || value > high; });
    if (test.integer_set.empty()) test.kind = model::Criterion::Kind::never;
  }
  return inverse ? inverted(std::move(test)) : test;
}

// Whether a constant is one number to integers, digit by digit, and another to floats. Integers
// between the two are compared otherwise in a column of floats than by themselves.
bool rounds_to_integer(const Constant& constant) noexcept {
  const std::string& digits = constant.digits();
  const auto* real = std::get_if<double>(&constant.value());
  if (real == nullptr || digits.empty() || std::floor(*real) != *real) return false;
  const std::size_t point = digits.find('.');
  const bool whole =
      digits.find_first_not_of("0123456789.-+") == std::string::npos &&
      (point == std::string::npos || digits.find_first_not_of('0', point + 1) == std::string::npos);
  return !whole || std::abs(*real) >= 0x1p53;
}

// Functions that end in a value, whatever they are given: what could refuse a row waits for bodies.
bool never_refuses(model::FunctionId id) noexcept {
  return id != model::FunctionId::matches && id != model::FunctionId::floor;
}

bool is_comparison(ExpressionKind kind) noexcept {
  return kind >= ExpressionKind::equal && kind <= ExpressionKind::between;
}

// A value as columns have it: none where no row with these types has one.
struct Computed {
  enum class State : std::uint8_t { value, never, unknown };
  State state = State::unknown;
  model::Formula formula{};
};

class Implied {
 public:
  Implied(const Schema& schema, std::span<const segment::ShreddedPath> shredded,
          std::size_t shredded_at)
      : schema_(schema), shredded_(shredded), shredded_at_(shredded_at) {}

  /// Where the node is true, or with `inverse` false; where it is null it is neither.
  Known of(const ConditionNode& node, bool inverse) const {
    switch (node.kind) {
      case ExpressionKind::all_of:
      case ExpressionKind::any_of:
        return joined(node, inverse);
      case ExpressionKind::inverse:
        return of(node.operands.front(), !inverse);
      case ExpressionKind::is_null:
      case ExpressionKind::not_null:
        return null_test(node.operands.front(), (node.kind == ExpressionKind::is_null) != inverse);
      default:
        return test(node, inverse);
    }
  }

 private:
  // `and` is what its parts say as far as they are known; `or` needs all of them.
  Known joined(const ConditionNode& node, bool inverse) const {
    const bool every = (node.kind == ExpressionKind::all_of) != inverse;
    Condition out{.kind = every ? Kind::all_of : Kind::any_of};
    for (const ConditionNode& operand : node.operands) {
      Known part = of(operand, inverse);
      if (part)
        out.operands.push_back(*std::move(part));
      else if (!every && !mutant("implied-or-of-one-side"))
        return std::nullopt;
    }
    if (out.operands.empty()) return std::nullopt;
    return out;
  }

  // An array is a value, and a stray: `is null` is false of it, and its column null.
  Known null_test(const ConditionNode& operand, bool null) const {
    if (operand.source == Source::id || operand.source == Source::time)
      return null ? Known(never()) : std::nullopt;
    const auto column = operand.source == Source::path ? column_of(operand) : std::nullopt;
    if (!column || (!null && strays(*column))) return std::nullopt;
    return on_column(Kind::is_null, *column, !null);
  }

  Known test(const ConditionNode& node, bool inverse) const {
    const bool alone = node.source == Source::path;  // a truth value by itself
    const bool direct =
        is_comparison(node.kind) && node.operands.size() == 1 && is_column(node.operands.front());
    if (alone || direct) return plain(node, alone ? node : node.operands.front(), inverse);
    Computed found = computed(node);
    if (found.state == Computed::State::unknown) return std::nullopt;
    std::vector<std::size_t> columns;
    collect(node, columns);
    if (columns.empty()) return std::nullopt;
    std::vector<Condition> ways = ways_around(columns);
    if (found.state == Computed::State::value) {
      if (found.formula.type.kind != TypeKind::boolean) return std::nullopt;
      Condition out{.kind = Kind::computed, .inverse = inverse};
      model::collect_columns(found.formula, out.columns);
      out.formula = std::make_shared<const model::Formula>(std::move(found.formula));
      ways.push_back(std::move(out));
    }
    return either(std::move(ways));
  }

  // A column beside constants; by value, so that integers may stand in a column of floats.
  Known plain(const ConditionNode& node, const ConditionNode& operand, bool inverse) const {
    const auto column = column_of(operand);
    if (!column) return std::nullopt;
    const Type type = schema_.columns[*column].type;
    std::vector<Condition> ways = ways_around({*column});
    std::optional<model::Criterion> asked;
    if (&node == &operand) {
      if (type.kind == TypeKind::boolean)
        asked = model::criterion_of((col("") == Constant(true)).node(), false, type, {});
    } else if (const auto* step = node.step_for({&type, 1})) {
      const auto& constants = step->formula.expression->node().constants;
      if (type.kind == TypeKind::float64 && std::ranges::any_of(constants, rounds_to_integer) &&
          !mutant("implied-digits-rounded")) {
        return std::nullopt;
      }
      asked = type.kind == TypeKind::int64 ? of_int64(step->formula.test) : step->formula.test;
    }
    if (asked) {
      Condition out = on_column(Kind::compare, *column, false);
      out.test = inverse ? inverted(*std::move(asked)) : *std::move(asked);
      ways.push_back(std::move(out));
    }
    return either(std::move(ways));
  }

  // How a row may pass though its columns do not: they do not hold what its document does.
  std::vector<Condition> ways_around(const std::vector<std::size_t>& columns) const {
    std::vector<Condition> out;
    for (const std::size_t column : columns) {
      if (schema_.columns[column].name == kDocumentTime && column < shredded_at_) {
        Condition of_commit = on_column(Kind::compare, column, false);
        of_commit.test = model::criterion_of((col("") == Constant(kTimeOfCommit)).node(), false,
                                             schema_.columns[column].type, {});
        out.push_back(std::move(of_commit));
      }
      if (strays(column)) out.push_back(on_column(Kind::is_null, column, false));
    }
    return out;
  }

  Computed computed(const ConditionNode& node) const {
    if (node.source == Source::constant) {
      return {Computed::State::value,
              {.kind = ExpressionKind::constant,
               .type = node.types.front(),
               .constant = node.constant}};
    }
    if (is_column(node)) {
      const auto column = column_of(node);
      // Of floats some may be integers, which are not computed with as floats are.
      if (!column || schema_.columns[*column].type.kind == TypeKind::float64) return {};
      return {Computed::State::value,
              {.kind = ExpressionKind::column,
               .type = schema_.columns[*column].type,
               .column = *column}};
    }
    const bool may_be = is_comparison(node.kind) || node.kind == ExpressionKind::call;
    return may_be && !node.steps.empty() ? step_of(node) : Computed{};
  }

  // The operation for the types that its operands have here.
  Computed step_of(const ConditionNode& node) const {
    std::vector<model::Formula> operands;
    std::vector<Type> types;
    bool none = false;
    for (const ConditionNode& operand : node.operands) {
      Computed of = computed(operand);
      if (of.state == Computed::State::unknown) return {};
      none = none || of.state == Computed::State::never;
      types.push_back(of.formula.type);
      operands.push_back(std::move(of.formula));
    }
    const auto* step = none ? nullptr : node.step_for(types);
    if (step == nullptr) return {.state = Computed::State::never};
    if (step->formula.function != nullptr && !never_refuses(step->formula.function->id)) return {};
    Computed out{Computed::State::value, step->formula};
    for (model::Formula& operand : out.formula.operands) {
      if (operand.kind != ExpressionKind::constant) operand = operands[operand.column];
    }
    return out;
  }

  void collect(const ConditionNode& node, std::vector<std::size_t>& columns) const {
    const auto column = is_column(node) ? column_of(node) : std::nullopt;
    if (column && std::ranges::find(columns, *column) == columns.end()) columns.push_back(*column);
    for (const ConditionNode& operand : node.operands) collect(operand, columns);
  }

  static bool is_column(const ConditionNode& node) noexcept {
    return node.source == Source::path || node.source == Source::id || node.source == Source::time;
  }

  // In the schema; nullopt where the source has none.
  std::optional<std::size_t> column_of(const ConditionNode& node) const {
    if (node.source == Source::id) return schema_.find(kDocumentId);
    if (node.source == Source::time) return schema_.find(kDocumentTime);
    const std::string path = node.path->plain_text();
    const auto found = std::ranges::find(shredded_, path, &segment::ShreddedPath::path);
    if (found == shredded_.end()) return std::nullopt;
    return shredded_at_ + static_cast<std::size_t>(found - shredded_.begin());
  }

  bool strays(std::size_t column) const {
    if (column < shredded_at_ || mutant("implied-strays-dropped")) return false;
    return shredded_[column - shredded_at_].strays;
  }

  Condition on_column(Kind kind, std::size_t column, bool inverse) const {
    Condition out{.kind = kind, .inverse = inverse, .column = column};
    out.id = ColumnId{schema_.columns[column].id};
    return out;
  }

  const Schema& schema_;
  const std::span<const segment::ShreddedPath> shredded_;
  const std::size_t shredded_at_;
};

// What is asked of one source.
struct Asked {
  Schema schema;
  Known condition{};
  std::unique_ptr<const SourceFilter> filter{};
};

}  // namespace

std::optional<Condition> implied_by(const document::Condition& where, Schema& schema,
                                    std::span<const segment::ShreddedPath> shredded,
                                    const RowSource& source) {
  const std::size_t shredded_at = schema.columns.size();
  for (const segment::ShreddedPath& path : shredded) {
    schema.columns.push_back(
        {.name = path.path, .type = source.type(path.column).value(), .id = value_of(path.column)});
  }
  return Implied(schema, shredded, shredded_at).of(where.root(), false);
}

DocumentFilter::DocumentFilter(document::Condition where, std::shared_ptr<const Schema> schema)
    : where_(std::move(where)), schema_(std::move(schema)) {}

void DocumentFilter::keep(std::vector<Unit>& units, unsigned threads) const {
  std::map<const RowSource*, Asked> asked;
  const auto filter_of = [&](const RowSource& source) {
    const auto [at, fresh] = asked.try_emplace(&source);
    Asked& of = at->second;
    if (fresh) {
      of.schema = *schema_;
      of.condition = implied_by(where_, of.schema, source.shredded(), source);
      if (of.condition)
        of.filter = std::make_unique<const SourceFilter>(*of.condition, of.schema, source);
    }
    return of.filter.get();
  };
  keep_rows(std::span(&units, 1), threads, filter_of);
}

}  // namespace otolith::scan
