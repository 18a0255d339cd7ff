// Conditions on documents, bound: each operation for each pair of types that it takes.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "document/condition_node.h"
#include "document/split.h"
#include "model/array.h"
#include "model/formula_loops.h"
#include "model/functions.h"
#include "model/text_place.h"
#include "model/wide_time.h"

namespace otolith::document {

namespace {

using Source = ConditionNode::Source;

constexpr Type kTruth{TypeKind::boolean};

bool is_comparison(ExpressionKind kind) noexcept {
  return kind >= ExpressionKind::equal && kind <= ExpressionKind::between;
}

bool is_logic(ExpressionKind kind) noexcept {
  return kind >= ExpressionKind::is_null && kind <= ExpressionKind::inverse;
}

bool is_time(Type type) noexcept { return type.kind == TypeKind::timestamp; }
bool is_number(Type type) noexcept {
  const bool counts = model::kind_of(type) == model::ValueKind::exact ||
                      model::kind_of(type) == model::ValueKind::real;
  return counts && !is_time(type);
}

// Pairs that cannot go together: not worth an attempt that ends in an error.
bool may_go_together(ExpressionKind kind, Type left, Type right) noexcept {
  if (is_comparison(kind)) return left.kind == right.kind || (is_number(left) && is_number(right));
  return (is_number(left) || is_time(left)) && (is_number(right) || is_time(right));
}

// Whether a value of the type can be compared with the constant at all.
bool comparable(Type type, const Constant& constant) {
  const Constant::Value& value = constant.value();
  const bool text = std::holds_alternative<std::string>(value);
  if (type.kind == TypeKind::boolean) return std::holds_alternative<bool>(value);
  if (model::is_text(type)) return text;
  const bool number =
      !text && !std::holds_alternative<bool>(value) && !std::holds_alternative<Timestamp>(value);
  if (!is_time(type)) return number || (text && type.kind == TypeKind::decimal);
  if (std::holds_alternative<Timestamp>(value)) return true;
  if (const auto* real = std::get_if<double>(&value)) return std::isinf(*real);
  if (!text) return false;
  try {
    (void)model::wide_time_parse(std::get<std::string>(value));
    return true;
  } catch (const Error&) {  // a text that is no time
    return false;
  }
}

class Binder {
 public:
  explicit Binder(std::vector<std::string>& paths) : paths_(paths) {}

  ConditionNode bound(const Expression& expression) {
    const ExpressionNode& node = expression.node();
    ConditionNode out{.kind = node.kind};
    if (node.kind == ExpressionKind::column) {
      column(node, out);
    } else if (node.kind == ExpressionKind::constant) {
      out.source = Source::constant;
      const model::Formula formula = model::formula_of(expression, {});
      out.constant = formula.constant;
      out.types = {formula.type};
    } else if (is_logic(node.kind)) {
      logic(expression, out);
    } else {
      for (const Expression& operand : node.operands) out.operands.push_back(bound(operand));
      bind_steps(expression, out);
    }
    return out;
  }

  ConditionNode truth(const Expression& expression) {
    ConditionNode out = bound(expression);
    if (std::ranges::find(out.types, kTruth) != out.types.end()) return out;
    throw_error(ErrorCode::invalid_argument,
                "where: {} is no condition by itself; compare it, or ask whether it is null{}",
                model::expression_shown(expression), model::place_shown(expression.node().place));
  }

 private:
  void column(const ExpressionNode& node, ConditionNode& out) {
    if (std::ranges::find(paths_, node.column) == paths_.end()) paths_.push_back(node.column);
    if (node.column == kIdField) {
      out.source = Source::id;
      out.types = {{TypeKind::string}};
    } else if (node.column == kTimeField) {
      out.source = Source::time;
      out.types = {{TypeKind::timestamp}};
    } else {
      out.source = Source::path;
      out.path.emplace(node.column);
      for (const Kind kind : {Kind::boolean, Kind::integer, Kind::float64, Kind::string,
                              Kind::binary, Kind::timestamp}) {
        out.types.push_back(*type_of(kind));
      }
    }
  }

