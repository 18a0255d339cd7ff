#include "model/formula.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/comparison.h"
#include "model/formula_loops.h"
#include "model/text_place.h"
#include "model/wide_time.h"

namespace otolith::model {

namespace {

constexpr Type kTruth{TypeKind::boolean};
constexpr Type kInteger{TypeKind::int64};
constexpr Type kReal{TypeKind::float64};
constexpr Type kTime{TypeKind::timestamp};

constexpr Type exact_type(unsigned scale) noexcept {
  return scale == 0 ? kInteger
                    : Type{TypeKind::decimal, kDecimalDigitsMax, static_cast<std::uint8_t>(scale)};
}

bool is_time(Type type) noexcept { return type.kind == TypeKind::timestamp; }
bool is_exact_number(Type type) noexcept {
  return kind_of(type) == ValueKind::exact && !is_time(type);
}
bool is_number(Type type) noexcept {
  return is_exact_number(type) || kind_of(type) == ValueKind::real;
}
bool is_whole(Type type) noexcept { return is_exact_number(type) && scale_of(type) == 0; }

template <typename... Args>
[[noreturn]] void refuse(const ExpressionNode& node, fmt::format_string<const Args&...> format,
                         const Args&... args) {
  throw_error(ErrorCode::invalid_argument, "where: {}{}", fmt::format(format, args...),
              place_shown(node.place));
}

Values constant_of(const Constant& constant) {
  Values out{.single = true};
  std::visit(
      [&]<typename T>(const T& value) {
        if constexpr (std::is_same_v<T, bool>) {
          out.type = kTruth;
          out.truth = {static_cast<std::uint8_t>(value)};
        } else if constexpr (std::is_same_v<T, double>) {
          out.type = kReal;
          out.real = {value};
        } else if constexpr (std::is_same_v<T, Timestamp>) {
          out.type = kTime;
          out.exact = {value.ns};
        } else if constexpr (std::is_same_v<T, std::string>) {
          const auto text = std::make_shared<const std::string>(value);
          out.type = {TypeKind::string};
          out.text = {*text};
          out.owner = text;
        } else {
          out.type = {std::is_signed_v<T> ? TypeKind::int64 : TypeKind::uint64};
          out.exact = {value};
        }
      },
      constant.value());
  return out;
}

class Binder {
 public:
  explicit Binder(const Schema& schema) : schema_(schema) {}

  Formula bound(const Expression& expression) const {
    const ExpressionNode& node = expression.node();
    Formula out{.kind = node.kind, .expression = expression};
    switch (node.kind) {
      case ExpressionKind::column:
        return column(node, std::move(out));
      case ExpressionKind::constant:
        return constant(node.constants.front(), std::move(out));
      case ExpressionKind::all_of:
      case ExpressionKind::any_of:
      case ExpressionKind::inverse:
        out.type = kTruth;
        for (const Expression& part : expression.parts()) out.operands.push_back(truth(part));
        return out;
      case ExpressionKind::is_null:
      case ExpressionKind::not_null:
        out.type = kTruth;
        out.operands.push_back(bound(node.operands.front()));
        return out;
      default:
        break;
    }
    if (node.kind == ExpressionKind::cast || node.kind == ExpressionKind::try_cast)
      return cast(node, std::move(out));
    if (node.kind == ExpressionKind::call) return call(node, std::move(out));
    if (node.kind >= ExpressionKind::add) return arithmetic(node, std::move(out));
    return comparison(node, std::move(out));
  }

  Formula truth(const Expression& expression) const {
    Formula out = bound(expression);
    if (out.type == kTruth) return out;
    refuse(expression.node(),
           "{} is {} and no condition by itself; compare it, or ask whether it is null",
           shown(expression), type_name(out.type));
  }

 private:
  static std::string shown(const Expression& expression) {
    const ExpressionNode& node = expression.node();
    return node.kind == ExpressionKind::column ? "column " + quoted(node.column)
                                               : expression_shown(expression);
  }

  static Formula constant(const Constant& constant, Formula out) {
    out.constant = constant_of(constant);
    const std::string& digits = constant.digits();
    if (!digits.empty() && !digits.contains('.')) take_digits(digits, out);
    out.type = out.constant.type;
    return out;
  }

  Formula column(const ExpressionNode& node, Formula out) const {
    const auto found = schema_.find(node.column);
    if (!found) refuse_column(node, schema_);
    out.column = *found;
    out.type = schema_.columns[*found].type;
    return out;
  }

  // ------------------------------------------------------------------------------- arithmetic

  Formula arithmetic(const ExpressionNode& node, Formula out) const {
    for (const Expression& operand : node.operands) out.operands.push_back(bound(operand));
    if (node.kind != ExpressionKind::negate) take_literals(node, out);
    const Type left = out.operands.front().type;
    const Type right = out.operands.back().type;
    out.type = node.kind == ExpressionKind::negate ? left : result(node.kind, left, right);
    const bool fits = node.kind == ExpressionKind::negate ? is_number(left) : out.type != kTruth;
    if (!fits) refuse_operands(node, out);
    if (is_exact_number(out.type)) out.type = exact_type(scale_of(out.type));
    if (kind_of(out.type) == ValueKind::real) out.type = kReal;
    return out;
  }

