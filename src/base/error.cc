#include "base/error.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/limits.h"
#include "base/log.h"

namespace otolith {

namespace {

std::string describe(ErrorCode code, const std::string& message, const ErrorWhere& where) {
  std::string text = fmt::format("{}: {}", error_code_name(code), message);
  if (!where.file.empty()) text += fmt::format(" [file {}", where.file);
  if (!where.file.empty() && where.offset) text += fmt::format(", offset {}", *where.offset);
  if (!where.file.empty()) text += "]";
  if (where.commits.size() == 1) text += fmt::format(" [commit {}]", where.commits.front());
  if (where.commits.size() > 1) {
    text += fmt::format(" [commits {} to {}]", where.commits.front(), where.commits.back());
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Edit distance in which two letters that changed places count once: names are short, candidates
// few.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string_view error_code_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::io:
      return "io";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::unsupported_format:
      return "unsupported_format";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::snapshot_expired:
      return "snapshot_expired";
    case ErrorCode::limit:
      return "limit";
  }
  return "unknown_code";
}

Error::Error(ErrorCode code, std::string message, ErrorWhere where, Outcome outcome)
    : code_(code),
      outcome_(outcome),
      message_(std::move(message)),
      where_(std::move(where)),
      what_(describe(code_, message_, where_)) {}

Error Error::with_outcome(Outcome outcome) const {
  Error copy = *this;
  copy.outcome_ = outcome;
  return copy;
}

Error Error::with_differences(std::vector<std::string> differences) const {
  Error copy = *this;
  copy.differences_ = std::move(differences);
  return copy;
}

void throw_error(ErrorCode code, std::string message) { throw Error(code, std::move(message)); }

void throw_error(ErrorCode code, std::string message, ErrorWhere where) {
  throw Error(code, std::move(message), std::move(where));
}

void throw_corrupt(std::string file, std::uint64_t offset, std::string what) {
  throw Error(ErrorCode::corrupt, std::move(what), ErrorWhere{std::move(file), offset, {}});
}

std::string quoted(std::string_view text) {
  std::size_t shown = std::min<std::size_t>(text.size(), kMessageNameBytesMax);
  // Not in the midst of a character: messages are UTF-8.
  while (shown < text.size() && shown > 0 &&
         (static_cast<unsigned char>(text[shown]) & 0xc0) == 0x80)
    --shown;
  std::string out = "\"";
  for (const char c : text.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += text.size() > kMessageNameBytesMax ? fmt::format("…\" ({} bytes)", text.size()) : "\"";
  return out;
}

std::string nearest_hint(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kNameBytesMax) return {};
  const std::string* best = nullptr;
  // A name of one letter is near another only in the other case.
  const std::string folded = lower(name);
  std::size_t best_distance = std::min(name.size(), std::max<std::size_t>(1, name.size() / 3) + 1);
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(folded, lower(candidate));
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best ? fmt::format(" (did you mean {}?)", quoted(*best)) : std::string();
}

void invariant_broken(const char* what, const char* file, int line) {
  const std::string text = fmt::format("broken invariant: {} ({}:{})", what, file, line);
  log_line(LogLevel::error, text);
#ifndef NDEBUG
  std::abort();
#else
  throw Error(ErrorCode::corrupt, text + "; close the database and report this");
#endif
}

}  // namespace otolith
