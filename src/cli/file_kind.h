// Which format a file has, by its name.
//
// Role:    import and export.
// Errors:  invalid_argument for a name that says nothing, with the remedy.
// Threads: thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otolith::cli {

enum class FileKind : std::uint8_t { csv, ndjson, json, parquet, arrow };

/// By the word of --format, or by the ending of the path; "-" is CSV.
FileKind file_kind_of(const std::string& path, const std::optional<std::string>& format);
/// "csv", "parquet", …
std::string_view file_kind_word(FileKind kind) noexcept;
/// Whether only the wheel's door reads and writes it.
bool needs_wheel(FileKind kind) noexcept;

}  // namespace otolith::cli
