// What becomes of lines that are no rows: --on-error stop, skip, or a folder.
//
// Role:    import.
// Shapes:  in a folder, NAME.bad holds the lines of the file NAME as they are, NAME.why a line for
//          each: "file:line: what is wrong".
// Errors:  invalid_argument at the first one where it is to stop, naming file and line.
// Threads: thread-compatible.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cli/command_line.h"
#include "files/new_file.h"
#include "files/row_reader.h"

namespace otolith::cli {

class BadLines {
 public:
  /// `policy` is "stop", "skip", or a folder, which is made if it is missing.
  BadLines(const Sinks& sinks, std::string policy);

  /// Whether the first one is an error.
  bool stops() const noexcept { return policy_ == "stop"; }
  void take(const files::LeftOut& line);
  std::uint64_t count() const noexcept { return count_; }
  /// Makes the files of the folder appear.
  void finish();

 private:
  struct Pair {
    std::unique_ptr<files::NewFile> lines;
    std::unique_ptr<files::NewFile> reasons;
  };
  Pair& files_of(const std::string& file);

  const Sinks& sinks_;
  const std::string policy_;
  std::uint64_t count_ = 0;
  std::map<std::string, Pair> files_;
};

}  // namespace otolith::cli
