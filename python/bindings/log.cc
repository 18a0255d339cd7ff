// Diagnostics of the library to the logger "otolith" of Python's logging.
//
// Role:    the sink of base/log.h. A line waits until a call into otolith returns, and is logged
//          there, in the caller's thread; what is left at the end is logged at exit.
// Shapes:  kLinesMax lines wait at most, later ones are dropped.
// Errors:  none; a handler that raises is reported as unraisable.
// Threads: any thread may hand lines over; Python sees them under the GIL only.
// Why:     a thread of the library that waited for the GIL could wait for a caller who waits for
//          that thread (close joins them), or for an interpreter that has ended. A list without a
//          lock is whole in a forked child too.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "bindings.h"

namespace otolith::bindings {

namespace {

constexpr std::uint32_t kLinesMax = 1000;
constexpr int kLevelStep = 10;  // Python's DEBUG, INFO, WARNING, ERROR are 10, 20, 30, 40

struct Line {
  LogLevel level;
  std::string text;
  Line* older;
};

std::atomic<Line*> newest{nullptr};
std::atomic<std::uint32_t> waiting{0};

void keep_line(LogLevel level, std::string_view text) try {
  if (waiting.load(std::memory_order_relaxed) >= kLinesMax) return;
  auto* line = new Line{level, std::string(text), newest.load(std::memory_order_relaxed)};
  waiting.fetch_add(1, std::memory_order_relaxed);
  while (!newest.compare_exchange_weak(line->older, line, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
} catch (...) {
  return;  // no memory: base/log.h lets no sink throw
}

/// All lines that wait, oldest first.
Line* take_lines() noexcept {
  Line* from = newest.exchange(nullptr, std::memory_order_acquire);
  Line* oldest = nullptr;
  std::uint32_t count = 0;
  for (; from != nullptr; ++count) {
    Line* next = std::exchange(from->older, oldest);
    oldest = std::exchange(from, next);
  }
  waiting.fetch_sub(count, std::memory_order_relaxed);
  return oldest;
}

void log_to_python(const Line& line) noexcept {
  try {
    or_stay([&] {
      const nb::object logger = nb::module_::import_("logging").attr("getLogger")("otolith");
      logger.attr("log")(kLevelStep * (1 + static_cast<int>(line.level)), "%s",
                         readable(line.text));
    });
  } catch (nb::python_error& error) {
    error.discard_as_unraisable("otolith's log");
  } catch (const std::exception&) {
    PyErr_Clear();  // no memory
  }
}

}  // namespace

void log_deliver() noexcept {
  if (newest.load(std::memory_order_relaxed) == nullptr || !nb::is_alive()) return;
  for (Line* line = take_lines(); line != nullptr;) {
    const std::unique_ptr<Line> taken(line);
    log_to_python(*taken);
    line = taken->older;
  }
}

void bind_log(nb::module_&) {
  log_sink_set(&keep_line);
  nb::module_::import_("atexit").attr("register")(nb::cpp_function([] {
    log_sink_set(nullptr);
    log_deliver();
  }));
}

}  // namespace otolith::bindings
