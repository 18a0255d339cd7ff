// inspect(), and the command line, which runs in this process.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <utility>

#include "bindings.h"
#include "cli/command_line.h"

namespace otolith::bindings {

namespace {

// Text for people, and JSON, which the Python layer makes objects of.
std::pair<nb::str, nb::str> inspect_both(const nb::bytes& path_bytes, const nb::bytes& file_bytes,
                                         bool verify) {
  const std::string path(path_bytes.c_str(), path_bytes.size());
  const std::string file(file_bytes.c_str(), file_bytes.size());
  std::string text;
  std::string json;
  {
    const WithoutGil released;
    const Inspection found = inspect(path, {.file = file, .verify = verify});
    text = found.text();
    json = found.json();
  }
  return {readable(text), readable(json)};
}

using Sink = nb::typed<nb::callable, void(nb::str)>;

int command_line(const std::vector<nb::bytes>& arguments, const Sink& out, const Sink& err) {
  std::vector<std::string> words;
  for (const nb::bytes& word : arguments) words.emplace_back(word.c_str(), word.size());
  std::string written;
  std::string told;
  int code = 0;
  {
    const WithoutGil released;
    code = cli::run(words, {[&](std::string_view text) { written += text; },
                            [&](std::string_view text) { told += text; }});
  }
  if (!written.empty()) out(readable(written));
  if (!told.empty()) err(readable(told));
  return code;
}

}  // namespace

void bind_inspect(nb::module_& module) {
  module.def("inspect", &inspect_both, nb::arg("path"), nb::arg("file"), nb::arg("verify"),
             "What is found, as text and as JSON.");
  module.def("command_line", &command_line, nb::arg("arguments"), nb::arg("out"), nb::arg("err"),
             "Runs one command and returns its exit code; what it writes goes to out and err.");
}

}  // namespace otolith::bindings
