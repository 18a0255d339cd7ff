#include "document/condition.h"

#include <utility>

#include "base/mutant.h"
#include "document/condition_node.h"
#include "model/formula_loops.h"

namespace otolith::document {

namespace {

constexpr Truth truth_of(bool truth) noexcept { return truth ? Truth::yes : Truth::no; }

// Calls with the value as comparisons know it: an exact number, a float64 or a text.
template <typename Take>
auto with_value(const Value& value, Take take) {
  switch (value.kind()) {
    case Kind::boolean:
      return take(Int128{value.boolean() ? 1 : 0});
    case Kind::integer:
      return take(Int128{value.integer()});
    case Kind::unsigned_integer:
      return take(Int128{value.unsigned_integer()});
    case Kind::timestamp:
      return take(Int128{value.timestamp().ns});
    case Kind::float64:
      return take(value.float64());
    case Kind::string:
      return take(value.string());
    default:
      return take(as_text(value.binary()));
  }
}

// Of a value of one of the types that are computed with.
model::Values values_of(const Value& value, Type type) {
  model::Values out{.type = type, .single = true};
  with_value(value, [&]<typename T>(T of) {
    if constexpr (std::is_same_v<T, double>)
      out.real = {of};
    else if constexpr (std::is_same_v<T, std::string_view>)
      out.text = {of};
    else if (type.kind == TypeKind::boolean)
      out.truth = {static_cast<std::uint8_t>(of)};
    else
      out.exact = {of};
  });
  return out;
}

model::Values truth_values(bool truth) {
  return {.type = {TypeKind::boolean}, .single = true, .truth = {static_cast<std::uint8_t>(truth)}};
}

}  // namespace

std::optional<Type> type_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
      return Type{TypeKind::boolean};
    case Kind::integer:
    case Kind::unsigned_integer:
      return Type{TypeKind::int64};  // exact numbers have 128 bits, whatever they are called
    case Kind::float64:
      return Type{TypeKind::float64};
    case Kind::string:
      return Type{TypeKind::string};
    case Kind::binary:
      return Type{TypeKind::binary};
    case Kind::timestamp:
      return Type{TypeKind::timestamp};
    case Kind::null:
    case Kind::array:
    case Kind::map:
      break;
  }
  return std::nullopt;
}

const ConditionNode::Step* ConditionNode::step_for(std::span<const Type> of) const noexcept {
  for (const Step& step : steps) {
    bool same = true;
    for (std::size_t i = 0; i < of.size(); ++i) {
      same = same && (operands[i].source == Source::constant || step.types[i] == of[i]);
    }
    if (same) return &step;
  }
  return nullptr;
}

// `and`: false where one is, else null where one is. `or`: the same with true and false changed.
Truth ConditionNode::joined(const DocumentRow& row) const {
  const Truth deciding = truth_of(kind == ExpressionKind::any_of);
  Truth out = truth_of(kind == ExpressionKind::all_of);
  for (const ConditionNode& operand : operands) {
    const Truth part = operand.truth(row);
    if (part == deciding) return part;
    if (part == Truth::null) out = Truth::null;
  }
  return out;
}

// What `is null` asks: an array and a map are values, though nothing is computed with them.
bool ConditionNode::missing(const DocumentRow& row) const {
  if (source != Source::path) return !value(row);
  const auto found = path->in(row.body);
  return !found || found->is_null();
}

// A path beside constants, which is what most conditions are.
Truth ConditionNode::tested(const Value& value) const {
  const auto type = type_of(value.kind());
  if (!type) return Truth::null;
  const Step* const step = step_for({&*type, 1});
  if (step == nullptr) return mutant("document-other-types-differ") ? Truth::no : Truth::null;
  return with_value(value, [&](auto of) { return truth_of(step->formula.test.holds(of)); });
}

Truth ConditionNode::truth(const DocumentRow& row) const {
  switch (kind) {
    case ExpressionKind::all_of:
    case ExpressionKind::any_of:
      return joined(row);
    case ExpressionKind::inverse: {
      const Truth of = operands.front().truth(row);
      return of == Truth::null ? of : truth_of(of == Truth::no);
    }
    case ExpressionKind::is_null:
    case ExpressionKind::not_null:
      return truth_of(operands.front().missing(row) == (kind == ExpressionKind::is_null));
    default:
      break;
  }
  const bool comparison = kind >= ExpressionKind::equal && kind <= ExpressionKind::between;
  if (comparison && operands.size() == 1 && operands.front().source == Source::path) {
    const auto found = operands.front().path->in(row.body);
    return found ? tested(*found) : Truth::null;
  }
  const auto out = value(row);
  if (!out || out->type.kind != TypeKind::boolean) return Truth::null;
  return truth_of(out->truth.front() != 0);
}

std::optional<model::Values> ConditionNode::value(const DocumentRow& row) const {
  switch (source) {
    case Source::constant:
      return constant;
    case Source::id:
      return model::Values{.type = {TypeKind::string}, .single = true, .text = {row.id}};
    case Source::time:
      return model::Values{
          .type = {TypeKind::timestamp}, .single = true, .exact = {Int128{row.time.ns}}};
    case Source::path: {
      const auto found = path->in(row.body);
      const auto type = found ? type_of(found->kind()) : std::nullopt;
      return type ? std::optional(values_of(*found, *type)) : std::nullopt;
    }
    case Source::computed:
      break;
  }
  if (!steps.empty()) return computed(row);
  const Truth of = truth(row);  // a condition of conditions
  return of == Truth::null ? std::nullopt : std::optional(truth_values(of == Truth::yes));
}

// Null is the result of what has a null among its operands, whatever it is.
std::optional<model::Values> ConditionNode::computed(const DocumentRow& row) const {
  std::array<model::Values, 2> given;
  std::array<Type, 2> of{};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    auto operand = operands[i].value(row);
    if (!operand) return std::nullopt;
    of[i] = operand->type;
    given[i] = *std::move(operand);
  }
  const Step* const step = step_for(std::span(of).first(operands.size()));
  if (step == nullptr) return std::nullopt;
  std::vector<model::Values> taken;
  for (const model::Formula& operand : step->formula.operands) {
    const bool literal = operand.kind == ExpressionKind::constant;
    taken.push_back(literal ? operand.constant : given[operand.column]);
  }
  model::Values out = model::compute(step->formula, taken, 1);
  return out.is_null(0) ? std::nullopt : std::optional(std::move(out));
}

Condition::Condition(const Expression& where)
    : root_(std::make_shared<const ConditionNode>(truth_node(where, paths_))) {}

bool Condition::holds(std::string_view id, Timestamp time, Value body) const {
  return root_->truth({.id = id, .time = time, .body = body}) == Truth::yes;
}

}  // namespace otolith::document
