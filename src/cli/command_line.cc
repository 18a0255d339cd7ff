// The one file that includes CLI11, which takes seconds to compile.
#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "base/error.h"
#include "cli/compact.h"
#include "cli/inspect.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "otolith/error.h"

namespace otolith::cli {

namespace {

// What a failed command says; with --json for programs too.
int fail(std::string_view verb, const Error& error, bool json, const Sinks& sinks) {
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
  sinks.err(fmt::format("otolith {}: {}\n", verb, error.what()));
  return kError;
}

// Of CLI11's own words: one line, without what a terminal would obey, and without a full stop.
std::string said(std::string_view words) {
  while (words.ends_with('\n') || words.ends_with('.')) words.remove_suffix(1);
  return db::harmless(words);
}

void add_inspect(CLI::App& app, InspectArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "inspect", "How a database or one of its files is laid out: codecs, bytes, checksums");
  verb->add_option("DB", arguments.path, "a database directory, or a file of one")->required();
  verb->add_option("FILE", arguments.file, "one file of it: its path, its name or a segment's id");
  verb->add_flag("--verify", arguments.verify, "read and check every byte; exit code 1 on damage");
  verb->add_flag("--json", arguments.json, "one JSON object instead of text");
}

void add_compact(CLI::App& app, CompactArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "compact", "Moves rows from the log into segments, and removes files that nobody needs");
  verb->add_option("DB", arguments.path, "a database directory")->required();
  verb->add_flag("--json", arguments.json, "one JSON object instead of text");
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Sinks& sinks) {
  CLI::App app("Otolith: an embedded, time-first database whose history is never lost.", "otolith");
  app.require_subcommand(0, 1);  // none is told below, in our words
  app.set_version_flag("--version", std::string("otolith ") + OTOLITH_VERSION);
  app.footer(
      "Exit codes: 0 done; 1 done, and damage was found; 2 wrong usage; 3 error.\n"
      "More: docs/cli.md");
  InspectArguments inspecting;
  add_inspect(app, inspecting);
  CompactArguments compacting;
  add_compact(app, compacting);
  const bool names_verb = !arguments.empty() && !arguments.front().starts_with('-');
  const auto named = [&](const CLI::App* verb) { return verb->get_name() == arguments.front(); };
  if (names_verb && app.get_subcommands(named).empty()) {
    sinks.err(fmt::format("otolith: there is no verb {}; `otolith --help` lists them\n",
                          otolith::quoted(arguments.front())));
    return kUsage;
  }
  const std::string spoken = names_verb ? "otolith " + arguments.front() : "otolith";
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      sinks.err(fmt::format("{}: {}; `{} --help` says what is expected\n", spoken,
                            said(error.what()), spoken));
      return kUsage;
    }
    std::ostringstream out;  // --help, --version
    app.exit(error, out, out);
    sinks.out(out.str());
    return kDone;
  }
  if (!names_verb) {
    sinks.err("otolith: give a verb; `otolith --help` lists them\n");
    return kUsage;
  }
  try {
    if (app.got_subcommand("compact")) return compact_run(compacting, sinks);
    return inspect_run(inspecting, sinks);
  } catch (const Error& error) {
    return fail(arguments.front(), error, inspecting.json || compacting.json, sinks);
  }
}

}  // namespace otolith::cli
