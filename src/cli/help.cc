#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/verbs.h"

namespace otolith::cli {

namespace {

constexpr std::string_view kWhat = "an embedded, time-first database whose history is never lost";
constexpr std::string_view kExitCodes =
    "0 done; 1 done, and the answer is bad (damage); 2 wrong usage; 3 error";

std::string operand_text(const Operand& operand) {
  std::string out(operand.name);
  if (operand.repeated) out += "…";
  return operand.required ? out : "[" + out + "]";
}

// "-n, --limit N"
std::string option_text(const Option& option) {
  std::string out;
  if (option.letter != '\0') out = fmt::format("-{}, ", option.letter);
  out += option.name;
  if (!option.value.empty()) out += fmt::format(" {}", option.value);
  return out;
}

// Two columns: a word, and what it means.
void put_pairs(std::string& out, const std::vector<std::pair<std::string, std::string>>& pairs) {
  constexpr std::size_t kWordsMax = 26;
  std::size_t width = 0;
  for (const auto& [word, help] : pairs) {
    if (word.size() <= kWordsMax) width = std::max(width, word.size());
  }
  for (const auto& [word, help] : pairs) {
    if (word.size() <= width)
      out += fmt::format("  {:<{}}  {}\n", word, width, help);
    else
      out += fmt::format("  {}\n  {:<{}}  {}\n", word, "", width, help);
  }
}

// Text for the man macros: what troff would obey is escaped.
std::string troff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else
      out += c;
  }
  if (out.starts_with('.')) out.insert(0, "\\&");
  for (std::size_t at = out.find("…"); at != std::string::npos; at = out.find("…")) {
    out.replace(at, std::string_view("…").size(), "...");
  }
  return out;
}

void put_man_verb(std::string& out, const Verb& verb) {
  out += fmt::format(".SS {}\n{}.\n.PP\n.B {}\n", troff(verb.name), troff(verb.summary),
                     troff(usage(verb)));
  for (const Operand& operand : verb.operands) {
    out += fmt::format(".TP\n.I {}\n{}\n", troff(operand.name), troff(operand.help));
  }
  for (const Option& option : verb.options) {
    out += fmt::format(".TP\n.B {}\n{}\n", troff(option_text(option)), troff(option.help));
  }
  if (!verb.details.empty()) out += fmt::format(".PP\n{}\n", troff(verb.details));
  for (const Example& example : verb.examples) {
    out += fmt::format(".PP\n{}:\n.PP\n.RS 4\n.EX\notolith {}\n.EE\n.RE\n", troff(example.what),
                       troff(example.command));
  }
}

int run_help(const Words& words, const Sinks& sinks) {
  if (!words.has_operand("VERB")) {
    sinks.out(program_help());
    return kDone;
  }
  const std::string name = words.operand("VERB");
  for (const Verb& verb : verbs()) {
    if (verb.name != name) continue;
    sinks.out(verb_help(verb));
    return kDone;
  }
  throw WrongUsage(fmt::format("there is no verb \"{}\"", name));
}

int run_man(const Words&, const Sinks& sinks) {
  sinks.out(man_page());
  return kDone;
}

}  // namespace

std::string usage(const Verb& verb) {
  std::string out = fmt::format("otolith {}", verb.name);
  for (const Operand& operand : verb.operands) out += " " + operand_text(operand);
  return verb.options.empty() ? out : out + " [options]";
}

std::string verb_help(const Verb& verb) {
  std::string out = fmt::format("{}.\n\nUsage: {}\n", verb.summary, usage(verb));
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Operand& operand : verb.operands) pairs.emplace_back(operand.name, operand.help);
  if (!pairs.empty()) out += "\n";
  put_pairs(out, pairs);
  pairs.clear();
  for (const Option& option : verb.options) pairs.emplace_back(option_text(option), option.help);
  if (!pairs.empty()) out += "\nOptions:\n";
  put_pairs(out, pairs);
  if (!verb.details.empty()) out += fmt::format("\n{}\n", verb.details);
  out += verb.examples.size() == 1 ? "\nExample:\n" : "\nExamples:\n";
  for (const Example& example : verb.examples) {
    out += fmt::format("  # {}\n  otolith {}\n", example.what, example.command);
  }
  return out;
}

std::string program_help() {
  std::string out = fmt::format("Otolith: {}.\n\nUsage: otolith VERB ...\n\nVerbs:\n", kWhat);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Verb& verb : verbs()) pairs.emplace_back(verb.name, verb.summary);
  put_pairs(out, pairs);
  out += fmt::format(
      "\n`otolith VERB --help` says what a verb takes, with examples; `otolith --version` which\n"
      "build this is. NO_COLOR switches colours off.\n\nExit codes: {}.\nMore: docs/cli.md\n",
      kExitCodes);
  return out;
}

std::string man_page() {
  std::string out = fmt::format(
      ".\\\" Written by `otolith man`.\n"
      ".TH OTOLITH 1 \"\" \"otolith " OTOLITH_VERSION
      "\" \"User Commands\"\n"
      ".SH NAME\notolith \\- {}\n"
      ".SH SYNOPSIS\n.B otolith\n.I VERB\n\\&...\n"
      ".SH VERBS\n",
      troff(kWhat));
  for (const Verb& verb : verbs()) put_man_verb(out, verb);
  out += fmt::format(
      ".SH EXIT STATUS\n{}.\n"
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nAny value: no colours.\n",
      troff(kExitCodes));
  return out;
}

Verb help_verb() {
  return {.name = "help",
          .summary = "What the program or one verb takes",
          .operands = {{"VERB", "which verb", false}},
          .options = {},
          .examples = {{"help import", "all that import takes"}},
          .details = {},
          .run = run_help};
}

Verb man_verb() {
  return {.name = "man",
          .summary = "Writes the man page",
          .operands = {},
          .options = {},
          .examples = {{"man > ~/.local/share/man/man1/otolith.1", "for man otolith"}},
          .details = {},
          .run = run_man};
}

}  // namespace otolith::cli
