// The Vfs over a real directory.
//
// Role:    what every database on a disk is opened on.
// Shapes:  paths relative to the root (io/path.h); the root is held by descriptor, so a directory
//          that is moved while open keeps working.
// Errors:  as vfs.h; EMFILE, EROFS, EACCES and others say what to do (io/os_error.h).
// Threads: thread-safe.
// Why:     pread, pwrite and fdatasync only: calls whose rules after a failure are known; a map is
//          for reading.
#pragma once

#include <memory>
#include <string>

#include "io/fork.h"
#include "io/vfs.h"

namespace otolith::io {

struct PosixOptions {
  bool read_only = false;  // refuse every write without asking the OS
  bool mmap = true;        // false: File::map reads a copy, so damage under a mapping cannot arise
  bool create = false;     // make the root (one level) if it is missing; its entry is made durable
};

/// Opens an existing directory, or makes it; not_found if it is missing.
std::unique_ptr<Vfs> posix_vfs(const std::string& root, PosixOptions options = {});

}  // namespace otolith::io
