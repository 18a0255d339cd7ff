#include "cli/import_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "cli/listing.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

using files::TimeForm;

struct NamedForm {
  std::string_view name;
  TimeForm form;
};
constexpr std::array kForms{NamedForm{"timestamp(s)", TimeForm::seconds},
                            NamedForm{"timestamp(ms)", TimeForm::milliseconds},
                            NamedForm{"timestamp(us)", TimeForm::microseconds},
                            NamedForm{"timestamp(ns)", TimeForm::nanoseconds},
                            NamedForm{"timestamp(day-first)", TimeForm::day_first},
                            NamedForm{"timestamp(month-first)", TimeForm::month_first}};
constexpr double kPartitionRows = 10'000;  // a page and more, of each column
constexpr std::array<std::string_view, 6> kTimeNames{"time", "timestamp", "datetime",
                                                     "ts",   "date",      "_time"};

// Of --type C=T, by column.
std::map<std::string, ToldType> told_types(const Words& words,
                                           const std::vector<std::string>& names) {
  std::map<std::string, ToldType> out;
  for (const std::string& word : words.values("--type")) {
    const std::size_t at = word.rfind('=');
    if (at == std::string::npos)
      throw WrongUsage(fmt::format("--type takes COLUMN=TYPE, not {}", quoted(word)));
    const std::string name = word.substr(0, at);
    if (std::ranges::find(names, name) == names.end()) {
      throw_error(ErrorCode::invalid_argument, "--type: there is no column {}{}", quoted(name),
                  nearest_hint(name, names));
    }
    out[name] = told_type(word.substr(at + 1));
  }
  return out;
}

void check_name(std::string_view option, const std::string& name,
                const std::vector<std::string>& names) {
  if (std::ranges::find(names, name) != names.end()) return;
  throw_error(ErrorCode::invalid_argument, "{}: there is no column {}{}; there are {}", option,
              quoted(name), nearest_hint(name, names), fmt::format("{}", fmt::join(names, ", ")));
}

// The columns to import: those of --columns, or all.
std::vector<std::string> picked(const FoundColumns& found, const Words& words) {
  const std::optional<std::vector<std::string>> columns = words.list("--columns");
  if (!columns) return found.names;
  for (const std::string& name : *columns) check_name("--columns", name, found.names);
  return *columns;
}

std::vector<std::string> nulls_of(const Words& words) {
  const std::vector<std::string> told = words.values("--null");
  return told.empty() ? std::vector<std::string>{"", "NA"} : told;
}

void add_columns(files::ReadPlan& plan, Schema& schema, const FoundColumns& found,
                 const Words& words) {
  const std::vector<std::string> names = picked(found, words);
  const std::map<std::string, ToldType> told = told_types(words, names);
  const std::optional<std::string> dates = words.value("--dates");
  for (const std::string& name : names) {
    const auto at = std::ranges::find(found.names, name) - found.names.begin();
    const files::TypeGuess& guess = found.guesses[static_cast<std::size_t>(at)];
    Type type = guess.type();
    TimeForm form = guess.form();
    if (guess.ambiguous() && dates) {
      type = {TypeKind::timestamp};
      form = *dates == "day-first" ? TimeForm::day_first : TimeForm::month_first;
    }
    if (const auto of = told.find(name); of != told.end()) {
      type = of->second.type;
      form = of->second.form.value_or(type == guess.type() ? guess.form() : TimeForm::iso);
    }
    schema.columns.push_back({.name = name, .type = type});
    plan.forms.push_back(form);
  }
}

[[noreturn]] void throw_no_time(const Schema& schema, const std::string& name,
                                const files::TypeGuess& guess) {
  const Column& column = schema.columns[*schema.find(name)];
  if (guess.ambiguous()) {
    throw_error(ErrorCode::invalid_argument,
                "the time column {} has dates of which nobody can say whether day or month comes "
                "first; say --dates day-first or --dates month-first",
                quoted(name));
  }
  if (column.type.kind >= TypeKind::int8 && column.type.kind <= TypeKind::decimal) {
    throw_error(ErrorCode::invalid_argument,
                "the time column {} holds numbers; say what they count from 1970: --type "
                "'{}=timestamp(s)', (ms), (us) or (ns)",
                quoted(name), name);
  }
  throw_error(ErrorCode::invalid_argument,
              "the time column {} holds {}, not times as ISO 8601 (2026-01-05T12:00:00Z)",
              quoted(name), type_name(column.type));
}

const files::TypeGuess& guess_of(const FoundColumns& found, const std::string& name) {
  return found.guesses[static_cast<std::size_t>(std::ranges::find(found.names, name) -
                                                found.names.begin())];
}

// --time, or a column of a usual name, or the only one of times.
std::string time_of(const Schema& schema, const FoundColumns& found, const Words& words) {
  if (const auto told = words.value("--time")) {
    check_name("--time", *told, schema.names());
    return *told;
  }
  std::vector<std::string> times;
  std::string doubtful;
  for (const Column& column : schema.columns) {
    if (column.type.kind == TypeKind::timestamp) times.push_back(column.name);
    if (guess_of(found, column.name).ambiguous()) doubtful = column.name;
  }
  for (const std::string_view name : kTimeNames) {
    if (schema.find(name)) return std::string(name);
  }
  if (times.size() == 1) return times[0];
  if (times.empty() && !doubtful.empty()) return doubtful;
  if (times.empty()) {
    throw_error(
        ErrorCode::invalid_argument,
        "no column holds times as ISO 8601; say which one is the time: --time C, and --type "
        "'C=timestamp(s)' where it counts seconds since 1970; there are {}",
        fmt::format("{}", fmt::join(schema.names(), ", ")));
  }
  throw_error(ErrorCode::invalid_argument, "several columns hold times: {}; say which: --time {}",
              fmt::format("{}", fmt::join(times, ", ")), times[0]);
}

