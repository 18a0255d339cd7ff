// The directory of a database: its layout, its OTOLITH file, and how it comes to be.
//
// Role:    the first thing open does and the last thing creation writes.
// Shapes:  OTOLITH is text: four lines, the last one a checksum of those before.
// Errors:  not_found (missing, and create is off), invalid_argument (not empty and no database),
//          unsupported_format (a newer format), corrupt (a damaged OTOLITH file).
// Threads: thread-safe, also between processes that create the same directory at once.
// Why:     OTOLITH is renamed into place last, so a directory either is a whole database or none;
//          creation that was interrupted is begun again by whoever comes next.
#pragma once

#include "base/ids.h"
#include "history/log.h"
#include "io/environment.h"
#include "io/vfs.h"

namespace otolith::db {

inline constexpr std::uint32_t kFormatVersion = 1;

struct Directory {
  Id128 database;
  std::uint32_t format = kFormatVersion;
};

/// What the OTOLITH file of this database says.
std::string directory_text(const Directory& directory);
/// Parses it; `where` is shown in messages.
Directory directory_parse(std::string_view text, const std::string& where);

/// Reads a file OTOLITH.
Directory directory_read(io::Vfs& vfs, const std::string& file);
/// Reads OTOLITH, or makes a new database when the directory is empty and `create` allows it.
Directory directory_open(io::Vfs& vfs, io::Environment& environment, bool create,
                         const history::LogOptions& sizes = {});

/// Entries of the directory that no Otolith writes, sorted: reported, never deleted.
std::vector<std::string> directory_foreign(io::Vfs& vfs);

}  // namespace otolith::db
