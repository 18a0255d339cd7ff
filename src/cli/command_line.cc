#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "cli/help.h"
#include "cli/verbs.h"
#include "db/json_writer.h"
#include "files/table_writer.h"
#include "otolith/error.h"

namespace otolith::cli {

namespace {

// Messages hold names of users: what a terminal would obey is shown. Line feeds are ours.
std::string shown_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t feed = text.find('\n');
    out += files::shown_text(text.substr(0, feed));
    if (feed == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(feed + 1);
  }
}

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
    if (!error.differences().empty()) {
      out.key("differences").array_begin();
      for (const std::string& difference : error.differences()) out.value(difference);
      out.array_end();
    }
    out.object_end().object_end();
    sinks.out(out.text() + "\n");
  }
  sinks.err(fmt::format("otolith {}: {}\n", verb, shown_lines(error.what())));
  return kError;
}

int misused(const std::string& spoken, std::string_view what, const Sinks& sinks) {
  sinks.err(fmt::format("{}: {}; `{} --help` says what is expected\n", spoken, shown_lines(what),
                        spoken));
  return kUsage;
}

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(verbs(), name, &Verb::name);
  return found == verbs().end() ? nullptr : &*found;
}

// Options of the program itself, and what is none.
int run_without_verb(const std::vector<std::string>& arguments, const Sinks& sinks) {
  if (arguments.empty()) {
    sinks.err("otolith: give a verb; `otolith --help` lists them\n");
    return kUsage;
  }
  const std::string& word = arguments.front();
  if (word == "--version") {
    sinks.out("otolith " OTOLITH_VERSION "\n");
    return kDone;
  }
  if (word == "--help" || word == "-h") {
    sinks.out(program_help());
    return kDone;
  }
  const bool option = word.starts_with('-');
  std::vector<std::string> names;
  if (option) names = {"--help", "--version"};
  for (const Verb& verb : verbs()) {
    if (!option) names.emplace_back(verb.name);
  }
  sinks.err(fmt::format("otolith: there is no {} {}{}; `otolith --help` lists them\n",
                        option ? "option" : "verb", shown_lines(quoted(word)),
                        nearest_hint(word, names)));
  return kUsage;
}

bool asks_for_help(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

}  // namespace

int run(const std::vector<std::string>& arguments, const Sinks& sinks) {
  const Verb* verb = arguments.empty() ? nullptr : find_verb(arguments.front());
  if (verb == nullptr) return run_without_verb(arguments, sinks);
  const std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  if (asks_for_help(words)) {
    sinks.out(verb_help(*verb));
    return kDone;
  }
  try {
    return verb->run(Words::parse(*verb, words), sinks);
  } catch (const WrongUsage& wrong) {
    return misused(fmt::format("otolith {}", verb->name), wrong.what(), sinks);
  } catch (const Error& error) {
    const bool json = std::ranges::find(words, "--json") != words.end();
    return fail(verb->name, error, json, sinks);
  }
}

}  // namespace otolith::cli
