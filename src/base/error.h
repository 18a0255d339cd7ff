// Throwing otolith::Error, out of line, with a formatted message.
//
// Role:    every throw of every room goes through here; so breakpoints and the log see all of them.
// Errors:  throws the Error it is asked to.
// Threads: thread-safe.
// Why:     out of line, so that call sites stay small and hot loops hold no exception code.
#pragma once

#include <fmt/format.h>

#include <string>

#include "otolith/error.h"

namespace otolith {

[[noreturn]] void throw_error(ErrorCode code, std::string message);
[[noreturn]] void throw_error(ErrorCode code, std::string message, ErrorWhere where);

/// Throws with a message formatted as by fmt::format.
template <typename... Args>
[[noreturn]] void throw_error(ErrorCode code, fmt::format_string<const Args&...> format,
                              const Args&... args)
  requires(sizeof...(Args) > 0)
{
  throw_error(code, fmt::format(format, args...));
}

/// Damage at a known place: code corrupt, the file relative to the database directory.
[[noreturn]] void throw_corrupt(std::string file, std::uint64_t offset, std::string what);

/// A name, quoted and shortened for a message: control characters are escaped, 64 bytes at most.
std::string quoted(std::string_view text);

/// ` (did you mean "flights"?)` for the candidate nearest to `name`, or nothing when none is near.
std::string nearest_hint(std::string_view name, const std::vector<std::string>& candidates);

/// A broken invariant: aborts in debug builds; in release throws Error(corrupt) that says so, and
/// the owner of the broken state refuses further work.
[[noreturn]] void invariant_broken(const char* what, const char* file, int line);

}  // namespace otolith

/// Cheap; stays on in release (docs/testing.md, "Seams").
#define OTO_INVARIANT(condition) \
  ((condition) ? void(0) : ::otolith::invariant_broken(#condition, __FILE__, __LINE__))
