// `otolith compact DB`.
//
// Role:    a verb of the command line over Database::compact.
// Shapes:  one line of text, or one JSON object and a line feed.
// Errors:  those of Database::open and compact.
// Threads: thread-safe.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace otolith::cli {

struct CompactArguments {
  std::string path;
  bool json = false;
};

/// Says what was done and returns the exit code.
int compact_run(const CompactArguments& arguments, const Sinks& sinks);

}  // namespace otolith::cli
