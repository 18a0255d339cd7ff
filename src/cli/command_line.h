// The command line: words in, text and an exit code out.
//
// Role:    the one library behind the `otolith` binary and the wheel's `otolith` script.
// Shapes:  arguments without the program's name; what is written goes to two sinks, in UTF-8.
// Errors:  none: each becomes a message and an exit code: 0 done; 1 done, and damage was found;
//          2 usage; 3 error, with its code in the message and in the JSON.
// Threads: thread-safe, as far as the sinks are.
// Why:     sinks instead of files: the script writes through Python's sys.stdout, tests into text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::cli {

struct Sinks {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
};

inline constexpr int kDone = 0;
inline constexpr int kDamage = 1;
inline constexpr int kUsage = 2;
inline constexpr int kError = 3;

/// Runs one command, for example {"inspect", "market.oto", "--json"}.
int run(const std::vector<std::string>& arguments, const Sinks& sinks);

}  // namespace otolith::cli