  void logic(const Expression& expression, ConditionNode& out) {
    const bool of_null =
        out.kind == ExpressionKind::is_null || out.kind == ExpressionKind::not_null;
    out.types = {kTruth};
    for (const Expression& part : expression.parts())
      out.operands.push_back(of_null ? bound(part) : truth(part));
  }

  // -------------------------------------------------------------------------------------- steps

  void bind_steps(const Expression& expression, ConditionNode& out) {
    std::optional<Error> why;
    for (const Type left : out.operands.front().types) {
      for (const Type right : out.operands.back().types) {
        if (out.operands.size() == 1 && !(left == right)) continue;
        bind_step(expression, {left, right}, out, why);
      }
    }
    if (!out.steps.empty()) return;
    if (!why) why = never(expression, out);
    throw_error(why->code(), why->message());
  }

  void bind_step(const Expression& expression, std::array<Type, 2> types, ConditionNode& out,
                 std::optional<Error>& why) {
    const bool two = out.operands.size() == 2;
    const bool constants = two && (out.operands[0].source == Source::constant ||
                                   out.operands[1].source == Source::constant);
    if (two && !constants && !may_go_together(out.kind, types[0], types[1])) return;
    try {
      auto formula = step(expression, types);
      if (!formula) return;
      const Type type = formula->type;
      out.steps.push_back({types, *std::move(formula)});
      if (std::ranges::find(out.types, type) == out.types.end()) out.types.push_back(type);
    } catch (const Error& error) {
      if (!why || is_meant(expression.node(), types[0])) why = error;
    }
  }

  // The refusal that its reader expects, of many: of the type that the function is of.
  static bool is_meant(const ExpressionNode& node, Type type) noexcept {
    const model::Function* function =
        node.kind == ExpressionKind::call ? model::function_find(node.column) : nullptr;
    if (function == nullptr) return false;
    switch (function->of) {
      case model::Function::Of::number:
        return is_number(type);
      case model::Function::Of::text:
        return type.kind == TypeKind::string;
      default:
        return is_time(type);
    }
  }

  // The operation with columns of these types for its operands, as of a table.
  static std::optional<model::Formula> step(const Expression& expression,
                                            std::array<Type, 2> types) {
    ExpressionNode node = expression.node();
    Schema schema;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const ExpressionNode& operand = node.operands[i].node();
      schema.columns.push_back({.name = fmt::format("{}", i), .type = types[i]});
      if (operand.kind != ExpressionKind::constant)
        node.operands[i] = col(schema.columns.back().name);
    }
    if (!node.constants.empty() && is_comparison(node.kind)) {
      const bool asks_for_none = !keep_comparable(types[0], node);
      if (asks_for_none) return std::nullopt;
    }
    model::Formula out = model::formula_of(Expression(std::move(node)), schema);
    out.expression = expression;
    return out;
  }

  // Of `in` those that the type can be; of others all have to be. False where none is left.
  static bool keep_comparable(Type type, ExpressionNode& node) {
    const auto other = [&](const Constant& constant) { return !comparable(type, constant); };
    if (node.kind != ExpressionKind::isin) return std::ranges::none_of(node.constants, other);
    std::erase_if(node.constants, other);
    return !node.constants.empty();
  }

  // Why no pair of types will do, where none was tried.
  static Error never(const Expression& expression, const ConditionNode& out) {
    const std::string shown = model::expression_shown(expression);
    const std::string place = model::place_shown(expression.node().place);
    try {
      (void)step(expression,
                 {out.operands.front().types.front(), out.operands.back().types.front()});
    } catch (const Error& error) {
      return error;
    }
    return {ErrorCode::invalid_argument,
            fmt::format("where: {}: no value can be compared like that; cast one{}", shown, place)};
  }

  std::vector<std::string>& paths_;
};

}  // namespace

ConditionNode truth_node(const Expression& expression, std::vector<std::string>& paths) {
  return Binder(paths).truth(expression);
}

}  // namespace otolith::document