  // Texts beside times are times, and numbers written with a point beside decimals are decimals.
  void take_literals(const ExpressionNode& node, Formula& out) const {
    for (std::size_t i = 0; i < 2; ++i) {
      const Constant* constant = constant_in(node.operands[i]);
      const Type other = out.operands[1 - i].type;
      if (constant == nullptr) continue;
      const auto* text = std::get_if<std::string>(&constant->value());
      if (text != nullptr && is_time(other)) {
        make_literal(out.operands[i], kTime, time_in(*text, node, out));
      } else if (other.kind == TypeKind::decimal && !constant->digits().empty()) {
        take_digits(constant->digits(), out.operands[i]);
      }
    }
  }

  static Int128 time_in(const std::string& text, const ExpressionNode& node, const Formula& out) {
    try {
      return wide_time_parse(text);
    } catch (const Error& error) {
      refuse(node, "{}: {}", model::shown(out), error.message());
    }
  }

  static void make_literal(Formula& out, Type type, Int128 units) {
    out.type = type;
    out.constant = {.type = type, .single = true, .exact = {units}};
  }

  static void take_digits(std::string_view digits, Formula& out) {
    const std::size_t point = digits.find('.');
    const std::size_t scale = point == std::string_view::npos ? 0 : digits.size() - point - 1;
    if (scale > kDecimalDigitsMax) return;
    Int128 units = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') continue;
      if (units >= kExactEnd / 10) return;
      units = units * 10 + (c - '0');
    }
    make_literal(out, exact_type(static_cast<unsigned>(scale)),
                 digits.starts_with('-') ? -units : units);
  }

  // kTruth where there is none.
  static Type result(ExpressionKind kind, Type left, Type right) noexcept {
    const bool sum = kind == ExpressionKind::add;
    const bool difference = kind == ExpressionKind::subtract;
    if (is_time(left) && is_time(right)) return difference ? kInteger : kTruth;
    if (is_time(left)) return (sum || difference) && is_whole(right) ? kTime : kTruth;
    if (is_time(right)) return sum && is_whole(left) ? kTime : kTruth;
    if (!is_number(left) || !is_number(right)) return kTruth;
    if (kind == ExpressionKind::divide || !is_exact_number(left) || !is_exact_number(right))
      return kReal;
    if (kind == ExpressionKind::floor_divide) return kInteger;
    const unsigned most = std::max(scale_of(left), scale_of(right));
    if (kind != ExpressionKind::multiply) return exact_type(most);
    const unsigned both = scale_of(left) + scale_of(right);
    return both > kDecimalDigitsMax ? kTruth : exact_type(both);
  }

  [[noreturn]] static void refuse_operands(const ExpressionNode& node, const Formula& out) {
    if (out.operands.size() == 1) {
      refuse(node, "{}: {} is no number", model::shown(out), type_name(out.operands[0].type));
    }
    const Type left = out.operands[0].type;
    const Type right = out.operands[1].type;
    if (is_number(left) && is_number(right)) {
      refuse(node, "{}: {} and {} have more than {} digits behind the point together; cast one",
             model::shown(out), type_name(left), type_name(right), kDecimalDigitsMax);
    }
    const bool times = is_time(left) || is_time(right);
    refuse(node, "{}: {} and {} do not go together; {}", model::shown(out), type_name(left),
           type_name(right),
           times ? "of times there are time - time, time + ns and time - ns"
                 : "it takes numbers: cast(… as float64) makes one");
  }

  // ------------------------------------------------------------------------------ comparisons

  Formula comparison(const ExpressionNode& node, Formula out) const {
    out.type = kTruth;
    out.operands.push_back(bound(node.operands.front()));
    if (node.operands.size() == 1) {
      test(node, node, out);
      return out;
    }
    // A constant on either side is tested as one beside a column.
    if (const Constant* right = constant_in(node.operands[1])) {
      test(node, {.kind = node.kind, .constants = {*right}}, out);
      return out;
    }
    if (const Constant* left = constant_in(node.operands[0])) {
      out.kind = turned(node.kind);
      out.operands.front() = bound(node.operands[1]);
      test(node, {.kind = out.kind, .constants = {*left}}, out);
      return out;
    }
    out.operands.push_back(bound(node.operands[1]));
    const Type left = out.operands[0].type;
    const Type right = out.operands[1].type;
    const bool like = left.kind == right.kind || (is_number(left) && is_number(right));
    if (!like) {
      refuse(node, "{}: {} is not compared with {}; cast one of them", model::shown(out),
             type_name(left), type_name(right));
    }
    return out;
  }

