#include "io/os_error.h"

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace otolith::io {

namespace {

constexpr std::size_t kPathShownMax = 4096;  // bytes; longer than any path can be

ErrorCode code_of(int number) noexcept {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::conflict;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::no_space;
    case EACCES:
    case EPERM:
      return ErrorCode::unauthorized;
    case ENAMETOOLONG:
      return ErrorCode::invalid_argument;
    default:
      return ErrorCode::io;
  }
}

// What the user can do about it; empty where the reason says it all.
std::string_view remedy_of(int number) noexcept {
  switch (number) {
    case EMFILE:
      return "raise this process's limit (ulimit -n) or close other files";
    case ENFILE:
      return "raise the machine's limit (sysctl fs.file-max) or close other files";
    case ENOSPC:
      return "free space on this file system; work goes on without a restart";
    case EDQUOT:
      return "free space or raise the quota; work goes on without a restart";
    case EFBIG:
      return "raise the file size limit (ulimit -f) or use a file system with larger files";
    case EACCES:
    case EPERM:
      return "check the owner and mode of the file and of its directory";
    case EROFS:
      return "open it with read_only=True, or mount the file system writable";
    case ENOTDIR:
      return "a part of the path is a file; name a directory";
    case ENAMETOOLONG:
      return "give a shorter path: 255 bytes a name, 4095 in all";
    case EIO:
      return "the device failed: check the system log and the disk, and keep a backup";
    case ENOLCK:
    case EOPNOTSUPP:
      return "this file system may lack the call; use a local one";
    case EBADF:
      return "the file was closed in this forked process: open the database again";
    default:
      return {};
  }
}

// A path is told in full, so that it can be copied, unless it is none.
std::string shown_path(const std::string& path) {
  if (path.size() <= kPathShownMax) return path;
  return fmt::format("{} ({} bytes)", quoted(path), path.size());
}

}  // namespace

std::string errno_text(int number) {
  char text[128] = "";
  return ::strerror_r(number, text, sizeof text);  // GNU's: may answer without using the buffer
}

void throw_os_error(int number, const FailedCall& call) {
  const std::string_view remedy = remedy_of(number);
  throw_error(code_of(number),
              fmt::format("cannot {} {}: {}{}{}", call.verb, shown_path(call.shown),
                          errno_text(number), remedy.empty() ? "" : "; ", remedy),
              ErrorWhere{call.file, std::nullopt, {}});
}

}  // namespace otolith::io
