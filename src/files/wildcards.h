// Files by a pattern: `2026-*.csv`, also where no shell has expanded it.
//
// Role:    import.
// Shapes:  * ? [abc] in the last part of a path; what they match is sorted.
// Errors:  not_found where nothing matches; those of the folder.
// Threads: thread-safe.
#pragma once

#include <string>
#include <vector>

namespace otolith::files {

/// The paths that a word means: those it matches, or itself where a file is called like that.
std::vector<std::string> matching_files(const std::string& word);

}  // namespace otolith::files