  // Results have more digits than their type says, and are compared as such.
  static void test(const ExpressionNode& node, const ExpressionNode& comparison, Formula& out) {
    const Formula& operand = out.operands.front();
    Type type = operand.type;
    if (is_whole(type) && type.kind != TypeKind::decimal) {
      for (const Constant& constant : comparison.constants) {
        const std::size_t kind = constant.value().index();
        if (kind >= 1 && kind <= 3) continue;
        refuse(node, "{}: {} is compared with a number", model::shown(out), type_name(type));
      }
    }
    if (is_exact_number(type))
      type = {TypeKind::decimal, kDecimalDigitsMax, static_cast<std::uint8_t>(scale_of(type))};
    if (type.kind == TypeKind::float32) type = kReal;
    try {
      out.test = criterion_of(comparison, false, type, {});
    } catch (const Error&) {
      refuse(node, "{}: {}", model::shown(out), refusal(comparison, type, operand));
    }
  }

  // Once more with a name, which is not made before: what is compared may be long.
  static std::string refusal(const ExpressionNode& comparison, Type type, const Formula& operand) {
    try {
      (void)criterion_of(comparison, false, type, model::shown(operand));
    } catch (const Error& error) {
      return error.message();
    }
    return {};
  }

  // -------------------------------------------------------------------------- casts, functions

  Formula cast(const ExpressionNode& node, Formula out) const {
    out.operands.push_back(bound(node.operands.front()));
    out.type = type_parse(node.column);
    const Type from = out.operands.front().type;
    if (!cast_exists(from, out.type))
      refuse(node, "{}: {} cannot become {}", model::shown(out), type_name(from),
             type_name(out.type));
    return out;
  }

  Formula call(const ExpressionNode& node, Formula out) const {
    try {
      function_check(node.column, node.constants);
    } catch (const Error& error) {
      refuse(node, "{} of {}: {}", quoted(node.column), expression_shown(node.operands.front()),
             error.message());
    }
    out.function = &function_of(node.column);
    out.operands.push_back(bound(node.operands.front()));
    const Type of = out.operands.front().type;
    out.type = result_of(*out.function, of);
    if (!takes(*out.function, of)) {
      constexpr std::array<std::string_view, 3> kWanted = {"numbers", "strings", "times"};
      refuse(node, "{}: {} takes {}, not {}", model::shown(out), node.column,
             kWanted[static_cast<std::size_t>(out.function->of)], type_name(of));
    }
    if (!node.constants.empty())
      out.argument = std::get<std::string>(node.constants.front().value());
    if (out.function->argument == Function::Argument::duration)
      out.unit_ns = duration_parse(out.argument);
    try {
      out.pattern = pattern_of(out.function->id, out.argument);
    } catch (const Error& error) {
      refuse(node, "{}: {}", model::shown(out), error.message());
    }
    return out;
  }

  static bool takes(const Function& function, Type type) noexcept {
    switch (function.of) {
      case Function::Of::number:
        return is_number(type);
      case Function::Of::text:
        return type.kind == TypeKind::string;
      default:
        return is_time(type);
    }
  }

  static Type result_of(const Function& function, Type of) noexcept {
    switch (function.id) {
      case FunctionId::abs:
        return is_exact_number(of) ? exact_type(scale_of(of)) : kReal;
      case FunctionId::lower:
      case FunctionId::upper:
      case FunctionId::floor:
        return of;
      case FunctionId::contains:
      case FunctionId::starts_with:
      case FunctionId::ends_with:
      case FunctionId::like:
      case FunctionId::matches:
        return kTruth;
      default:
        return kInteger;
    }
  }

  const Schema& schema_;
};

}  // namespace

ValueKind kind_of(Type type) noexcept {
  switch (type.kind) {
    case TypeKind::boolean:
      return ValueKind::truth;
    case TypeKind::float32:
    case TypeKind::float64:
      return ValueKind::real;
    case TypeKind::string:
    case TypeKind::binary:
      return ValueKind::text;
    default:
      return ValueKind::exact;
  }
}

Formula formula_of(const Expression& expression, const Schema& schema) {
  return Binder(schema).bound(expression);
}

Formula condition_formula(const Expression& expression, const Schema& schema) {
  return Binder(schema).truth(expression);
}

void refuse_column(const ExpressionNode& column, const Schema& schema) {
  std::string hint = nearest_hint(column.column, schema.names());
  const TextPlace& place = column.place;
  const bool in_quotes = place.text != nullptr && place.text->at(place.first) == '"';
  if (hint.empty() && in_quotes) hint = "; texts go in single quotes";
  refuse(column, "there is no column {}{}", quoted(column.column), hint);
}

void collect_columns(const Formula& formula, std::vector<std::size_t>& columns) {
  const bool seen = std::ranges::find(columns, formula.column) != columns.end();
  if (formula.kind == ExpressionKind::column && !seen) columns.push_back(formula.column);
  for (const Formula& operand : formula.operands) collect_columns(operand, columns);
}

}  // namespace otolith::model
