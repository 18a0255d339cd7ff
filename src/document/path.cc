#include "document/path.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace otolith::document {

namespace {

struct Cursor {
  std::string_view path;
  std::size_t at = 0;
};

struct Word {
  std::string_view key;
  bool quoted = false;  // with quotes written twice left as they are
};

[[noreturn]] void refuse(std::string_view path, const char* what) {
  throw_error(ErrorCode::invalid_argument,
              "{} is no path: {}; write user.city, tags.0, or a key in double quotes as in "
              "user.\"first.name\"",
              quoted(path), what);
}

Word quoted_step(Cursor& cursor) {
  const std::size_t begin = ++cursor.at;
  for (;; ++cursor.at) {
    if (cursor.at >= cursor.path.size()) refuse(cursor.path, "a quote is not closed");
    if (cursor.path[cursor.at] != '"') continue;
    const bool twice = cursor.path.substr(cursor.at + 1).starts_with('"');
    if (!twice) break;
    ++cursor.at;
  }
  return {cursor.path.substr(begin, cursor.at++ - begin), true};
}

// The step at the cursor, which is moved behind the dot that follows; npos at the end.
Word next_step(Cursor& cursor) {
  Word out;
  if (cursor.path.substr(cursor.at).starts_with('"')) {
    out = quoted_step(cursor);
  } else {
    const std::size_t end = std::min(cursor.path.find('.', cursor.at), cursor.path.size());
    out.key = cursor.path.substr(cursor.at, end - cursor.at);
    if (out.key.empty()) refuse(cursor.path, "a name is missing");
    cursor.at = end;
  }
  if (cursor.at == cursor.path.size()) {
    cursor.at = std::string_view::npos;
  } else if (cursor.path[cursor.at++] != '.') {
    refuse(cursor.path, "a dot is missing behind a quote");
  }
  return out;
}

// Where in an array the step leads; SIZE_MAX: nowhere.
std::size_t place_of(const Word& step) noexcept {
  constexpr std::size_t kDigitsMax = 9;  // more items than a document can hold
  const std::string_view digits = step.key;
  const bool zeros = digits.size() > 1 && digits.front() == '0';
  if (step.quoted || digits.empty() || digits.size() > kDigitsMax || zeros) return SIZE_MAX;
  std::size_t out = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return SIZE_MAX;
    out = out * 10 + static_cast<std::size_t>(c - '0');
  }
  return out;
}

std::string unquoted(const Word& step) {
  std::string out;
  for (std::size_t at = 0; at < step.key.size(); ++at) {
    out += step.key[at];
    if (step.quoted && step.key[at] == '"') ++at;
  }
  return out;
}

bool plain(std::string_view key) noexcept {
  return !key.empty() && key.find_first_of(".\"") == std::string_view::npos;
}

std::optional<Value> child(const Value& value, std::string_view key, std::size_t place) {
  return value.kind() == Kind::array ? value.item(place) : value.find(key);
}

}  // namespace

std::optional<Value> at_path(Value document, std::string_view path) {
  Cursor cursor{path};
  std::optional<Value> out = document;
  do {
    const Word step = next_step(cursor);
    if (!out) continue;  // the rest is still to be a path
    const bool twice = step.quoted && step.key.contains('"');
    out = twice ? child(*out, unquoted(step), SIZE_MAX) : child(*out, step.key, place_of(step));
  } while (cursor.at != std::string_view::npos);
  return out;
}

Path::Path(std::string_view text) : text_(text) {
  Cursor cursor{text_};
  do {
    const Word step = next_step(cursor);
    steps_.push_back({unquoted(step), place_of(step)});
  } while (cursor.at != std::string_view::npos);
}

std::optional<Value> Path::in(Value document) const {
  std::optional<Value> out = document;
  for (const Step& step : steps_) {
    out = child(*out, step.key, step.place);
    if (!out) break;
  }
  return out;
}

std::vector<std::string> Path::keys() const {
  std::vector<std::string> out;
  for (const Step& step : steps_) out.push_back(step.key);
  return out;
}

std::string Path::plain_text() const {
  std::string out;
  for (const Step& step : steps_) out = path_with(out, step.key);
  return out;
}

bool names_place(std::string_view key) noexcept { return place_of({key}) != SIZE_MAX; }

std::string path_with(std::string_view path, std::string_view key) {
  std::string out(path);
  if (!path.empty()) out += '.';
  if (plain(key)) return out += key;
  out += '"';
  for (const char c : key) out.append(c == '"' ? 2 : 1, c);
  return out += '"';
}

std::string path_with(std::string_view path, std::size_t place) {
  return fmt::format("{}{}{}", path, path.empty() ? "" : ".", place);
}

}  // namespace otolith::document
