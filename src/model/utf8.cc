#include "model/utf8.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"

namespace otolith::model {

namespace {

constexpr unsigned char byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

constexpr bool continues(std::string_view text, std::size_t at, unsigned low = 0x80,
                         unsigned high = 0xbf) noexcept {
  return at < text.size() && byte_at(text, at) >= low && byte_at(text, at) <= high;
}

// Length in bytes of the character at `at`, 0 if there is none. The bounds of the second byte rule
// out overlong forms, surrogates and values beyond U+10FFFF.
std::size_t character_bytes(std::string_view text, std::size_t at) noexcept {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return continues(text, at + 1) ? 2 : 0;
  if (lead < 0xf0) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(text, at + 1, low, high) && continues(text, at + 2) ? 3 : 0;
  }
  if (lead > 0xf4) return 0;
  const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
  return continues(text, at + 1, low, high) && continues(text, at + 2) && continues(text, at + 3)
             ? 4
             : 0;
}

}  // namespace

bool ascii_only(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 64 <= text.size(); at += 64) {
    std::uint64_t high = 0;
    for (std::size_t word = 0; word < 64; word += 8) {
      high |= load_le<std::uint64_t>(text.data() + at + word);
    }
    if ((high & 0x8080808080808080ull) != 0) return false;
  }
  unsigned high = 0;
  for (; at < text.size(); ++at) high |= byte_at(text, at);
  return high < 0x80;
}

// Eight bytes at once: below 0x80 none carries into its neighbour, and who borrows is told anyway.
bool printable_ascii(std::string_view text) noexcept {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto odd = [](std::uint64_t word) {
    return (word | (word + kEach) | (word - 0x20 * kEach)) & (0x80 * kEach);
  };
  std::uint64_t found = 0;
  if (text.size() < kWord) {
    for (const char c : text) found |= static_cast<unsigned char>(c) - 0x20u < 0x5fu ? 0u : 1u;
    return found == 0;
  }
  for (std::size_t at = 0; at + kWord <= text.size(); at += kWord)
    found |= odd(load_le<std::uint64_t>(text.data() + at));
  return (found | odd(load_le<std::uint64_t>(text.data() + text.size() - kWord))) == 0;
}

bool utf8_valid(std::string_view text) noexcept {
  constexpr std::size_t step = 64;
  for (std::size_t at = 0; at < text.size();) {
    if (text.size() - at >= step && ascii_only(text.substr(at, step))) {
      at += step;
      continue;
    }
    const std::size_t bytes = character_bytes(text, at);
    if (bytes == 0) return false;
    at += bytes;
  }
  return true;
}

bool has_control(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const unsigned byte = byte_at(text, at);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && continues(text, at + 1, 0x80, 0x9f)) return true;  // U+0080 to U+009F
  }
  return false;
}

void name_check(std::string_view what, std::string_view name) {
  if (name.empty()) {
    throw_error(ErrorCode::invalid_argument, "a {} name is empty; names are 1 to {} bytes of UTF-8",
                what, kNameBytesMax);
  }
  if (name.size() > kNameBytesMax) {
    throw_error(ErrorCode::invalid_argument,
                "{} name {} is too long; names are 1 to {} bytes of UTF-8", what, quoted(name),
                kNameBytesMax);
  }
  if (!utf8_valid(name)) {
    throw_error(ErrorCode::invalid_argument, "{} name of {} bytes is not valid UTF-8 (hex {})",
                what, name.size(), hex(as_bytes_view(name.substr(0, 16))));
  }
  if (has_control(name)) {
    throw_error(ErrorCode::invalid_argument,
                "{} name {} holds a control character; leave those (NUL, tab, newline, …) out",
                what, quoted(name));
  }
}

}  // namespace otolith::model
