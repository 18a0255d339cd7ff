// Writing a whole file so that it is there entirely or not at all.
//
// Role:    index runs and checkpoints, which are derived and made again when in doubt.
// Shapes:  the path within the database; a neighbour "<path>.<n>.new" meanwhile.
// Errors:  those of the Vfs; the neighbour is removed.
// Threads: thread-safe; of two writers of one path the last to rename wins.
// Why:     content is durable before the name is: a name never leads to torn bytes, but for damage.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "io/vfs.h"

namespace otolith::history {

/// Writes, syncs, renames. The name itself is durable after `sync_dir` of its directory.
void replace_file(io::Vfs& vfs, const std::string& path, BytesView bytes);

/// Names in a directory of derived files; none where something else, or nothing, has its name.
std::vector<std::string> derived_names(io::Vfs& vfs, const std::string& directory);

/// Removes what interrupted writers left in a directory. A writer at work loses its file: it may.
void remove_unfinished(io::Vfs& vfs, const std::string& directory);

}  // namespace otolith::history
