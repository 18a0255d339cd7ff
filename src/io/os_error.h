// Turns an errno into an Error that names the file and the remedy; the simulated disk speaks
// through it too.
//
// Role:    every failed call of every disk is reported here, so that both disks say the same.
// Errors:  not_found (ENOENT, ENOTDIR), conflict (EEXIST, ENOTEMPTY), no_space (ENOSPC, EDQUOT,
//          EFBIG), unauthorized (EACCES, EPERM), otherwise io.
// Threads: thread-safe.
// Why:     one table of remedies; no caller formats an errno itself.
#pragma once

#include <string>
#include <string_view>

namespace otolith::io {

/// What failed, for the message: `cannot <verb> <shown>: <reason>; <remedy>`.
struct FailedCall {
  std::string_view verb;  // "write", "sync", "open", …
  std::string shown;      // as Vfs::describe gives it
  std::string file;       // relative to the root, for Error::where
};

/// The system's words for an errno: `No space left on device`.
std::string errno_text(int number);

/// Throws the Error for this errno.
[[noreturn]] void throw_os_error(int number, const FailedCall& call);

}  // namespace otolith::io
