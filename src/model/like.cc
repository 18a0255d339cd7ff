#include "model/like.h"

#include <algorithm>
#include <cstring>

#include "base/mutant.h"
#include "base/stopping.h"

namespace otolith::model {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool begins_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

std::size_t next_character(std::string_view text, std::size_t at) noexcept {
  do ++at;
  while (at < text.size() && !begins_character(text[at]));
  return at;
}

// The end of what is like `part` from `at` on; kNone where that is not.
std::size_t end_of(std::string_view text, std::size_t at, std::string_view part) noexcept {
  for (const char wanted : part) {
    if (at >= text.size()) return kNone;
    if (wanted == '_') {
      at = next_character(text, at);
    } else if (wanted == text[at++]) {
      continue;
    } else {
      return kNone;
    }
  }
  return at;
}

// The end of the first that is like `part` from `at` on.
std::size_t first_end(std::string_view text, std::size_t at, std::string_view part) {
  constexpr std::size_t kStopBytes = 1 << 20;
  std::size_t bytes = 0;
  for (; at < text.size(); at = next_character(text, at)) {
    if (part.front() != '_') at = text.find(part.front(), at);
    if (at == kNone) break;
    if (const std::size_t end = end_of(text, at, part); end != kNone) return end;
    bytes += part.size();  // at most
    if (bytes < kStopBytes) continue;
    bytes = 0;
    stop_point();
  }
  return kNone;
}

// Where the last `count` characters begin.
std::size_t last_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t at = text.size();
  for (; count > 0; --count) {
    if (at == 0) return kNone;
    do --at;
    while (at > 0 && !begins_character(text[at]));
  }
  return at;
}

}  // namespace

std::size_t text_find(std::string_view text, std::string_view part) noexcept {
  if (part.empty()) return 0;
  if (text.empty()) return kNone;
  const void* found = ::memmem(text.data(), text.size(), part.data(), part.size());
  if (found == nullptr) return kNone;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

Like::Like(std::string_view pattern) {
  for (std::size_t end = 0; end != kNone; pattern.remove_prefix(end == kNone ? 0 : end + 1)) {
    end = pattern.find('%');
    const std::string_view part = pattern.substr(0, end);
    parts_.push_back({part, part.contains('_'),
                      static_cast<std::size_t>(std::ranges::count_if(part, begins_character))});
  }
}

bool Like::holds(std::string_view text) const {
  if (mutant("formula-like-needs-one") && text.empty()) return false;
  std::size_t at = end_of(text, 0, parts_.front().text);
  if (parts_.size() == 1) return at == text.size();
  if (at == kNone) return false;
  const Part& last = parts_.back();
  const std::size_t end = last_characters(text, last.characters);
  if (end == kNone || end < at || end_of(text, end, last.text) != text.size()) return false;
  text = text.substr(0, end);
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.text.empty()) continue;
    if (part.wild) {
      at = first_end(text, at, part.text);
      if (at == kNone) return false;
    } else {
      const std::size_t found = text_find(text.substr(at), part.text);
      if (found == kNone) return false;
      at += found + part.text.size();
    }
  }
  return true;
}

}  // namespace otolith::model
