// A file that appears whole, under its name, or not at all.
//
// Role:    export, plot.
// Shapes:  written under a name of its own beside it, synced, then renamed.
// Errors:  conflict where the name is taken and may not be replaced; not_found for a missing
//          folder; io, no_space.
// Threads: thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/vfs.h"

namespace otolith::files {

/// Folder and name of a path; the folder of a bare name is ".".
struct SplitPath {
  std::string folder;
  std::string name;
};
SplitPath split_path(const std::string& path);

class NewFile {
 public:
  NewFile(const std::string& path, bool replace);
  /// Takes away what was written, unless finish() was reached.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view text);
  /// Gives it its name.
  void finish();
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  const std::string path_;
  const SplitPath split_;
  const bool replace_;
  const std::unique_ptr<io::Vfs> vfs_;
  std::string unfinished_;
  std::unique_ptr<io::File> file_;
  std::uint64_t bytes_ = 0;
};

}  // namespace otolith::files
