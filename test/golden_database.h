// A golden database: a directory that an Otolith wrote once, kept to be opened by later ones.
//
// Role:    golden tests of whole databases (test/tour).
// Errors:  those of opening and writing.
// Threads: thread-compatible.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "db/hall.h"
#include "io/posix.h"

namespace otolith::test {

/// Small files, so that a short life fills several.
inline history::HistoryOptions golden_sizes() {
  history::HistoryOptions sizes;
  sizes.log.file_bytes = 16 << 10;
  sizes.log.preallocate_bytes = 4 << 10;
  sizes.log.reserve_bytes = 4 << 10;
  return sizes;
}

/// Made where it is missing and OTOLITH_NEW_GOLDENS=1 asks for it; one that is there stays. `live`
/// writes what it is to hold.
template <typename Live>
void make_golden(const std::string& folder, const history::HistoryOptions& sizes, Live live) {
  if (std::getenv("OTOLITH_NEW_GOLDENS") == nullptr || std::filesystem::exists(folder)) return;
  std::filesystem::create_directories(folder);
  Database db =
      db::Door::open(io::posix_vfs(folder), io::simulated_environment(1), {.threads = 1}, sizes);
  live(db);
  db.close();
}

}  // namespace otolith::test
