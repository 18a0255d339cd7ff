// Expressions as text that parse_condition takes.
#include <algorithm>

#include "base/error.h"
#include "model/condition_tokens.h"
#include "otolith/expression.h"

namespace otolith {

namespace {

// How tightly a kind binds: what binds less goes in parentheses.
enum class Binding { any_of, all_of, inverse, comparison, sum, product, sign, value };

Binding binding_of(const ExpressionNode& node) noexcept {
  switch (node.kind) {
    case ExpressionKind::any_of:
      return Binding::any_of;
    case ExpressionKind::all_of:
      return Binding::all_of;
    case ExpressionKind::inverse:
      return Binding::inverse;
    case ExpressionKind::add:
    case ExpressionKind::subtract:
      return Binding::sum;
    case ExpressionKind::multiply:
    case ExpressionKind::divide:
    case ExpressionKind::floor_divide:
    case ExpressionKind::modulo:
      return Binding::product;
    case ExpressionKind::negate:
      return Binding::sign;
    case ExpressionKind::column:
    case ExpressionKind::constant:
    case ExpressionKind::cast:
    case ExpressionKind::try_cast:
      return Binding::value;
    case ExpressionKind::call:
      return node.column == "like" ? Binding::comparison : Binding::value;
    default:
      return Binding::comparison;
  }
}

std::string_view sign_of(ExpressionKind kind) noexcept {
  switch (kind) {
    case ExpressionKind::equal:
      return "=";
    case ExpressionKind::not_equal:
      return "!=";
    case ExpressionKind::less:
      return "<";
    case ExpressionKind::less_equal:
      return "<=";
    case ExpressionKind::greater:
      return ">";
    case ExpressionKind::greater_equal:
      return ">=";
    case ExpressionKind::add:
      return "+";
    case ExpressionKind::subtract:
      return "-";
    case ExpressionKind::multiply:
      return "*";
    case ExpressionKind::divide:
      return "/";
    case ExpressionKind::floor_divide:
      return "//";
    case ExpressionKind::modulo:
      return "%";
    case ExpressionKind::all_of:
      return "and";
    default:
      return "or";
  }
}

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string name_text(const std::string& name) {
  return model::needs_quotes(name) ? in_quotes(name, '"') : name;
}

std::string float_text(double value) {
  if (value != value) return "nan";
  std::string out = fmt::format("{}", value);
  if (out == "inf") return "1e999";
  if (out == "-inf") return "-1e999";
  const bool whole = out.find_first_of(".e") == std::string::npos;
  return whole ? out + ".0" : out;
}

std::string constant_text(const Constant& constant) {
  return std::visit(
      [&]<typename T>(const T& value) -> std::string {
        if constexpr (std::is_same_v<T, std::string>)
          return in_quotes(value, '\'');
        else if constexpr (std::is_same_v<T, Timestamp>)
          return in_quotes(timestamp_format(value), '\'');
        else if constexpr (std::is_same_v<T, bool>)
          return value ? "true" : "false";
        else if constexpr (std::is_same_v<T, double>)
          return constant.digits().empty() ? float_text(value) : constant.digits();
        else
          return fmt::format("{}", value);
      },
      constant.value());
}

std::string text_of(const Expression& expression);

std::string enclosed(const Expression& part, Binding least) {
  std::string text = text_of(part);
  return binding_of(part.node()) < least ? fmt::format("({})", text) : text;
}

Binding above(Binding binding) noexcept {
  return static_cast<Binding>(static_cast<int>(binding) + 1);
}

std::string chain_text(const Expression& chain) {
  const std::vector<Expression> parts = chain.parts();
  if (parts.size() == 1) return text_of(parts.front());
  const Binding binding = binding_of(chain.node());
  std::string out;
  for (const Expression& part : parts) {
    if (!out.empty()) out += fmt::format(" {} ", sign_of(chain.node().kind));
    out += enclosed(part, above(binding));
  }
  return out.empty() ? "true" : out;
}

std::string call_text(const ExpressionNode& node) {
  const std::string of = text_of(node.operands.front());
  if (node.kind != ExpressionKind::call)
    return fmt::format("{}({} as {})", node.kind == ExpressionKind::cast ? "cast" : "try_cast", of,
                       node.column);
  std::string out = fmt::format("{}({}", node.column, of);
  for (const Constant& argument : node.constants) out += ", " + constant_text(argument);
  return out + ")";
}

std::string list_text(const ExpressionNode& node, const std::string& of) {
  std::string out = of + " in (";
  for (std::size_t i = 0; i < node.constants.size(); ++i)
    out += (i == 0 ? "" : ", ") + constant_text(node.constants[i]);
  return out + ")";
}

std::string comparison_text(const ExpressionNode& node) {
  const std::string of = enclosed(node.operands.front(), Binding::sum);
  if (node.kind == ExpressionKind::call) return of + " like " + constant_text(node.constants[0]);
  if (node.kind == ExpressionKind::is_null) return of + " is null";
  if (node.kind == ExpressionKind::not_null) return of + " is not null";
  if (node.kind == ExpressionKind::isin) return list_text(node, of);
  if (node.kind == ExpressionKind::between) {
    return fmt::format("{} between {} and {}", of, constant_text(node.constants.front()),
                       constant_text(node.constants.back()));
  }
  const std::string right = node.operands.size() > 1 ? enclosed(node.operands[1], Binding::sum)
                                                     : constant_text(node.constants.front());
  return fmt::format("{} {} {}", of, sign_of(node.kind), right);
}

std::string text_of(const Expression& expression) {
  const ExpressionNode& node = expression.node();
  switch (binding_of(node)) {
    case Binding::any_of:
    case Binding::all_of:
      return chain_text(expression);
    case Binding::inverse:
      return "not " + enclosed(node.operands.front(), Binding::inverse);
    case Binding::comparison:
      return comparison_text(node);
    case Binding::sum:
    case Binding::product:
      return fmt::format("{} {} {}", enclosed(node.operands[0], binding_of(node)),
                         sign_of(node.kind), enclosed(node.operands[1], above(binding_of(node))));
    case Binding::sign:
      // Not -5 but -(5), or it would come back as a constant.
      return "-" + (node.operands[0].node().kind == ExpressionKind::constant
                        ? fmt::format("({})", text_of(node.operands[0]))
                        : enclosed(node.operands[0], Binding::sign));
    case Binding::value:
      break;
  }
  if (node.kind == ExpressionKind::column) return name_text(node.column);
  if (node.kind == ExpressionKind::constant) return constant_text(node.constants.front());
  return call_text(node);
}

}  // namespace

std::string Expression::text() const { return text_of(*this); }

}  // namespace otolith
