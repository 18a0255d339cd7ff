#include "model/condition_tokens.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/limits.h"
#include "model/text_place.h"
#include "model/utf8.h"

namespace otolith::model {

namespace {

constexpr std::array<std::string_view, 12> kReserved = {
    "and", "or", "not", "in", "between", "like", "is", "null", "true", "false", "cast", "try_cast"};
constexpr std::array<std::string_view, 6> kLongSigns = {"<=", ">=", "!=", "<>", "==", "//"};
constexpr std::string_view kSigns = "<>=+-*/%(),.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// Letters of other alphabets are bytes from 0x80 on.
bool begins_name(char c) noexcept {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) noexcept { return begins_name(c) || is_digit(c); }

bool same_word(std::string_view text, std::string_view word) noexcept {
  return std::ranges::equal(text, word, {}, lower);
}

class Lexer {
 public:
  explicit Lexer(const std::shared_ptr<const std::string>& text) : owner_(text), text_(*text) {}

  std::vector<Token> run() {
    std::vector<Token> out;
    do {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      out.push_back(next());
    } while (out.back().kind != Token::Kind::end);
    return out;
  }

 private:
  Token next() {
    if (at_ == text_.size()) return {.first = at_, .end = at_};
    const char c = text_[at_];
    if (c == '\'') return quoted_by('\'', Token::Kind::text);
    if (c == '"') return quoted_by('"', Token::Kind::quoted_name);
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])))
      return number();
    if (begins_name(c)) return taken(Token::Kind::name, [](char of) { return in_name(of); });
    for (const std::string_view sign : kLongSigns) {
      if (text_.substr(at_, 2) == sign) return sign_of(2);
    }
    if (kSigns.contains(c)) return sign_of(1);
    refuse_at({owner_, at_, at_ + 1}, unknown(c));
  }

  static std::string unknown(char c) {
    if (c == '&' || c == '|' || c == '~' || c == '!') {
      return fmt::format("{} is no sign of a condition as text: join with and, or, not",
                         quoted(std::string_view(&c, 1)));
    }
    return fmt::format("{} has no meaning here", quoted(std::string_view(&c, 1)));
  }

  Token sign_of(std::size_t length) {
    const std::size_t first = at_;
    at_ += length;
    return {Token::Kind::sign, std::string(text_.substr(first, length)), first, at_};
  }

  template <typename Test>
  Token taken(Token::Kind kind, Test test) {
    const std::size_t first = at_;
    while (at_ < text_.size() && test(text_[at_])) ++at_;
    return {kind, std::string(text_.substr(first, at_ - first)), first, at_};
  }

  // A quote within is written twice.
  Token quoted_by(char quote, Token::Kind kind) {
    Token out{.kind = kind, .first = at_++};
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != quote) break;
        ++at_;
      }
      out.value += text_[at_];
    }
    if (at_ == text_.size()) {
      refuse_at({owner_, out.first, out.first + 1},
                kind == Token::Kind::text ? "a text that begins with ' does not end"
                                          : "a name that begins with \" does not end");
    }
    out.end = ++at_;
    return out;
  }

  Token number() {
    const std::size_t first = at_;
    const auto digits = [&] {
      const std::size_t from = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ > from;
    };
    digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      digits();
    }
    bool whole = true;
    if (at_ < text_.size() && lower(text_[at_]) == 'e') {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      whole = digits();
    }
    while (at_ < text_.size() && in_name(text_[at_])) {
      whole = false;
      ++at_;
    }
    const std::string_view value = text_.substr(first, at_ - first);
    if (!whole) {
      refuse_at({owner_, first, at_},
                fmt::format("{} is no number; times and texts go in single quotes, and names that "
                            "begin with a digit in double ones",
                            quoted(value)));
    }
    return {Token::Kind::number, std::string(value), first, at_};
  }

  std::shared_ptr<const std::string> owner_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokens_of(const std::shared_ptr<const std::string>& text) {
  if (text->size() > kConditionBytesMax) {
    throw_error(ErrorCode::limit,
                "a condition of {} bytes of text; at most {} are taken: make it "
                "of expressions",
                text->size(), kConditionBytesMax);
  }
  if (!utf8_valid(*text)) {
    throw_error(ErrorCode::invalid_argument, "a condition is text in UTF-8, and {} is none",
                quoted(*text));
  }
  return Lexer(text).run();
}

bool is_word(const Token& token, std::string_view word) noexcept {
  return token.kind == Token::Kind::name && same_word(token.value, word);
}

bool needs_quotes(std::string_view name) noexcept {
  return name.empty() || !begins_name(name.front()) || !std::ranges::all_of(name, in_name) ||
         std::ranges::any_of(kReserved,
                             [&](std::string_view word) { return same_word(name, word); });
}

void refuse_at(const TextPlace& place, std::string_view what) {
  throw_error(ErrorCode::invalid_argument, "where: {}{}", what, place_shown(place));
}

}  // namespace otolith::model
