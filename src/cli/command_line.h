// The command line: words in, text and an exit code out.
//
// Role:    the one library behind the `otolith` binary and the wheel's `otolith` script.
// Shapes:  arguments without the program's name; what is written goes to two sinks, in UTF-8.
// Errors:  none but what a sink throws: each becomes a message and an exit code: 0 done; 1 done,
//          and the answer is bad; 2 usage; 3 error, with its code in the message and in the JSON.
// Threads: thread-safe, as far as the sinks are.
// Why:     sinks instead of files: the script writes through Python's sys.stdout, tests into text.
//          What is asked of the terminal is given, so that a test can be any terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otolith::cli {

/// A line that was edited at a terminal.
struct Line {
  enum class Kind { text, cancelled, end };  // by Ctrl-C, by Ctrl-D
  Kind kind = Kind::end;
  std::string text{};
};

/// What is asked for with a line: what stands before it, and what its last word may become.
struct LineAsked {
  std::string prompt;
  std::function<std::vector<std::string>(std::string_view line)> completions;
};

/// What a door gives: where text goes, and what stands at the other end.
struct Sinks {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> err;
  /// Reads standard input; 0: its end. None: there is none.
  std::function<std::size_t(std::span<char>)> in{};
  unsigned width = 0;            // of the terminal that `out` goes to, in columns; 0: it is none
  bool err_is_terminal = false;  // progress is shown
  bool colour = false;
  unsigned indent = 0;  // of documents that are shown to a person, in blanks a level
  /// Has a line edited at the terminal. None: standard input is none, or the door has no editor.
  std::function<Line(const LineAsked&)> line{};
  /// The wheel's door reads and writes what C++ does not (Parquet, Arrow, PNG): takes a request in
  /// JSON, gives the exit code. None: this is the plain binary.
  std::function<int(std::string_view)> wheel{};
  /// Called now and then in long work; may throw to stop it.
  std::function<void()> tick{};
  /// Bytes of rows that an import holds before it writes anything, so that a bad file leaves no
  /// trace.
  std::uint64_t held_bytes_max = 128ull << 20;
};

inline constexpr int kDone = 0;
inline constexpr int kBad = 1;
inline constexpr int kUsage = 2;
inline constexpr int kError = 3;

/// Runs one command, for example {"inspect", "market.oto", "--json"}.
int run(const std::vector<std::string>& arguments, const Sinks& sinks);

}  // namespace otolith::cli
