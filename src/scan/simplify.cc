#include "scan/simplify.h"

#include <optional>

#include "base/error.h"
#include "base/mutant.h"
#include "model/comparison.h"
#include "model/functions.h"
#include "model/wide_time.h"

namespace otolith::scan {

namespace {

using model::constant_in;
using model::turned;
using model::WideNanoseconds;

// `column = constant` of what was put together as two expressions.
Expression beside_constant(const Expression& condition) {
  const ExpressionNode& node = condition.node();
  const bool comparison =
      node.kind >= ExpressionKind::equal && node.kind <= ExpressionKind::greater_equal;
  if (!comparison || node.operands.size() != 2) return condition;
  ExpressionNode out{.kind = node.kind, .place = node.place};
  if (const Constant* right = constant_in(node.operands[1])) {
    out.constants = {*right};
    out.operands = {node.operands[0]};
  } else if (const Constant* left = constant_in(node.operands[0])) {
    out.kind = turned(node.kind);
    out.constants = {*left};
    out.operands = {node.operands[1]};
  } else {
    return condition;
  }
  return Expression(std::move(out));
}

// The type of a plain column; nullopt for all else.
std::optional<TypeKind> column_type(const Expression& expression, const Schema& schema) {
  const ExpressionNode& node = expression.node();
  if (node.kind != ExpressionKind::column) return std::nullopt;
  const auto found = schema.find(node.column);
  return found ? std::optional(schema.columns[*found].type.kind) : std::nullopt;
}

// -------------------------------------------------------------------------------------- texts

// The least text behind all that begin with `prefix`, of which no byte is 0xff: it is UTF-8.
std::string behind(std::string prefix) {
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

Expression with_prefix(const Expression& column, const std::string& prefix) {
  if (mutant("simplify-prefix-to-itself")) return column.between(prefix, prefix);
  return column >= prefix && column < behind(prefix);
}

Expression of_text(const Expression& condition, const ExpressionNode& node) {
  const auto& argument = std::get<std::string>(node.constants.front().value());
  const Expression& column = node.operands.front();
  if (node.column == "starts_with" && !argument.empty()) return with_prefix(column, argument);
  if (node.column != "like") return condition;
  const std::size_t wild = argument.find_first_of("%_");
  if (wild == std::string::npos) return column == argument;
  const bool prefix = wild > 0 && argument.find_first_not_of('%', wild) == std::string::npos;
  return prefix ? with_prefix(column, argument.substr(0, wild)) : condition;
}

// -------------------------------------------------------------------------------------- times

// A stretch of time, its end not included.
struct Stretch {
  WideNanoseconds begin = 0;
  WideNanoseconds end = 0;
};

Constant time_of(WideNanoseconds ns) {
  if (ns > kTimestampMax.ns) return std::numeric_limits<double>::infinity();
  if (ns < kTimestampMin.ns) return -std::numeric_limits<double>::infinity();
  return Timestamp{static_cast<std::int64_t>(ns)};
}

// A function of the time that never falls as that grows, beside a value that it takes for the
// stretch from `begin` to `end`; where it takes none of these values the stretch is empty and lies
// where it passes it.
Expression in_stretch(ExpressionKind kind, const Expression& column, Stretch of) {
  const Constant begin = time_of(of.begin);
  const Constant end = time_of(of.end);
  switch (kind) {
    case ExpressionKind::less:
      return column < begin;
    case ExpressionKind::less_equal:
      return column < end;
    case ExpressionKind::greater:
      return column >= end;
    case ExpressionKind::greater_equal:
      return column >= begin;
    case ExpressionKind::not_equal:
      return column < begin || column >= end;
    default:
      return column >= begin && column < end;
  }
}

std::optional<Stretch> year_of(const Constant& constant) {
  const auto* year = std::get_if<std::int64_t>(&constant.value());
  constexpr std::int64_t kYearMax = 9998;
  if (year == nullptr || *year < 0 || *year > kYearMax) return std::nullopt;
  const auto begin = [](std::int64_t of) {
    return model::wide_time_parse(fmt::format("{:04}-01-01", of));
  };
  return Stretch{begin(*year), begin(*year + 1)};
}

Expression of_year(const Expression& condition, const ExpressionNode& node,
                   const Expression& column) {
  const auto first = year_of(node.constants.front());
  const auto last = year_of(node.constants.back());
  if (!first || !last) return condition;
  if (node.kind == ExpressionKind::between)
    return in_stretch(ExpressionKind::equal, column, {first->begin, last->end});
  return in_stretch(node.kind, column, *first);
}

}  // namespace

Expression simplified(const Expression& condition, const Schema& schema) {
  Expression out = beside_constant(condition);
  const ExpressionNode& node = out.node();
  if (node.kind == ExpressionKind::call && !node.constants.empty() &&
      column_type(node.operands.front(), schema) == TypeKind::string) {
    return of_text(out, node);
  }
  const bool comparison = node.kind >= ExpressionKind::equal &&
                          node.kind <= ExpressionKind::between &&
                          node.kind != ExpressionKind::isin && node.operands.size() == 1;
  if (!comparison) return out;
  const ExpressionNode& of = node.operands.front().node();
  const bool year = of.kind == ExpressionKind::call && of.column == "year" &&
                    column_type(of.operands.front(), schema) == TypeKind::timestamp;
  return year ? of_year(out, node, of.operands.front()) : out;
}

}  // namespace otolith::scan
