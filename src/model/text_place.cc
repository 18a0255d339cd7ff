#include "model/text_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace otolith::model {

namespace {

constexpr std::size_t kBefore = 36;  // characters shown in front of the place
constexpr std::size_t kShown = 72;

bool begins_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

// The byte where the character begins that is `count` behind `at`.
std::size_t behind(std::string_view text, std::size_t at, std::size_t count) noexcept {
  while (at < text.size() && (count > 0 || !begins_character(text[at]))) {
    if (begins_character(text[at])) --count;
    ++at;
  }
  return at;
}

}  // namespace

std::string place_shown(const TextPlace& place) {
  if (place.text == nullptr) return {};
  const std::string_view text = *place.text;
  const std::size_t before = characters(text.substr(0, place.first));
  const std::size_t from = before > kBefore ? behind(text, 0, before - kBefore) : 0;
  const std::size_t to = behind(text, from, kShown);
  std::string line(text.substr(from, to - from));
  // A line is one line: breaks and tabs would move the carets.
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  const std::string_view left = from > 0 ? "…" : "";
  const std::string_view right = to < text.size() ? "…" : "";
  const std::size_t blank = characters(text.substr(from, place.first - from)) + characters(left);
  const std::size_t end = std::clamp(place.end, place.first, to);
  const std::size_t carets =
      std::max<std::size_t>(1, characters(text.substr(place.first, end - place.first)));
  return fmt::format(" (character {}):\n  {}{}{}\n  {}{}", before + 1, left, line, right,
                     std::string(blank, ' '), std::string(carets, '^'));
}

std::string expression_shown(const Expression& expression) {
  std::string text = expression.text();
  const std::size_t end = behind(text, 0, kShown);
  if (end == text.size()) return text;
  text.resize(end);
  return text + "…";
}

}  // namespace otolith::model
