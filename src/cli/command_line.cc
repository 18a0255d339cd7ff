// The one file that includes CLI11, which takes seconds to compile.
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "base/error.h"
#include "cli/inspect.h"
#include "db/json_writer.h"
#include "otolith/error.h"

namespace otolith::cli {

namespace {

// What a failed command says; with --json for programs too.
int fail(const Error& error, bool json, const Sinks& sinks) {
  if (json) {
    db::JsonWriter out;
    out.object_begin().key("error").object_begin();
    out.field("code", error_code_name(error.code())).field("message", error.message());
    out.key("file");
    error.where().file.empty() ? out.null() : out.value(error.where().file);
    out.key("offset");
    error.where().offset ? out.value(*error.where().offset) : out.null();
    out.object_end().object_end();
    sinks.out(out.text() + "\n");
  }
  sinks.err(fmt::format("otolith: {}\n", error.what()));
  return kError;
}

void add_inspect(CLI::App& app, InspectArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "inspect", "How a database or one segment file is laid out: codecs, bytes, checksums");
  verb->add_option("DB", arguments.path, "a database directory, or a segment file")->required();
  verb->add_option("FILE", arguments.file, "one segment of it: its path, its name or its id");
  verb->add_flag("--verify", arguments.verify, "read and check every byte; exit code 1 on damage");
  verb->add_flag("--json", arguments.json, "one JSON object instead of text");
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Sinks& sinks) {
  CLI::App app("Otolith: an embedded, time-first database whose history is never lost.", "otolith");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("otolith ") + OTOLITH_VERSION);
  app.footer(
      "Exit codes: 0 done; 1 done, and damage was found; 2 wrong usage; 3 error.\n"
      "More: docs/cli.md");
  InspectArguments inspecting;
  add_inspect(app, inspecting);
  const bool names_verb = !arguments.empty() && !arguments.front().starts_with('-');
  const auto named = [&](const CLI::App* verb) { return verb->get_name() == arguments.front(); };
  if (names_verb && app.get_subcommands(named).empty()) {
    sinks.err(fmt::format("otolith: there is no verb {}; `otolith --help` lists them\n",
                          otolith::quoted(arguments.front())));
    return kUsage;
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const bool asked = app.exit(error, out, err) == 0;  // --help, --version
    sinks.out(out.str());
    sinks.err(err.str());
    return asked ? kDone : kUsage;
  }
  try {
    return inspect_run(inspecting, sinks);
  } catch (const Error& error) {
    return fail(error, inspecting.json, sinks);
  }
}

}  // namespace otolith::cli
