// The one exception class of Otolith, and its codes.
//
// Role:    every room and door reports a failed call by throwing otolith::Error.
// Errors:  Error itself; `code()` says what kind, the message what to do, `where()` the place.
// Threads: immutable, once thrown.
// Why:     one class with a code, not a hierarchy: callers switch on the code, bindings map it.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otolith {

/// What kind of failure an Error reports.
enum class ErrorCode : std::uint8_t {
  not_found,         // the named dataset, commit, tag, document or file does not exist
  conflict,          // another commit or name stands against this one; nothing was changed
  corrupt,           // bytes on disk fail their checksum or contradict each other
  invalid_argument,  // the call itself is wrong; the message names the argument
  io,                // the operating system refused or failed a call
  no_space,          // disk full, quota or file size limit reached; works again once space is there
  locked,            // another process holds the append lock for longer than lock_wait
  unsupported_format,  // written by a newer Otolith, or needs a feature this build does not have
  unauthorized,        // the caller may not do this
  cancelled,           // the caller stopped it
  snapshot_expired,    // the commit asked for is no longer retained
  limit,               // a stated maximum of base/limits.h was exceeded; the message names it
};

/// Whether a failed commit can have taken effect: `none` for calls that do not write.
enum class Outcome : std::uint8_t { none, failed, unknown };

/// Where damage or a conflict was found, as far as it is known.
struct ErrorWhere {
  std::string file;                     // relative to the database directory; empty if unknown
  std::optional<std::uint64_t> offset;  // bytes from the start of that file
  /// The commit numbers affected, ascending. Of damage: the only one, or the first and the last of
  /// all between.
  std::vector<std::uint64_t> commits;
};

/// A failed call. Copyable, cheap to catch by const reference.
class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, ErrorWhere where = {},
        Outcome outcome = Outcome::none);

  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const ErrorWhere& where() const noexcept { return where_; }
  Outcome outcome() const noexcept { return outcome_; }
  /// Of a conflict between a rollback or a revert and other commits: what stands against it, a
  /// sentence each; empty for every other error.
  const std::vector<std::string>& differences() const noexcept { return differences_; }
  /// The code's name, the message and the place in one line; valid while the Error lives.
  const char* what() const noexcept override { return what_.c_str(); }

  /// The same error with its outcome set: used by the committer, which alone knows it.
  Error with_outcome(Outcome outcome) const;
  /// The same error with what stands against a rollback or a revert: used by who decides those.
  Error with_differences(std::vector<std::string> differences) const;

 private:
  ErrorCode code_;
  Outcome outcome_;
  std::string message_;
  ErrorWhere where_;
  std::vector<std::string> differences_;
  std::string what_;
};

/// The code's name as users meet it, for example "not_found".
std::string_view error_code_name(ErrorCode code) noexcept;

}  // namespace otolith
