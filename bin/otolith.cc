// The `otolith` binary: the command line on this process's standard input, output and error.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"

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

}  // namespace

int main(int count, char** words) {
  using namespace otolith;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is no death: see Unwritten
  try {
    const int code = cli::run({words + (count != 0 ? 1 : 0), words + count},
                              {.out = [](std::string_view text) { write(stdout, text); },
                               .err = [](std::string_view text) { write(stderr, text); },
                               .in = read_input,
                               .width = width(),
                               .err_is_terminal = ::isatty(STDERR_FILENO) != 0,
                               .colour = colour()});
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
