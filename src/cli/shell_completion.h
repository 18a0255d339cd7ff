// What may stand at the end of a line of the shell: verbs, options, their choices, names, commits.
//
// Role:    `otolith shell`, behind whichever editor of lines its door has.
// Shapes:  the line up to the cursor -> whole words that begin as its last one, sorted.
// Errors:  none: a database that cannot be read has no names.
// Threads: thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otolith::cli {

std::vector<std::string> shell_completions(const std::string& database, std::string_view line);

}  // namespace otolith::cli
