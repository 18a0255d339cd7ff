// What only the script of the Python package can do, handed to it.
//
// Role:    Parquet, Arrow and PNG: import, export, plot.
// Shapes:  the verb, its operands and its options as one JSON object; an exit code comes back.
// Errors:  invalid_argument from the plain binary, which says what to install.
// Threads: thread-safe.
// Why:     pyarrow and matplotlib are there where Python is; linking Arrow into C++ would make a
//          program of 3 MB one of 50.
#pragma once

#include <string_view>

#include "cli/file_kind.h"
#include "cli/verb.h"

namespace otolith::cli {

/// Runs the command behind the wheel's door.
int through_wheel(const Words& words, std::string_view format, const Sinks& sinks);
inline int through_wheel(const Words& words, FileKind kind, const Sinks& sinks) {
  return through_wheel(words, file_kind_word(kind), sinks);
}

}  // namespace otolith::cli
