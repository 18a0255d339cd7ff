#include "db/json_writer.h"

#include <fmt/format.h>

#include <cmath>

#include "model/utf8.h"

namespace otolith::db {

void put_json_text(std::string& out, std::string_view text) {
  const bool utf8 = model::utf8_valid(text);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else if (byte >= 0x80 && !utf8)
      out += fmt::format("\\\\x{:02x}", byte);
    else
      out += c;
  }
  out += '"';
}

void JsonWriter::separate() {
  if (!first_) text_ += ", ";
  first_ = false;
}

JsonWriter& JsonWriter::begin(char bracket) {
  separate();
  text_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  text_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::plain(std::string_view text) {
  separate();
  text_ += text;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  put_json_text(text_, name);
  text_ += ": ";
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  put_json_text(text_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  return std::isfinite(number) ? plain(fmt::format("{}", number)) : null();
}

}  // namespace otolith::db
