// The text form of conditions: docs/conditions.md has the grammar, function by function as here.
#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/limits.h"
#include "model/comparison.h"
#include "model/condition_tokens.h"
#include "model/functions.h"

namespace otolith {

namespace {

using model::constant_in;
using model::is_word;
using model::Token;
using model::turned;

constexpr std::pair<std::string_view, ExpressionKind> kComparisons[] = {
    {"=", ExpressionKind::equal},      {"==", ExpressionKind::equal},
    {"!=", ExpressionKind::not_equal}, {"<>", ExpressionKind::not_equal},
    {"<", ExpressionKind::less},       {"<=", ExpressionKind::less_equal},
    {">", ExpressionKind::greater},    {">=", ExpressionKind::greater_equal},
};
using Signs = std::span<const std::pair<std::string_view, ExpressionKind>>;
constexpr std::pair<std::string_view, ExpressionKind> kSums[] = {{"+", ExpressionKind::add},
                                                                 {"-", ExpressionKind::subtract}};
constexpr std::pair<std::string_view, ExpressionKind> kProducts[] = {
    {"*", ExpressionKind::multiply},
    {"/", ExpressionKind::divide},
    {"//", ExpressionKind::floor_divide},
    {"%", ExpressionKind::modulo}};

class Parser {
 public:
  explicit Parser(std::string_view text)
      : text_(std::make_shared<const std::string>(text)), tokens_(model::tokens_of(text_)) {}

  Expression run() {
    if (token().kind == Token::Kind::end) refuse("a condition is empty: give one, bid > 90");
    Expression out = any_of();
    if (token().kind == Token::Kind::end) return out;
    if (comparison_here()) {
      refuse("comparisons do not follow one another; write a < x and x < b, or x between a and b");
    }
    if (token().kind == Token::Kind::name || token().kind == Token::Kind::quoted_name)
      refuse(found("a condition has ended here; join with and, or"));
    refuse(found("a condition has ended here"));
  }

