#include "files/wildcards.h"

#include <fnmatch.h>

#include "base/error.h"
#include "files/new_file.h"
#include "io/posix.h"

namespace otolith::files {

std::vector<std::string> matching_files(const std::string& word) {
  const SplitPath split = split_path(word);
  if (split.name.find_first_of("*?[") == std::string::npos) return {word};
  const auto folder = io::posix_vfs(split.folder, {.read_only = true});
  if (folder->exists(split.name)) return {word};
  const std::string before = word.substr(0, word.size() - split.name.size());
  std::vector<std::string> out;
  for (const std::string& name : folder->list("")) {
    if (::fnmatch(split.name.c_str(), name.c_str(), FNM_PERIOD) == 0) out.push_back(before + name);
  }
  if (out.empty()) throw_error(ErrorCode::not_found, "no file matches {}", quoted(word));
  return out;
}

}  // namespace otolith::files
