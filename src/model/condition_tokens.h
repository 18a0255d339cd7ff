// The words of a condition: names, texts, numbers and signs, each with its place.
//
// Role:    condition_parser.cc reads them.
// Shapes:  docs/conditions.md, "Grammar"; the last token is the end.
// Errors:  invalid_argument that shows the place; limit for a text that is too long.
// Threads: thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "otolith/expression.h"

namespace otolith::model {

struct Token {
  enum class Kind { name, quoted_name, text, number, sign, end };

  Kind kind = Kind::end;
  std::string value{};  // without quotes
  std::size_t first = 0;
  std::size_t end = 0;
};

std::vector<Token> tokens_of(const std::shared_ptr<const std::string>& text);

/// The same without regard to the case of ASCII letters; `word` is in lower case.
bool is_word(const Token& token, std::string_view word) noexcept;
/// Whether a name has to be quoted.
bool needs_quotes(std::string_view name) noexcept;

/// Throws invalid_argument: `what`, and the place.
[[noreturn]] void refuse_at(const TextPlace& place, std::string_view what);

}  // namespace otolith::model
