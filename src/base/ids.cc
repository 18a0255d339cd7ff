#include "base/ids.h"

#include "base/hash.h"

namespace otolith {

namespace {
int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}
}  // namespace

std::string Id128::text() const { return hex(bytes); }

bool id128_parse(std::string_view text, Id128& out) noexcept {
  if (text.size() != 2 * out.bytes.size()) return false;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out.bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace otolith
