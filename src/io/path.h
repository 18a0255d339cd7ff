// The rule for paths inside a database directory, one for every disk.
//
// Role:    checked at every Vfs call that takes a path.
// Shapes:  relative, parts of 1..255 bytes between single '/', none of them "." or "..", no NUL;
//          the empty path is the root directory itself.
// Errors:  invalid_argument naming the path: such a path is a bug of the caller, for users' names
//          never become paths.
// Threads: thread-safe.
// Why:     all files are opened relative to a descriptor of the root, so that a directory that is
//          moved while open keeps working; nothing may climb out of it.
#pragma once

#include <string_view>

namespace otolith::io {

/// Throws invalid_argument unless the path obeys the rule above.
void check_path(std::string_view path);

/// The directory part, empty for an entry of the root.
std::string_view parent_path(std::string_view path) noexcept;

/// The last part.
std::string_view entry_name(std::string_view path) noexcept;

}  // namespace otolith::io
