#include "cli/file_kind.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace otolith::cli {

namespace {

using Ending = std::pair<std::string_view, FileKind>;
constexpr std::array kEndings{
    Ending{"csv", FileKind::csv},         Ending{"tsv", FileKind::csv},
    Ending{"txt", FileKind::csv},         Ending{"ndjson", FileKind::ndjson},
    Ending{"jsonl", FileKind::ndjson},    Ending{"json", FileKind::json},
    Ending{"parquet", FileKind::parquet}, Ending{"pq", FileKind::parquet},
    Ending{"arrow", FileKind::arrow},     Ending{"feather", FileKind::arrow},
    Ending{"ipc", FileKind::arrow},
};
constexpr std::array<std::string_view, 4> kPacked{"gz", "zst", "bz2", "xz"};
constexpr std::array<std::string_view, 5> kWords{"csv", "ndjson", "json", "parquet", "arrow"};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::string_view file_kind_word(FileKind kind) noexcept {
  return kWords[static_cast<std::size_t>(kind)];
}

FileKind file_kind_of(const std::string& path, const std::optional<std::string>& format) {
  if (format) {
    const auto at = std::ranges::find(kWords, *format);  // the parser let only these through
    return static_cast<FileKind>(at - kWords.begin());
  }
  if (path == "-") return FileKind::csv;
  const std::size_t dot = path.rfind('.');
  const std::string ending = dot == std::string::npos ? "" : lower(path.substr(dot + 1));
  const auto found = std::ranges::find(kEndings, ending, &Ending::first);
  if (found != kEndings.end()) return found->second;
  if (std::ranges::find(kPacked, ending) != kPacked.end()) {
    throw_error(ErrorCode::invalid_argument,
                "{} is compressed, which is not done here; unpack it through a pipe, and give - "
                "with --format",
                quoted(path));
  }
  throw_error(ErrorCode::invalid_argument,
              "the name of {} does not say its format; give --format csv, ndjson, json, parquet or "
              "arrow",
              quoted(path));
}

bool needs_wheel(FileKind kind) noexcept {
  return kind == FileKind::parquet || kind == FileKind::arrow;
}

}  // namespace otolith::cli
