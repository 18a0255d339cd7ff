// Diagnostics of the library itself: one sink, silent unless a host installs one.
//
// Role:    spans and warnings of every room (not the commit log: that is history/).
// Errors:  never throws.
// Threads: thread-safe.
// Why:     a library must not print; the host decides (Python's logging, a file, nothing).
#pragma once

#include <string_view>

namespace otolith {

enum class LogLevel : unsigned char { debug, info, warning, error };

/// Receives each line without a newline; must not throw and may be called from any thread.
using LogSink = void (*)(LogLevel level, std::string_view line);

/// Installs the sink (nullptr: silent, the default) and returns the previous one.
LogSink log_sink_set(LogSink sink) noexcept;

/// Hands one line to the sink, if there is one.
void log_line(LogLevel level, std::string_view line) noexcept;

}  // namespace otolith
