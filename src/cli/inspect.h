// `otolith inspect DB [FILE]`.
//
// Role:    a verb of the command line over otolith/inspect.h.
// Shapes:  text, or one JSON object and a line feed.
// Errors:  those of inspect.
// Threads: thread-safe.
#pragma once

#include <string>

#include "cli/command_line.h"

namespace otolith::cli {

struct InspectArguments {
  std::string path;
  std::string file;
  bool verify = false;
  bool json = false;
};

/// Writes what was found and returns the exit code.
int inspect_run(const InspectArguments& arguments, const Sinks& sinks);

}  // namespace otolith::cli
