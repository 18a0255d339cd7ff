#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "cli/verb.h"

namespace otolith::cli {

namespace {

// "the option "--form" (did you mean "--from"?)"
[[noreturn]] void throw_unknown(const Verb& verb, const std::string& word) {
  std::vector<std::string> names;
  for (const Option& option : verb.options) names.emplace_back(option.name);
  throw WrongUsage(fmt::format("there is no option {}{}", quoted(word), nearest_hint(word, names)));
}

void check_choice(const Option& option, const std::string& value) {
  const std::vector<std::string_view> among = choices(option.value);
  if (among.empty() || std::ranges::find(among, value) != among.end()) return;
  const std::vector<std::string> names(among.begin(), among.end());
  throw WrongUsage(fmt::format("{} takes {}, not {}{}", option.name, fmt::join(among, ", "),
                               quoted(value), nearest_hint(value, names)));
}

// "-5" is a value, and so is "-": standard input.
bool is_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9');
}

}  // namespace

std::vector<std::string_view> choices(std::string_view value) {
  std::vector<std::string_view> out;
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || c == '|' || c == '-'; };
  if (value.find('|') == std::string_view::npos || !std::ranges::all_of(value, lower)) return out;
  while (true) {
    const std::size_t at = value.find('|');
    out.push_back(value.substr(0, at));
    if (at == std::string_view::npos) return out;
    value.remove_prefix(at + 1);
  }
}

std::vector<Option> joined(std::initializer_list<std::vector<Option>> groups) {
  std::vector<Option> out;
  for (const std::vector<Option>& group : groups) out.insert(out.end(), group.begin(), group.end());
  return out;
}

const Option& Words::find(std::string_view word) const {
  for (const Option& option : verb_->options) {
    const bool letter = word.size() == 2 && word[1] == option.letter && option.letter != '\0';
    if (option.name == word || letter) return option;
  }
  throw_unknown(*verb_, std::string(word));
}

void Words::take(const Option& option, std::string value) {
  check_choice(option, value);
  std::vector<std::string>& values = given_[option.name];
  if (!values.empty() && !option.repeated && !option.value.empty()) {
    throw WrongUsage(fmt::format("{} is given twice", option.name));
  }
  values.push_back(std::move(value));
}

Words Words::parse(const Verb& verb, const std::vector<std::string>& words) {
  Words out(verb);
  bool options = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!options || !is_option(word)) {
      out.placed_.push_back(word);
    } else if (word == "--") {
      options = false;
    } else {
      const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
      const Option& option = out.find(std::string_view(word).substr(0, equals));
      if (option.value.empty()) {
        if (equals != std::string::npos)
          throw WrongUsage(fmt::format("{} takes no value", option.name));
        out.take(option, "");
      } else if (equals != std::string::npos) {
        out.take(option, word.substr(equals + 1));
      } else if (i + 1 < words.size()) {
        out.take(option, words[++i]);
      } else {
        throw WrongUsage(fmt::format("{} needs {}", option.name, option.value));
      }
    }
  }
  out.check_operands();
  return out;
}

void Words::check_operands() const {
  for (std::size_t i = placed_.size(); i < verb_->operands.size(); ++i) {
    const Operand& missing = verb_->operands[i];
    if (missing.required)
      throw WrongUsage(fmt::format("{} is missing: {}", missing.name, missing.help));
  }
  const bool repeated = !verb_->operands.empty() && verb_->operands.back().repeated;
  if (placed_.size() > verb_->operands.size() && !repeated) {
    throw WrongUsage(
        fmt::format("{} is one word too many", quoted(placed_[verb_->operands.size()])));
  }
}

std::vector<std::string> Words::operands(std::string_view name) const {
  for (std::size_t i = 0; i < verb_->operands.size(); ++i) {
    if (verb_->operands[i].name != name || i >= placed_.size()) continue;
    const auto first = placed_.begin() + std::ptrdiff_t(i);
    return {first, verb_->operands[i].repeated ? placed_.end() : first + 1};
  }
  return {};
}

std::string Words::operand(std::string_view name) const {
  const std::vector<std::string> found = operands(name);
  return found.empty() ? std::string() : found.front();
}

bool Words::has_operand(std::string_view name) const { return !operands(name).empty(); }

std::vector<std::string> Words::values(std::string_view option) const {
  const auto found = given_.find(option);
  return found == given_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::string> Words::value(std::string_view option) const {
  const auto found = given_.find(option);
  if (found == given_.end()) return std::nullopt;
  return found->second.front();
}

std::optional<std::uint64_t> Words::count(std::string_view option) const {
  const std::optional<std::string> text = value(option);
  if (!text) return std::nullopt;
  std::uint64_t out = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (failed != std::errc() || end != text->data() + text->size()) {
    throw WrongUsage(fmt::format("{} takes a whole number, not {}", option, quoted(*text)));
  }
  return out;
}

std::optional<Timestamp> Words::time(std::string_view option) const {
  const std::optional<std::string> text = value(option);
  if (!text) return std::nullopt;
  try {
    return timestamp_parse(*text);
  } catch (const Error& error) {
    throw WrongUsage(fmt::format("{}: {}", option, error.message()));
  }
}

std::optional<std::vector<std::string>> Words::list(std::string_view option) const {
  const std::optional<std::string> text = value(option);
  if (!text) return std::nullopt;
  std::vector<std::string> out;
  for (std::string_view rest = *text;;) {
    const std::size_t at = rest.find(',');
    out.emplace_back(rest.substr(0, at));
    if (at == std::string_view::npos) return out;
    rest.remove_prefix(at + 1);
  }
}

void Words::not_both(std::string_view one, std::string_view other) const {
  if (flag(one) && flag(other))
    throw WrongUsage(fmt::format("{} and {} exclude each other", one, other));
}

}  // namespace otolith::cli
