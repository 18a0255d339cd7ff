// `otolith completion bash|zsh|fish`
#include <fmt/format.h>

#include <algorithm>

#include "cli/verbs.h"

namespace otolith::cli {

namespace {

// Text between single quotes of a shell.
std::string in_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out;
}

std::string words_of(const Verb& verb) {
  std::string out;
  for (const Option& option : verb.options) out += fmt::format("{} ", option.name);
  return out + "--help";
}

std::string verb_names() {
  std::string out;
  for (const Verb& verb : verbs()) {
    out += (out.empty() ? "" : " ") + std::string(verb.name);
  }
  return out;
}

// "1" where the second operand is a table's name.
bool takes_dataset(const Verb& verb) {
  return verb.operands.size() > 1 && verb.operands[1].name == "DATASET";
}

std::string joined_choices(const Option& option) {
  return fmt::format("{}", fmt::join(choices(option.value), " "));
}

// ---- bash

std::string bash_script() {
  std::string out = fmt::format(
      "# bash completion of otolith; in ~/.bashrc: source <(otolith completion bash)\n"
      "_otolith() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local verb=${{COMP_WORDS[1]}} words=''\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"$verb $before\" in\n",
      verb_names());
  for (const Verb& verb : verbs()) {
    for (const Option& option : verb.options) {
      if (choices(option.value).empty()) continue;
      out += fmt::format("    '{} {}') words='{}' ;;\n", verb.name, option.name,
                         joined_choices(option));
    }
  }
  out += "  esac\n  if [[ -z $words && $word == -* ]]; then\n    case \"$verb\" in\n";
  for (const Verb& verb : verbs()) {
    out += fmt::format("      {}) words='{}' ;;\n", verb.name, words_of(verb));
  }
  out += "    esac\n  elif [[ -z $words ]] && ((COMP_CWORD == 3)); then\n    case \"$verb\" in\n";
  for (const Verb& verb : verbs()) {
    if (!takes_dataset(verb)) continue;
    out += fmt::format(
        "      {}) words=$(otolith status \"${{COMP_WORDS[2]}}\" --names 2>/dev/null) ;;\n",
        verb.name);
  }
  out += "    esac\n  elif [[ -z $words ]] && ((COMP_CWORD == 2)); then\n    case \"$verb\" in\n";
  for (const Verb& verb : verbs()) {
    if (verb.operands.empty() || verb.operands[0].name == "DB") continue;
    if (verb.name == "help") out += fmt::format("      help) words='{}' ;;\n", verb_names());
    if (verb.name == "completion") out += "      completion) words='bash zsh fish' ;;\n";
  }
  return out +
         "    esac\n"
         "  fi\n"
         "  [[ -n $words ]] && COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o bashdefault -o default -F _otolith otolith\n";
}

// ---- zsh

// A description inside [ ] of _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return in_quotes(out);
}

std::string zsh_option(const Option& option) {
  std::string action;
  if (!option.value.empty()) {
    action = fmt::format(":{}:", zsh_text(option.value));
    const std::vector<std::string_view> among = choices(option.value);
    if (!among.empty()) action += fmt::format("({})", fmt::join(among, " "));
  }
  return fmt::format(" \\\n        '{}{}[{}]{}'", option.repeated ? "*" : "", option.name,
                     zsh_text(option.help), action);
}

std::string zsh_operand(const Verb& verb, std::size_t index) {
  const Operand& operand = verb.operands[index];
  std::string_view action = operand.name == "DB"        ? "_directories"
                            : operand.name == "DATASET" ? "_otolith_datasets"
                            : operand.name == "FILE"    ? "_files"
                            : operand.name == "SHELL"   ? "(bash zsh fish)"
                                                        : "";
  return fmt::format(" \\\n        '{}:{}:{}'",
                     operand.repeated ? std::string("*") : std::to_string(index + 1),
                     zsh_text(operand.name), action);
}

std::string zsh_script() {
  std::string out =
      "#compdef otolith\n"
      "# zsh completion of otolith; a file _otolith on the fpath, or in ~/.zshrc:\n"
      "#   source <(otolith completion zsh)\n"
      "_otolith_datasets() {\n"
      "  compadd -- ${(f)\"$(otolith status \"$words[2]\" --names 2>/dev/null)\"}\n"
      "}\n"
      "_otolith() {\n"
      "  local -a verbs=(\n";
  for (const Verb& verb : verbs()) {
    out += fmt::format("    '{}:{}'\n", verb.name, zsh_text(verb.summary));
  }
  out +=
      "  )\n"
      "  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n"
      "  local verb=$words[2]\n"
      "  shift words\n  ((CURRENT--))\n"
      "  case $verb in\n";
  for (const Verb& verb : verbs()) {
    out += fmt::format("    {})\n      _arguments -S '--help[what it takes]'", verb.name);
    for (const Option& option : verb.options) out += zsh_option(option);
    for (std::size_t i = 0; i < verb.operands.size(); ++i) out += zsh_operand(verb, i);
    out += "\n      ;;\n";
  }
  return out + "  esac\n}\ncompdef _otolith otolith\n";
}

// ---- fish

std::string fish_script() {
  std::string out =
      "# fish completion of otolith; ~/.config/fish/completions/otolith.fish\n"
      "function __otolith_datasets\n"
      "  set -l words (commandline -opc)\n"
      "  test (count $words) -eq 3; and otolith status $words[3] --names 2>/dev/null\n"
      "end\n"
      "complete -c otolith -n __fish_use_subcommand -l help -d 'lists the verbs'\n"
      "complete -c otolith -n __fish_use_subcommand -l version -d 'which build this is'\n";
  for (const Verb& verb : verbs()) {
    out += fmt::format("complete -c otolith -n __fish_use_subcommand -f -a {} -d '{}'\n", verb.name,
                       in_quotes(verb.summary));
    const std::string seen =
        fmt::format("complete -c otolith -n '__fish_seen_subcommand_from {}'", verb.name);
    for (const Option& option : verb.options) {
      out += fmt::format("{} -l {} -d '{}'", seen, option.name.substr(2), in_quotes(option.help));
      if (option.letter != '\0') out += fmt::format(" -s {}", option.letter);
      if (!option.value.empty()) out += " -r";
      if (!choices(option.value).empty()) out += fmt::format(" -f -a '{}'", joined_choices(option));
      out += '\n';
    }
    if (takes_dataset(verb)) out += fmt::format("{} -a '(__otolith_datasets)'\n", seen);
  }
  return out;
}

int run_completion(const Words& words, const Sinks& sinks) {
  const std::string shell = words.operand("SHELL");
  if (shell == "bash")
    sinks.out(bash_script());
  else if (shell == "zsh")
    sinks.out(zsh_script());
  else if (shell == "fish")
    sinks.out(fish_script());
  else
    throw WrongUsage(fmt::format("SHELL is bash, zsh or fish, not \"{}\"", shell));
  return kDone;
}

}  // namespace

Verb completion_verb() {
  return {.name = "completion",
          .summary = "Writes the completion of a shell",
          .operands = {{"SHELL", "bash, zsh or fish"}},
          .options = {},
          .examples = {{"completion bash > ~/.local/share/bash-completion/completions/otolith",
                        "for every new bash"}},
          .details = "It completes verbs, options, their choices, and the names of tables.",
          .run = run_completion};
}

}  // namespace otolith::cli
