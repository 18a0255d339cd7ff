// A line of text as words, quoted as in a POSIX shell.
//
// Role:    `otolith shell`.
// Shapes:  words between blanks; 'as it is', "but for \" and \\", a backslash before one
//          character; a # where a word would begin and all behind it is a comment. Nothing else
//          means anything: there are no variables, patterns, pipes or redirections, and $, *, | and
//          > are text.
// Errors:  none: what is not closed is not a line yet.
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::cli {

/// nullopt where a quote is open or a backslash ends the text: the next line belongs to it.
std::optional<std::vector<std::string>> shell_words(std::string_view text);
/// A word as it has to be written to be one.
std::string shell_quoted(std::string_view word);

}  // namespace otolith::cli
