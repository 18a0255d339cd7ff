#include "cli/shell_completion.h"

#include <algorithm>

#include "cli/shell_words.h"
#include "cli/verbs.h"
#include "otolith/database.h"
#include "otolith/error.h"

namespace otolith::cli {

namespace {

using Names = std::vector<std::string>;

bool is_dataset(std::string_view operand) {
  return operand == "DATASET" || operand == "COLLECTION" || operand == "--dataset";
}

bool is_commit(std::string_view operand) {
  return operand == "REF" || operand == "FROM" || operand == "TO" || operand == "--at";
}

// Datasets or commits, by the name of the operand; none where it names something else.
Names names_of(const std::string& path, std::string_view operand) {
  if (operand == "VERB") {
    Names out;
    for (const Verb& verb : verbs()) out.emplace_back(verb.name);
    return out;
  }
  if (!is_dataset(operand) && !is_commit(operand)) return {};
  try {
    const Database database = Database::open(path, {.create = false, .read_only = true});
    if (is_dataset(operand)) return database.datasets();
    Names out{"HEAD", "HEAD~1"};
    for (const auto& [name, commit] : database.tags()) out.push_back(name);
    return out;
  } catch (const Error&) {
    return {};
  }
}

Names verb_names() {
  Names out{"exit", "quit"};
  for (const Verb& verb : verbs()) out.emplace_back(verb.name);
  return out;
}

const Option* option_of(const Verb& verb, std::string_view word) {
  const auto is = [&](const Option& option) {
    return option.name == word ||
           (word.size() == 2 && option.letter != '\0' && word[1] == option.letter);
  };
  const auto found = std::ranges::find_if(verb.options, is);
  return found == verb.options.end() ? nullptr : &*found;
}

// What stands behind these words, the first of which is the verb.
Names behind(const std::string& path, const Verb& verb, const Names& words) {
  const bool db = !verb.operands.empty() && verb.operands.front().name == "DB";
  std::size_t operand = db ? 1 : 0;
  const Option* open = nullptr;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool value = open != nullptr;
    open = value ? nullptr : option_of(verb, words[i]);
    if (open != nullptr && open->value.empty()) open = nullptr;
    if (!value && !words[i].starts_with('-')) ++operand;
  }
  if (open != nullptr) {
    const std::vector<std::string_view> among = choices(open->value);
    return among.empty() ? names_of(path, open->name) : Names(among.begin(), among.end());
  }
  if (verb.operands.empty()) return {};
  const bool more = operand >= verb.operands.size();
  if (more && !verb.operands.back().repeated) return {};
  return names_of(path, more ? verb.operands.back().name : verb.operands[operand].name);
}

Names candidates(const std::string& path, const Names& words, std::string_view last) {
  if (words.empty()) return verb_names();
  const auto verb = std::ranges::find(verbs(), words.front(), &Verb::name);
  if (verb == verbs().end()) return {};
  if (!last.starts_with('-')) return behind(path, *verb, words);
  Names out{"--help"};
  for (const Option& option : verb->options) out.emplace_back(option.name);
  return out;
}

}  // namespace

std::vector<std::string> shell_completions(const std::string& database, std::string_view line) {
  const std::size_t blank = line.find_last_of(" \t");
  const std::size_t start = blank == std::string_view::npos ? 0 : blank + 1;
  const std::string_view last = line.substr(start);
  const auto words = shell_words(line.substr(0, start));
  if (!words) return {};  // within quotes
  Names out;
  for (const std::string& name : candidates(database, *words, last)) {
    if (name.starts_with(last)) out.push_back(shell_quoted(name));
  }
  std::ranges::sort(out);
  const auto again = std::ranges::unique(out);
  out.erase(again.begin(), again.end());
  return out;
}

}  // namespace otolith::cli
