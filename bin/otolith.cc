// The `otolith` binary: the command line on this process's standard output and error.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"

namespace {

void write(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

}  // namespace

int main(int count, char** words) {
  using namespace otolith;
  try {
    const int code = cli::run({words + (count != 0 ? 1 : 0), words + count},
                              {[](std::string_view text) { write(stdout, text); },
                               [](std::string_view text) { write(stderr, text); }});
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (!written) std::fputs("otolith: the output could not be written\n", stderr);
    return written ? code : cli::kError;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "otolith: %s\n", error.what());
    return cli::kError;
  }
}
