// One verb: its words, its help, and what it runs.
//
// Role:    each verb's file gives one; parsing, --help, completion and the man page read them.
// Shapes:  operands in order, the last one may be repeated; options as --name VALUE, --name=VALUE,
//          or a letter.
// Errors:  accessors of Words throw WrongUsage for a value that does not parse.
// Threads: immutable.
// Why:     a table of our own instead of a parser library: one description makes the parser, the
//          help, three completions and the man page, and every message is in our words.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "otolith/timestamp.h"

namespace otolith::cli {

/// The command was not understood: exit code 2.
class WrongUsage : public std::exception {
 public:
  explicit WrongUsage(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// A word that stands by its place.
struct Operand {
  std::string_view name;  // "DB"
  std::string_view help;
  bool required = true;
  bool repeated = false;  // only the last
};

/// A word that begins with dashes.
struct Option {
  std::string_view name;   // "--from"
  std::string_view value;  // "TIME"; of lower-case words, "csv|json": only these; empty: a flag
  std::string_view help;
  char letter = '\0';
  bool repeated = false;
};

/// A command that runs, and what it does.
struct Example {
  std::string_view command;  // behind "otolith "
  std::string_view what;
};

class Words;

struct Verb {
  std::string_view name;
  std::string_view summary;  // one sentence without its full stop
  std::vector<Operand> operands;
  std::vector<Option> options;
  std::vector<Example> examples;
  std::string_view details;  // more, for --help and the man page
  int (*run)(const Words& words, const Sinks& sinks);
};

/// The words of one command, sorted by the verb that they are for.
class Words {
 public:
  /// Throws WrongUsage for what the verb does not take.
  static Words parse(const Verb& verb, const std::vector<std::string>& words);

  const Verb& verb() const noexcept { return *verb_; }
  /// An operand by its name; empty where it was not given.
  std::string operand(std::string_view name) const;
  bool has_operand(std::string_view name) const;
  /// All words of the repeated operand.
  std::vector<std::string> operands(std::string_view name) const;
  bool flag(std::string_view option) const { return given_.contains(option); }
  std::optional<std::string> value(std::string_view option) const;
  std::vector<std::string> values(std::string_view option) const;
  /// The value as a whole number.
  std::optional<std::uint64_t> count(std::string_view option) const;
  /// The value as a time.
  std::optional<Timestamp> time(std::string_view option) const;
  /// The value, cut at commas.
  std::optional<std::vector<std::string>> list(std::string_view option) const;
  /// Two names of options that exclude each other.
  void not_both(std::string_view one, std::string_view other) const;

 private:
  explicit Words(const Verb& verb) : verb_(&verb) {}
  void check_operands() const;
  const Option& find(std::string_view word) const;
  void take(const Option& option, std::string value);

  const Verb* verb_;
  std::vector<std::string> placed_;
  std::map<std::string_view, std::vector<std::string>> given_;  // by the option's name
};

/// The choices of a value of "csv|json", or none.
std::vector<std::string_view> choices(std::string_view value);

/// Options joined, in order.
std::vector<Option> joined(std::initializer_list<std::vector<Option>> groups);

}  // namespace otolith::cli
