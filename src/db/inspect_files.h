// The files of a database that hold no rows of their own: which there are, and what each says.
//
// Role:    for inspect; every byte is read by the room that owns it (history, segment, directory).
// Shapes:  paths relative to the Vfs; a file outside of its folder is taken by its name.
// Errors:  those of the file that does not open: corrupt, unsupported_format, not_found, io. What
//          is damaged within a log file goes to `problems`.
// Threads: thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "history/log_directory.h"
#include "io/environment.h"
#include "otolith/inspect.h"

namespace otolith::db {

/// What is known around a file: nothing where it is looked at alone.
struct Surroundings {
  std::optional<Id128> database;                // whose files they have to be
  const history::LogDirectory* logs = nullptr;  // which file ends where another begins
  RecordNumber record_last{0};                  // visible
  RecordNumber record_durable{0};               // on the disk
  io::Environment* environment = nullptr;       // of the machine: for the lock page
};

/// What a path inside a database stands for.
FileKind file_kind(const std::string& path);
/// What a file alone is: by its path, else by its name, else by its first bytes.
FileKind file_kind_alone(io::Vfs& vfs, const std::string& path, const std::string& name);

/// All files, by path; a folder that is not ours is one entry.
std::vector<std::string> database_files(io::Vfs& vfs);

/// Its name, kind and size; nothing of it is read.
FileLayout file_of(io::Vfs& vfs, const std::string& file, FileKind kind);
/// One file. `closely` reads all of it.
FileLayout file_layout(io::Vfs& vfs, const std::string& file, FileKind kind,
                       const Surroundings& around, bool closely, std::vector<Problem>& problems);

/// A log file: inspect_log.cc.
LogLayout log_layout(io::Vfs& vfs, const std::string& file, const Surroundings& around,
                     bool closely, std::vector<Problem>& problems);

/// Keeps a problem, once.
void tell(std::vector<Problem>& problems, Problem problem);

}  // namespace otolith::db
