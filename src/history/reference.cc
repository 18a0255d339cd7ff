#include "history/reference.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "model/utf8.h"

namespace otolith::history {

namespace {

constexpr std::string_view kHead = "HEAD";

[[noreturn]] void refuse(std::string_view text) {
  throw_error(
      ErrorCode::invalid_argument,
      "{} names no commit: give a number (42), HEAD, HEAD~3, # with {} or more hex digits of "
      "its hash, or a tag",
      quoted(text), kHashDigitsMin);
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(digits.begin(), digits.end(), value);
  if (digits.empty() || error != std::errc() || at != digits.end()) return std::nullopt;
  return value;
}

HashReference hash_prefix(std::string_view text) {
  HashReference out;
  for (const char c : text.substr(1)) {
    out.prefix += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const bool hex =
      std::ranges::all_of(out.prefix, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (!hex || out.prefix.size() < kHashDigitsMin || out.prefix.size() > kHashDigitsMax)
    refuse(text);
  return out;
}

}  // namespace

Reference reference_parse(std::string_view text) {
  if (text.empty()) refuse(text);
  if (text == kHead) return HeadReference{};
  if (text.starts_with("HEAD~")) {
    const auto back = number(text.substr(kHead.size() + 1));
    if (!back) refuse(text);
    return HeadReference{*back};
  }
  if (text[0] == '#') return hash_prefix(text);
  if (is_letter(text[0])) return TagReference{std::string(text)};
  const auto value = number(text);
  if (!value) refuse(text);
  return CommitNumber{*value};
}

void tag_name_check(std::string_view name) {
  model::name_check("tag", name);
  if (!is_letter(name[0]) || name == kHead || name.starts_with("HEAD~")) {
    throw_error(ErrorCode::invalid_argument,
                "{} cannot be a tag: its name begins with a letter and is not HEAD", quoted(name));
  }
}

}  // namespace otolith::history
