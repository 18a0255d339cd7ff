// A line on standard error that says how far long work came.
//
// Role:    import, export, verify, compact, where standard error is a terminal.
// Shapes:  "import: 45 % of 31.0 MB, 120.4 MB/s, 3 s left", drawn over itself a few times a second.
// Errors:  whatever the sinks throw: to stop is to throw out of the tick.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/command_line.h"
#include "io/environment.h"
#include "otolith/options.h"

namespace otolith::cli {

class ProgressLine {
 public:
  /// `unit` is "bytes" or "rows".
  ProgressLine(const Sinks& sinks, std::string verb, std::string unit);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// So far of so much; `total` 0: nobody knows.
  void update(std::uint64_t done, std::uint64_t total);
  /// Takes the line away.
  void clear();
  /// For verbs of the database; valid while this lives.
  Progress callback();
  /// Seconds since it was made.
  double seconds() const;

 private:
  std::string amount(double count) const;

  const Sinks& sinks_;
  const std::string verb_;
  const std::string unit_;
  std::shared_ptr<io::Environment> clock_ = io::system_environment();
  std::uint64_t began_ns_;
  std::uint64_t drawn_ns_ = 0;
  bool shown_ = false;
};

}  // namespace otolith::cli
