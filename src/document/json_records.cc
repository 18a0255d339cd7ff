#include "document/json_records.h"

#include <algorithm>

#include "base/error.h"

namespace otolith::document {

namespace {

constexpr std::string_view kBlank = " \t\r\n";

// Where the value that stands at the beginning ends: a text at its quote, an array or object at its
// bracket, all else before what separates values; npos where the text ends before.
std::size_t value_end(std::string_view text, std::string_view separators) noexcept {
  std::size_t depth = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (inside) {
      if (c == '\\') ++at;
      if (c != '"') continue;
      inside = false;
      if (depth == 0) return at + 1;
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0) {
      if (separators.contains(c)) return at;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string_view JsonRecords::next(std::string_view window, std::size_t& at, bool last) {
  if (shape_ == JsonShape::lines) return line_of(window, at, last);
  if (shape_ == JsonShape::array) return element(window, at, last);
  const std::size_t first = window.find_first_not_of(kBlank, at);
  if (state_ == State::unbegun && first != std::string_view::npos) {
    state_ = State::begun;
    if (window[first] == '[') {
      shape_ = JsonShape::array;
      state_ = State::unbegun;
      return element(window, at, last);
    }
  }
  return object(window, at, last);
}

// Counts the lines on the way.
void JsonRecords::pass(std::string_view window, std::size_t& at, std::size_t to) {
  line_here_ += static_cast<std::uint64_t>(std::ranges::count(window.substr(at, to - at), '\n'));
  at = to;
}

std::string_view JsonRecords::taken(std::string_view window, std::size_t& at, std::size_t begin,
                                    std::size_t end) {
  pass(window, at, begin);
  line_ = line_here_;
  pass(window, at, end);
  std::string_view out = window.substr(begin, end - begin);
  out.remove_suffix(out.size() - (out.find_last_not_of(kBlank) + 1));
  return out;
}

std::string_view JsonRecords::line_of(std::string_view window, std::size_t& at, bool last) {
  for (;;) {
    std::size_t feed = window.find('\n', at);
    if (feed == std::string_view::npos && !last) return {};
    const std::size_t end = std::min(feed, window.size());
    const std::size_t begin = window.find_first_not_of(kBlank, at);
    if (begin < end) {
      const std::string_view out = taken(window, at, begin, end);
      if (feed != std::string_view::npos) pass(window, at, feed + 1);
      return out;
    }
    if (feed == std::string_view::npos) return {};
    pass(window, at, feed + 1);
  }
}

// What stands between elements; false where it is none.
bool JsonRecords::separator(char c) {
  if (state_ == State::unbegun && c == '[') {
    state_ = State::begun;
  } else if (state_ == State::behind_value && c == ',') {
    state_ = State::behind_comma;
  } else if ((state_ == State::behind_value || state_ == State::begun) && c == ']') {
    state_ = State::ended;
  } else if (state_ == State::unbegun) {
    refuse("it is no JSON array; where each line is an object say --format ndjson");
  } else if (state_ == State::behind_value) {
    refuse("a comma or the array's end is missing here");
  } else if (state_ == State::ended) {
    refuse("the JSON array is followed by something else");
  } else if (c == ',' || c == ']') {
    refuse("a value of the array is missing here");
  } else {
    return false;
  }
  return true;
}

std::string_view JsonRecords::element(std::string_view window, std::size_t& at, bool last) {
  for (;;) {
    const std::size_t next = window.find_first_not_of(kBlank, at);
    if (next == std::string_view::npos) return {};
    pass(window, at, next);
    const char c = window[next];
    if (separator(c)) {
      pass(window, at, next + 1);
      continue;
    }
    const std::size_t size = value_end(window.substr(next), ",]");
    if (size == std::string_view::npos && !last) return {};
    state_ = State::behind_value;
    return taken(window, at, next, size == std::string_view::npos ? window.size() : next + size);
  }
}

// What is no object goes to the end of its line, so that somebody tells.
std::string_view JsonRecords::object(std::string_view window, std::size_t& at, bool last) {
  const std::size_t next = window.find_first_not_of(kBlank, at);
  if (next == std::string_view::npos) return {};
  const std::size_t size = value_end(window.substr(next), "\n");
  if (size == std::string_view::npos && !last) return {};
  return taken(window, at, next, size == std::string_view::npos ? window.size() : next + size);
}

void JsonRecords::refuse(const char* what) const {
  throw_error(ErrorCode::invalid_argument, "{}:{}: {}", name_, line_here_, what);
}

}  // namespace otolith::document
