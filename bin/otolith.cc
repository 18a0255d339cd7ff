// The `otolith` binary: the command line on this process's standard input, output and error.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "line_editor.h"
#include "otolith/error.h"

namespace {

// Nobody reads on, or the disk is full: the rest need not be computed.
struct Unwritten : std::exception {
  const char* what() const noexcept override { return "the output could not be written"; }
};

void write(std::FILE* to, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() && to == stdout)
    throw Unwritten();
}

std::size_t read_input(std::span<char> out) {
  ssize_t got = 0;
  do {
    got = ::read(STDIN_FILENO, out.data(), out.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw std::runtime_error("standard input could not be read");
  return static_cast<std::size_t>(got);
}

// Columns of the terminal that standard output is; 0 where it is none. COLUMNS says otherwise.
unsigned width() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  if (const char* told = std::getenv("COLUMNS"); told != nullptr) {
    const long columns = std::strtol(told, nullptr, 10);
    if (columns > 0 && columns < 10'000) return static_cast<unsigned>(columns);
  }
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return known ? size.ws_col : 80;
}

bool colour() {
  const char* no = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && (no == nullptr || *no == '\0') && terminal != nullptr &&
         std::string_view(terminal) != "dumb";
}

// OTOLITH_HISTORY, or a file at home; empty: none is kept.
std::string history_file() {
  if (const char* told = std::getenv("OTOLITH_HISTORY"); told != nullptr) return told;
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.otolith_history";
}

// A shell at a terminal edits its lines, and takes Ctrl-C for the command that runs.
void add_terminal(otolith::cli::Sinks& sinks) {
  using namespace otolith;
  bin::catch_interrupts();
  const auto editor = std::make_shared<bin::LineEditor>(history_file());
  sinks.line = [editor](const cli::LineAsked& asked) { return editor->line(asked); };
  sinks.tick = [] {
    if (bin::interrupted()) throw Error(ErrorCode::cancelled, "stopped by Ctrl-C");
  };
}

bool is_shell(int count, char** words) {
  return count > 1 && std::string_view(words[1]) == "shell" && ::isatty(STDIN_FILENO) != 0;
}

}  // namespace

int main(int count, char** words) {
  using namespace otolith;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is no death: see Unwritten
  try {
    cli::Sinks sinks{.out = [](std::string_view text) { write(stdout, text); },
                     .err = [](std::string_view text) { write(stderr, text); },
                     .in = read_input,
                     .width = width(),
                     .err_is_terminal = ::isatty(STDERR_FILENO) != 0,
                     .colour = colour()};
    if (is_shell(count, words)) add_terminal(sinks);
    const int code = cli::run({words + (count != 0 ? 1 : 0), words + count}, sinks);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw Unwritten();
    return code;
  } catch (const Unwritten& error) {
    if (errno != EPIPE) std::fprintf(stderr, "otolith: %s\n", error.what());
    return cli::kError;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "otolith: %s\n", error.what());
    return cli::kError;
  }
}
