// `otolith shell DB`
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "cli/shell_completion.h"
#include "cli/shell_words.h"
#include "cli/verbs.h"

namespace otolith::cli {

namespace {

constexpr std::size_t kCommandBytesMax = 64 << 20;  // a document of 16 MiB and its escapes
constexpr unsigned kIndent = 2;
constexpr std::string_view kUse =
    "Verbs as at a command line, without `otolith` and the database: `head quotes -n 3`.\n"
    "`help VERB` says what one takes, `exit` or Ctrl-D ends.\n";

// Lines of standard input.
class InputLines {
 public:
  explicit InputLines(const Sinks& sinks) : sinks_(sinks) {}

  /// Without its end; nullopt behind the last.
  std::optional<std::string> next() {
    for (std::size_t seen = 0;;) {
      const std::size_t end = held_.find('\n', seen);
      if (end != std::string::npos) return take(end, end + 1);
      seen = held_.size();
      if (!fill()) break;
    }
    return held_.empty() ? std::nullopt : std::optional(take(held_.size(), held_.size()));
  }

 private:
  bool fill() {
    if (!sinks_.in || held_.size() > kCommandBytesMax) return false;
    char some[1 << 14];
    const std::size_t bytes = sinks_.in(some);
    held_.append(some, bytes);
    return bytes != 0;
  }

  std::string take(std::size_t end, std::size_t next) {
    std::string out = held_.substr(0, end);
    held_.erase(0, next);
    return out;
  }

  const Sinks& sinks_;
  std::string held_;
};

std::size_t no_input(std::span<char>) {
  throw WrongUsage("standard input is the shell's own: give documents as words, or a file");
}

// What verbs within the shell are given.
Sinks sinks_within(const Sinks& sinks) {
  Sinks out = sinks;
  out.in = no_input;
  out.line = {};
  out.indent = sinks.width == 0 ? 0 : kIndent;
  return out;
}

class Shell {
 public:
  Shell(std::string database, const Sinks& sinks)
      : database_(std::move(database)), sinks_(sinks), within_(sinks_within(sinks)) {}

  /// Stops at the first command that does not end well.
  int run_script() {
    InputLines lines(sinks_);
    std::string command;
    std::size_t first = 0;
    for (std::size_t number = 1; auto line = lines.next(); ++number) {
      if (command.empty()) first = number;
      command += *line;
      const auto words = shell_words(command);
      if (!words) {
        command += '\n';
        check_length(command, first);
        continue;
      }
      command.clear();
      if (ends(*words)) return kDone;
      const int code = run_words(*words);
      if (code != kDone && !mutant("shell-goes-on-after-errors")) return stopped(first, code);
    }
    if (command.empty()) return kDone;
    sinks_.err("otolith shell: a quote is not closed\n");
    return stopped(first, kUsage);
  }

  /// Goes on whatever a command comes to.
  int run_terminal() {
    sinks_.out(std::string(kUse));
    std::string command;
    for (;;) {
      const Line line = ask(command.empty() ? prompt() : "> ");
      if (line.kind == Line::Kind::end) return kDone;
      if (line.kind == Line::Kind::cancelled)
        command.clear();
      else
        command += line.text;
      const auto words = shell_words(command);
      if (!words) {
        command += '\n';
        continue;
      }
      command.clear();
      if (ends(*words)) return kDone;
      run_words(*words);
    }
  }

 private:
  std::string prompt() const {
    const std::size_t slash = database_.find_last_of('/', database_.size() - 2);
    return (slash == std::string::npos ? database_ : database_.substr(slash + 1)) + "> ";
  }

  Line ask(std::string prompt) const {
    return sinks_.line({std::move(prompt), [this](std::string_view line) {
                          return shell_completions(database_, line);
                        }});
  }

  static bool ends(const std::vector<std::string>& words) {
    return words.size() == 1 && (words.front() == "exit" || words.front() == "quit");
  }

  static void check_length(const std::string& command, std::size_t line) {
    if (command.size() <= kCommandBytesMax) return;
    throw_error(ErrorCode::limit,
                "line {}: a command is longer than {} bytes; is a quote not closed?", line,
                kCommandBytesMax);
  }

  int stopped(std::size_t line, int code) const {
    sinks_.err(fmt::format("otolith shell: stopped at line {}, with exit code {}\n", line, code));
    return code;
  }

  // Puts the database in its place.
  std::vector<std::string> whole(std::vector<std::string> words) const {
    const auto verb = std::ranges::find(verbs(), words.front(), &Verb::name);
    const bool takes =
        verb != verbs().end() && !verb->operands.empty() && verb->operands.front().name == "DB";
    if (takes) words.insert(words.begin() + 1, database_);
    return words;
  }

  int run_words(const std::vector<std::string>& words) const {
    if (words.empty()) return kDone;
    if (words.front() == "shell") {
      sinks_.err("otolith shell: this is one already\n");
      return kUsage;
    }
    if (!sinks_.tick) return run(whole(words), within_);
    const Stopping stopping(sinks_.tick);
    return run(whole(words), within_);
  }

  const std::string database_;
  const Sinks& sinks_;
  const Sinks within_;
};

int run_shell(const Words& words, const Sinks& sinks) {
  Shell shell(words.operand("DB"), sinks);
  return sinks.line ? shell.run_terminal() : shell.run_script();
}

}  // namespace

Verb shell_verb() {
  return {.name = "shell",
          .summary = "The same verbs on one database, a line each: at a terminal, or as a script",
          .operands = {{"DB", "a database directory"}},
          .options = {},
          .examples = {{"shell market.oto", "with completion and history"},
                       {"shell market.oto < nightly.txt", "stops at the first error"}},
          .details =
              "Words are quoted as in a POSIX shell; # begins a comment. A script ends with the "
              "exit code of the first command whose is not 0, and names its line. At a terminal "
              "Ctrl-C gives a line or a command up, Ctrl-D ends.",
          .run = run_shell};
}

}  // namespace otolith::cli