Duplicates duplicates_of(const Words& words) {
  const std::string told = words.value("--duplicates").value_or("keep");
  if (told == "last") return Duplicates::last;
  if (told == "first") return Duplicates::first;
  return told == "error" ? Duplicates::error : Duplicates::keep;
}

}  // namespace

ToldType told_type(const std::string& text) {
  const auto found = std::ranges::find(kForms, text, &NamedForm::name);
  if (found != kForms.end()) return {{TypeKind::timestamp}, found->form};
  try {
    return {type_parse(text), std::nullopt};
  } catch (const Error& error) {
    throw WrongUsage(fmt::format("--type: {}", error.message()));
  }
}

std::size_t FoundColumns::place(const std::string& name) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  names.push_back(name);
  guesses.emplace_back();
  return names.size() - 1;
}

Partition partition_for(const Words& words, std::uint64_t rows, Timestamp first, Timestamp last) {
  constexpr double kDayNs = 86'400e9;
  const std::string told = words.value("--partition").value_or("");
  if (told == "none") return Partition::none;
  if (told == "hour") return Partition::hour;
  if (told == "day") return Partition::day;
  if (told == "month") return Partition::month;
  if (told == "year") return Partition::year;
  const double days = static_cast<double>(last.ns - first.ns) / kDayNs;
  const double of_a_day = static_cast<double>(rows) / (days < 1 ? 1 : days);
  if (of_a_day >= kPartitionRows) return Partition::day;
  return of_a_day * 30 >= kPartitionRows ? Partition::month : Partition::year;
}

files::ReadPlan plan_of_new(const FoundColumns& found, const Words& words) {
  files::ReadPlan plan{
      .nulls = nulls_of(words), .may_retype = true, .pick = words.flag("--columns")};
  Schema schema{.duplicates = duplicates_of(words),
                .codec = words.value("--codec").value_or("hot")};
  add_columns(plan, schema, found, words);
  schema.time = time_of(schema, found, words);
  if (schema.columns[*schema.find(schema.time)].type.kind != TypeKind::timestamp)
    throw_no_time(schema, schema.time, guess_of(found, schema.time));
  for (const std::string& key : words.values("--key")) {
    check_name("--key", key, schema.names());
    schema.keys.push_back(key);
  }
  schema = schema_stored(std::move(schema));
  schema_check(schema);
  plan.schema = std::make_shared<const Schema>(std::move(schema));
  return plan;
}

files::ReadPlan plan_of_old(std::shared_ptr<const Schema> schema, const FoundColumns& found,
                            const Words& words) {
  for (const std::string_view option : {"--partition", "--duplicates", "--codec"}) {
    if (words.flag(option)) {
      throw_error(ErrorCode::invalid_argument,
                  "the table is there already, and {} is of new ones only", option);
    }
  }
  if (const auto time = words.value("--time"); time && *time != schema->time) {
    throw_error(ErrorCode::conflict, "the time of the table is its column {}, not {}",
                quoted(schema->time), quoted(*time));
  }
  const std::vector<std::string> keys = words.values("--key");
  if (!keys.empty() && keys != schema->keys) {
    throw_error(ErrorCode::conflict, "the keys of the table are {}, not {}",
                schema->keys.empty() ? "none" : fmt::format("{}", fmt::join(schema->keys, ", ")),
                fmt::format("{}", fmt::join(keys, ", ")));
  }
  files::ReadPlan plan{.nulls = nulls_of(words), .pick = words.flag("--columns")};
  const std::vector<std::string> names = picked(found, words);
  const std::map<std::string, ToldType> told = told_types(words, names);
  const std::optional<std::string> dates = words.value("--dates");
  for (const Column& column : schema->columns) {
    const auto at = std::ranges::find(found.names, column.name);
    TimeForm form = at == found.names.end() ? TimeForm::iso : guess_of(found, column.name).form();
    if (dates && at != found.names.end() && guess_of(found, column.name).ambiguous())
      form = *dates == "day-first" ? TimeForm::day_first : TimeForm::month_first;
    if (const auto of = told.find(column.name); of != told.end()) {
      if (of->second.type != column.type) {
        throw_error(ErrorCode::conflict, "column {} of the table is {}, not {}",
                    quoted(column.name), type_name(column.type), type_name(of->second.type));
      }
      form = of->second.form.value_or(form);
    }
    plan.forms.push_back(form);
  }
  plan.schema = std::move(schema);
  return plan;
}

void show_plan(const files::ReadPlan& plan, const FoundColumns& found, const Sinks& sinks) {
  const Schema& schema = *plan.schema;
  Listing out(
      {{"column", TypeKind::string}, {"type", TypeKind::string}, {"note", TypeKind::string}});
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    std::string note = column.name == schema.time ? "time" : "";
    if (std::ranges::find(schema.keys, column.name) != schema.keys.end()) note = "key";
    if (column.type.kind == TypeKind::timestamp && plan.forms[i] != TimeForm::iso)
      note += fmt::format("{}{}", note.empty() ? "" : ", ", files::time_form_name(plan.forms[i]));
    if (plan.may_retype && guess_of(found, column.name).ambiguous() &&
        column.type.kind == TypeKind::string)
      note = "day or month first? --dates says it";
    else if (plan.may_retype && !guess_of(found, column.name).any())
      note += "no values at the beginning";
    out.add(column.name, type_name(column.type), note);
  }
  out.write(files::RowFormat::table, {}, sinks.err);
}

}  // namespace otolith::cli
