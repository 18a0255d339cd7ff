// Words for people that tell of files.
//
// Role:    the text of an Inspection, piece by piece.
// Shapes:  one line feed at the end of each line.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "otolith/inspect.h"

namespace otolith::db {

/// "1.7 MB"
std::string size_text(std::uint64_t bytes);
/// "1 file", "2 files"
std::string counted(std::uint64_t count, std::string_view what);
/// Names of files can be anything; what a terminal would obey is shown, not sent.
std::string harmless(std::string_view text);
/// A file that is no segment of a commit: one line, or a few.
std::string file_text(const FileLayout& file);

}  // namespace otolith::db
