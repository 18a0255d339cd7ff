#include "document/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "base/error.h"
#include "document/path.h"
#include "document/value.h"

namespace otolith::document {

namespace {

constexpr unsigned kIndentMax = 16;
// A body that was not checked may be deeper than any document; nobody needs to see that as text.
constexpr std::size_t kLevelsMax = 1024;

bool needs_escape(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void put_escaped(char c, std::string& out) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  const std::size_t at = kShort.find(c);
  if (at != std::string_view::npos) {
    out += '\\';
    out += kLetters[at];
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

void put_text(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::ranges::find_if(text, needs_escape) - text.begin());
    out += text.substr(0, plain);
    if (plain == text.size()) break;
    put_escaped(text[plain], out);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void put_base64(BytesView bytes, std::string& out) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out += '"';
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    unsigned three = 0;
    for (std::size_t i = 0; i < 3; ++i)
      three = three << 8 | (i < count ? std::to_integer<unsigned>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      out += i <= count ? kDigits[three >> (18 - 6 * i) & 63] : '=';
  }
  out += '"';
}

void put_float(double number, std::string& out) {
  const std::size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", number);
  if (out.find_first_of(".e", begin) == std::string::npos) out += ".0";
}

class JsonText {
 public:
  JsonText(BytesView body, std::string& out, const JsonStyle& style)
      : rest_(body), out_(out), style_(style) {}

  // Front to back with the levels that are open beside it: a value is looked at once.
  void all() {
    put(Value(rest_));
    while (!open_.empty()) {
      open_.back().left == 0 ? close() : next_child();
    }
  }

 private:
  struct Level {
    bool map = false;
    std::size_t left = 0;
    std::size_t size = 0;
    std::string_view key{};
  };

  void next_child() {
    Level& level = open_.back();
    if (level.left != level.size) out_ += ',';
    new_line(open_.size());
    --level.left;
    if (level.map) {
      const Value key(rest_);
      if (key.kind() != Kind::string)
        throw_error(ErrorCode::corrupt, "a document has a key that is no text; run verify");
      level.key = key.string();
      rest_ = rest_.subspan(key.bytes().size());
      put_text(level.key, out_);
      out_ += style_.indent == 0 ? ":" : ": ";
    }
    put(Value(rest_));
  }

  void put(const Value& value) {
    if (value.kind() == Kind::array || value.kind() == Kind::map) return open(value);
    rest_ = rest_.subspan(value.bytes().size());
    scalar(value);
  }

  void open(const Value& value) {
    if (open_.size() == kLevelsMax)
      throw_error(ErrorCode::corrupt, "a document is deeper than any that is stored; run verify");
    const bool map = value.kind() == Kind::map;
    open_.push_back({.map = map, .left = value.size(), .size = value.size()});
    out_ += map ? '{' : '[';
    rest_ = rest_.subspan(head_of(rest_)->bytes);
  }

  void close() {
    const Level level = open_.back();
    open_.pop_back();
    if (level.size != 0) new_line(open_.size());
    out_ += level.map ? '}' : ']';
  }

  void scalar(const Value& value) {
    switch (value.kind()) {
      case Kind::boolean:
        out_ += value.boolean() ? "true" : "false";
        break;
      case Kind::integer:
        fmt::format_to(std::back_inserter(out_), "{}", value.integer());
        break;
      case Kind::unsigned_integer:
        fmt::format_to(std::back_inserter(out_), "{}", value.unsigned_integer());
        break;
      case Kind::float64:
        real(value.float64());
        break;
      case Kind::string:
        put_text(value.string(), out_);
        break;
      case Kind::binary:
        put_base64(value.binary(), out_);
        break;
      case Kind::timestamp:
        put_text(timestamp_format(value.timestamp()), out_);
        break;
      default:
        out_ += "null";
    }
  }

  void real(double number) {
    if (std::isfinite(number)) return put_float(number, out_);
    if (style_.not_finite == JsonStyle::NotFinite::refuse) refuse(number);
    if (style_.not_finite == JsonStyle::NotFinite::null)
      out_ += "null";
    else
      out_ += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  }

  [[noreturn]] void refuse(double number) const {
    std::string path;
    for (const Level& level : open_) {
      path = level.map ? path_with(path, level.key) : path_with(path, level.size - level.left - 1);
    }
    throw_error(ErrorCode::invalid_argument,
                "JSON has no word for {} at {}; ask for null or for NaN and Infinity instead",
                number, path.empty() ? "the top" : path);
  }

  void new_line(std::size_t levels) {
    if (style_.indent == 0) return;
    out_ += '\n';
    out_.append(levels * style_.indent, ' ');
  }

  BytesView rest_;
  std::string& out_;
  const JsonStyle& style_;
  std::vector<Level> open_;
};

}  // namespace

void to_json(BytesView body, std::string& out, const JsonStyle& style) {
  if (style.indent > kIndentMax)
    throw_error(ErrorCode::invalid_argument, "an indent is at most {} blanks, not {}", kIndentMax,
                style.indent);
  JsonText(body, out, style).all();
}

}  // namespace otolith::document