 private:
  // Conditions within one another, so that no text is deeper than a stack can take.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.levels_ <= kExpressionDepthMax) return;
      throw_error(ErrorCode::limit,
                  "a condition of more than {} levels; nest it less, and use in (...) for many "
                  "values of a column",
                  kExpressionDepthMax);
    }
    ~Level() { --parser_.levels_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  // ------------------------------------------------------------------------------------- tokens

  const Token& token(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool sign_here(std::string_view sign, std::size_t ahead = 0) const {
    return token(ahead).kind == Token::Kind::sign && token(ahead).value == sign;
  }
  bool take_sign(std::string_view sign) {
    if (!sign_here(sign)) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!is_word(token(), word)) return false;
    ++at_;
    return true;
  }
  void want_sign(std::string_view sign, const char* where) {
    if (!take_sign(sign)) refuse(found(fmt::format("expected {} {}", sign, where)));
  }
  std::optional<ExpressionKind> sign_among(Signs signs) const {
    if (token().kind != Token::Kind::sign) return std::nullopt;
    for (const auto& [sign, kind] : signs) {
      if (token().value == sign) return kind;
    }
    return std::nullopt;
  }
  std::optional<ExpressionKind> comparison_here() const { return sign_among(kComparisons); }

  std::string found(std::string_view what) const {
    if (token().kind == Token::Kind::end) return fmt::format("{}, and it ends", what);
    const std::size_t length = token().end - token().first;
    return fmt::format("{}, found {}", what,
                       quoted(std::string_view(*text_).substr(token().first, length)));
  }
  [[noreturn]] void refuse(std::string_view what) const {
    model::refuse_at({text_, token().first, token().end}, what);
  }

  // Behind the token it began with: `first` is the byte where the part begins.
  Expression made(ExpressionNode node, std::size_t first) const {
    node.place = {text_, first, tokens_[at_ - 1].end};
    return Expression(std::move(node));
  }
  std::size_t begin() const { return token().first; }

  // --------------------------------------------------------------------------------- conditions

  Expression joined(ExpressionKind kind, std::string_view word, Expression (Parser::*part)()) {
    const std::size_t first = begin();
    std::vector<Expression> parts{(this->*part)()};
    while (take_word(word)) parts.push_back((this->*part)());
    if (parts.size() == 1) return parts.front();
    return made({.kind = kind, .operands = std::move(parts)}, first);
  }
  Expression any_of() {
    const Level level(*this);
    return joined(ExpressionKind::any_of, "or", &Parser::all_of);
  }
  Expression all_of() { return joined(ExpressionKind::all_of, "and", &Parser::negation); }

  Expression negation() {
    const std::size_t first = begin();
    if (!take_word("not")) return comparison();
    const Level level(*this);
    return made({.kind = ExpressionKind::inverse, .operands = {negation()}}, first);
  }

  Expression comparison() {
    const std::size_t first = begin();
    Expression left = sum();
    if (const auto kind = comparison_here()) {
      ++at_;
      refuse_null();
      return compared(*kind, left, sum(), first);
    }
    if (take_word("is")) return null_test(left, first);
    const bool inverse = is_word(token(), "not");
    if (inverse) ++at_;
    Expression out = left;
    if (take_word("in")) {
      out = in_list(left, first);
    } else if (take_word("between")) {
      out = between(left, first);
    } else if (take_word("like")) {
      out = call("like", left, first, argument_text("like"));
    } else if (inverse) {
      refuse(found("expected in, between or like behind not"));
    }
    return inverse ? made({.kind = ExpressionKind::inverse, .operands = {out}}, first) : out;
  }

  void refuse_null() const {
    if (is_word(token(), "null")) refuse("nothing equals null; ask is null or is not null");
  }

  Expression compared(ExpressionKind kind, const Expression& left, const Expression& right,
                      std::size_t first) const {
    if (const Constant* value = constant_in(right))
      return made({.kind = kind, .constants = {*value}, .operands = {left}}, first);
    if (const Constant* value = constant_in(left))
      return made({.kind = turned(kind), .constants = {*value}, .operands = {right}}, first);
    return made({.kind = kind, .operands = {left, right}}, first);
  }

  Expression null_test(const Expression& left, std::size_t first) {
    const bool inverse = take_word("not");
    if (!take_word("null")) refuse(found("expected null behind is"));
    return made(
        {.kind = inverse ? ExpressionKind::not_null : ExpressionKind::is_null, .operands = {left}},
        first);
  }

  Expression in_list(const Expression& left, std::size_t first) {
    want_sign("(", "behind in");
    std::vector<Expression> values;
    while (!sign_here(")")) {
      refuse_null();
      values.push_back(sum());
      if (!take_sign(",")) break;
    }
    want_sign(")", "at the end of the list");
    if (std::ranges::all_of(values, constant_in)) {
      ExpressionNode node{.kind = ExpressionKind::isin, .operands = {left}};
      for (const Expression& value : values) node.constants.push_back(*constant_in(value));
      return made(std::move(node), first);
    }
    ExpressionNode node{.kind = ExpressionKind::any_of};
    for (const Expression& value : values)
      node.operands.push_back(compared(ExpressionKind::equal, left, value, first));
    return made(std::move(node), first);
  }

  Expression between(const Expression& left, std::size_t first) {
    refuse_null();
    const Expression low = sum();
    if (!take_word("and")) refuse(found("expected and between both ends of between"));
    refuse_null();
    const Expression high = sum();
    if (constant_in(low) && constant_in(high)) {
      return made({.kind = ExpressionKind::between,
                   .constants = {*constant_in(low), *constant_in(high)},
                   .operands = {left}},
                  first);
    }
    return made({.kind = ExpressionKind::all_of,
                 .operands = {compared(ExpressionKind::greater_equal, left, low, first),
                              compared(ExpressionKind::less_equal, left, high, first)}},
                first);
  }

  // ------------------------------------------------------------------------------------- values

  Expression computed(Signs signs, Expression (Parser::*part)()) {
    const std::size_t first = begin();
    Expression out = (this->*part)();
    while (const auto kind = sign_among(signs)) {
      ++at_;
      out = made({.kind = *kind, .operands = {out, (this->*part)()}}, first);
    }
    return out;
  }
  Expression sum() { return computed(kSums, &Parser::product); }
  Expression product() { return computed(kProducts, &Parser::signed_value); }

  Expression signed_value() {
    const std::size_t first = begin();
    if (!sign_here("+") && !sign_here("-")) return method();
    const Level level(*this);
    if (take_sign("+")) return signed_value();
    ++at_;
    if (token().kind == Token::Kind::number) {
      const std::string digits = "-" + token().value;
      ++at_;
      return constant(Constant::number(digits), first);
    }
    return made({.kind = ExpressionKind::negate, .operands = {signed_value()}}, first);
  }

  // `symbol.str.lower()`, `time.dt.year`.
  Expression method() {
    const std::size_t first = begin();
    Expression out = primary();
    while (sign_here(".") && (is_word(token(1), "str") || is_word(token(1), "dt")) &&
           sign_here(".", 2)) {
      at_ += 3;
      const std::string name = function_name();
      std::optional<Constant> argument;
      if (take_sign("(")) {
        if (!sign_here(")")) argument = argument_text(name);
        want_sign(")", "at the end of the call");
      }
      out = call(name, out, first, std::move(argument));
    }
    return out;
  }

  std::string function_name() {
    if (token().kind != Token::Kind::name) refuse(found("expected the name of a function"));
    std::string name = token().value;
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    if (name == "length") name = "len";
    known(name);
    ++at_;
    return name;
  }

  // Errors of a function's name and arguments, with their place.
  void known(const std::string& name) const {
    try {
      (void)model::function_of(name);
    } catch (const Error& error) {
      refuse(error.message());
    }
  }

  Constant argument_text(std::string_view function) {
    if (token().kind != Token::Kind::text)
      refuse(found(fmt::format("{} takes a text in single quotes", function)));
    return tokens_[at_++].value;
  }

  Expression call(const std::string& name, const Expression& of, std::size_t first,
                  std::optional<Constant> argument) const {
    std::vector<Constant> arguments;
    if (argument) arguments.push_back(*std::move(argument));
    try {
      model::function_check(name, arguments);
    } catch (const Error& error) {
      model::refuse_at({text_, first, tokens_[at_ - 1].end}, error.message());
    }
    return made({.kind = ExpressionKind::call,
                 .column = name,
                 .constants = std::move(arguments),
                 .operands = {of}},
                first);
  }

  Expression constant(Constant value, std::size_t first) const {
    return made({.kind = ExpressionKind::constant, .constants = {std::move(value)}}, first);
  }

  Expression primary() {
    const std::size_t first = begin();
    if (take_sign("(")) {
      Expression out = any_of();
      want_sign(")", "to close the parenthesis");
      return out;
    }
    if (token().kind == Token::Kind::number) return constant_here(Constant::number(token().value));
    if (token().kind == Token::Kind::text) return constant_here(token().value);
    if (token().kind == Token::Kind::quoted_name) {
      ++at_;
      return made({.kind = ExpressionKind::column, .column = tokens_[at_ - 1].value}, first);
    }
    if (token().kind != Token::Kind::name) refuse(found("expected a value"));
    if (is_word(token(), "true") || is_word(token(), "false"))
      return constant_here(is_word(token(), "true"));
    if (is_word(token(), "cast") || is_word(token(), "try_cast")) return cast();
    if (model::needs_quotes(token().value)) {
      refuse(found("expected a value; a column of that name goes in double quotes"));
    }
    return sign_here("(", 1) ? function() : column();
  }

  Expression constant_here(Constant value) {
    const std::size_t first = begin();
    ++at_;
    return constant(std::move(value), first);
  }

  // A path such as user.city is one name; .str. and .dt. begin a function.
  Expression column() {
    const std::size_t first = begin();
    std::string name = tokens_[at_++].value;
    while (sign_here(".") && token(1).kind == Token::Kind::name) {
      const bool begins = is_word(token(1), "str") || is_word(token(1), "dt");
      if (begins && sign_here(".", 2)) break;
      name += "." + token(1).value;
      at_ += 2;
    }
    if (sign_here("(")) {
      --at_;
      refuse(found("functions of values follow .str. or .dt., or take the value in parentheses"));
    }
    return made({.kind = ExpressionKind::column, .column = std::move(name)}, first);
  }

  Expression function() {
    const std::size_t first = begin();
    if (is_word(token(), "duration")) return duration();
    const std::string name = function_name();
    want_sign("(", "behind the function");
    const Expression of = any_of();
    std::optional<Constant> argument;
    if (take_sign(",")) argument = argument_text(name);
    want_sign(")", "at the end of the call");
    return call(name, of, first, std::move(argument));
  }

  // duration('1h') is the number of its ns.
  Expression duration() {
    const std::size_t first = begin();
    at_ += 2;
    const std::size_t text = begin();
    const Constant value = argument_text("duration");
    std::int64_t ns = 0;
    try {
      ns = model::duration_parse(std::get<std::string>(value.value()));
    } catch (const Error& error) {
      model::refuse_at({text_, text, tokens_[at_ - 1].end}, error.message());
    }
    want_sign(")", "at the end of the call");
    return constant(ns, first);
  }

  Expression cast() {
    const std::size_t first = begin();
    const bool strict = is_word(token(), "cast");
    ++at_;
    want_sign("(", "behind cast");
    const Expression of = any_of();
    if (!take_word("as")) refuse(found("expected as and a type, cast(x as int64)"));
    const std::size_t from = begin();
    if (token().kind != Token::Kind::name) refuse(found("expected a type"));
    ++at_;
    if (take_sign("(")) {
      while (token().kind == Token::Kind::number || sign_here(",")) ++at_;
      want_sign(")", "at the end of the type");
    }
    Type type;
    try {
      type = type_parse(std::string_view(*text_).substr(from, tokens_[at_ - 1].end - from));
    } catch (const Error& error) {
      model::refuse_at({text_, from, tokens_[at_ - 1].end}, error.message());
    }
    want_sign(")", "at the end of the cast");
    return made({.kind = strict ? ExpressionKind::cast : ExpressionKind::try_cast,
                 .column = type_name(type),
                 .operands = {of}},
                first);
  }

  std::shared_ptr<const std::string> text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t levels_ = 0;
};

}  // namespace

Expression parse_condition(std::string_view text) { return Parser(text).run(); }

}  // namespace otolith
