#include "cli/shell_words.h"

#include <algorithm>

namespace otolith::cli {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Reading {
 public:
  explicit Reading(std::string_view text) : text_(text) {}

  std::optional<std::vector<std::string>> words() {
    while (skip_blanks()) {
      if (!word()) return std::nullopt;
    }
    return std::move(words_);
  }

 private:
  bool at_end() const { return at_ == text_.size(); }

  // False at the end.
  bool skip_blanks() {
    for (; !at_end(); ++at_) {
      if (text_.substr(at_).starts_with("\\\n"))
        ++at_;
      else if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), text_.size() - 1);
      else if (!is_blank(text_[at_]))
        return true;
    }
    return false;
  }

  // False where it does not end.
  bool word() {
    std::string& out = words_.emplace_back();
    while (!at_end() && !is_blank(text_[at_])) {
      const char c = text_[at_++];
      if (c == '\'' || c == '"') {
        if (!quote(c, out)) return false;
      } else if (c == '\\') {
        if (!escaped(out)) return false;
      } else {
        out += c;
      }
    }
    return true;
  }

  // A backslash and the end of a line are nothing.
  bool escaped(std::string& out) {
    if (at_end()) return false;
    if (text_[at_] != '\n') out += text_[at_];
    ++at_;
    return true;
  }

  bool quote(char mark, std::string& out) {
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == mark) {
        ++at_;
        return true;
      }
      const std::string_view special = "\"\\$`\n";
      const bool escape = mark == '"' && c == '\\' && at_ + 1 < text_.size() &&
                          special.find(text_[at_ + 1]) != std::string_view::npos;
      if (escape && text_[++at_] == '\n') continue;
      out += text_[at_];
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
};

}  // namespace

std::optional<std::vector<std::string>> shell_words(std::string_view text) {
  return Reading(text).words();
}

std::string shell_quoted(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::none_of(word, [](char c) {
    return is_blank(c) || std::string_view("'\"\\#").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace otolith::cli
