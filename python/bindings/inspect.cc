// inspect(), and the command line, which runs in this process.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "bindings.h"
#include "cli/command_line.h"
#include "otolith/error.h"

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
using Reader = nb::typed<nb::callable, nb::bytes(int)>;
using Wheel = nb::typed<nb::callable, int(nb::str)>;

std::size_t read_input(const Reader& reader, std::span<char> out) {
  const WithGil held;
  const nb::bytes got = nb::cast<nb::bytes>(reader(out.size()));
  std::memcpy(out.data(), got.c_str(), std::min(got.size(), out.size()));
  return std::min(got.size(), out.size());
}

void say(const Sink& sink, std::string_view text) {
  const WithGil held;
  sink(readable(text));
}

// Ctrl-C ends what a shell runs, and any other command with its process.
void stop_if_interrupted(bool shell) {
  const WithGil held;
  if (PyErr_CheckSignals() == 0) return;
  if (!shell || PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) == 0) throw nb::python_error();
  PyErr_Clear();
  throw Error(ErrorCode::cancelled, "stopped by Ctrl-C");
}

// The editor gives a text, None at the end, False where Ctrl-C was pressed.
cli::Line edited(const nb::object& editor, const cli::LineAsked& asked) {
  const WithGil held;
  const nb::object found =
      nb::cpp_function([&asked](const std::string& line) { return asked.completions(line); });
  const nb::object text = editor(asked.prompt, found);
  if (text.is_none()) return {};
  if (!nb::isinstance<nb::str>(text)) return {cli::Line::Kind::cancelled, {}};
  return {cli::Line::Kind::text, nb::cast<std::string>(text)};
}

int command_line(const std::vector<nb::bytes>& arguments, const Sink& out, const Sink& err,
                 const Reader& reader, const Wheel& wheel, unsigned width, bool err_is_terminal,
                 bool colour, const nb::object& editor) {
  std::vector<std::string> words;
  for (const nb::bytes& word : arguments) words.emplace_back(word.c_str(), word.size());
  const bool shell = !editor.is_none();
  cli::Sinks sinks{.out = [&](std::string_view text) { say(out, text); },
                   .err = [&](std::string_view text) { say(err, text); },
                   .in = [&](std::span<char> buffer) { return read_input(reader, buffer); },
                   .width = width,
                   .err_is_terminal = err_is_terminal,
                   .colour = colour,
                   .wheel =
                       [&](std::string_view request) {
                         const WithGil held;
                         return nb::cast<int>(wheel(readable(request)));
                       },
                   .tick = [shell] { stop_if_interrupted(shell); }};
  if (shell) sinks.line = [&](const cli::LineAsked& asked) { return edited(editor, asked); };
  const WithoutGil released;
  return cli::run(words, sinks);
}

}  // namespace

void bind_inspect(nb::module_& module) {
  module.def("inspect", &inspect_both, nb::arg("path"), nb::arg("file"), nb::arg("verify"),
             "What is found, as text and as JSON.");
  module.def("command_line", &command_line, nb::arg("arguments"), nb::arg("out"), nb::arg("err"),
             nb::arg("reader"), nb::arg("wheel"), nb::arg("width"), nb::arg("err_is_terminal"),
             nb::arg("colour"), nb::arg("editor").none(),
             "Runs one command and returns its exit code; what it writes goes to out and err.");
}

}  // namespace otolith::bindings
