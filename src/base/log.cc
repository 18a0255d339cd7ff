#include "base/log.h"

#include <atomic>

namespace otolith {

namespace {
std::atomic<LogSink> sink{nullptr};
}  // namespace

LogSink log_sink_set(LogSink next) noexcept { return sink.exchange(next); }

void log_line(LogLevel level, std::string_view line) noexcept {
  if (const LogSink current = sink.load(std::memory_order_acquire)) current(level, line);
}

}  // namespace otolith
