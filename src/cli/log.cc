// `otolith log DB [DATASET]`, `otolith show DB [REF]`
#include <fmt/format.h>

#include "cli/changes.h"
#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/json_writer.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

constexpr std::size_t kHashDigitsShown = 12;

// "quotes +3 -1, notes"
std::string changes_text(const Commit& commit) {
  std::string out;
  for (const auto& [name, count] : commit.changes) {
    out += (out.empty() ? "" : ", ") + name;
    if (count.added != 0) out += fmt::format(" +{}", count.added);
    if (count.ended != 0) out += fmt::format(" -{}", count.ended);
  }
  return out;
}

// With what it changed, where that is given.
std::string commit_json(const Commit& commit, const Diff* diff = nullptr) {
  db::JsonWriter out;
  out.object_begin()
      .field("number", static_cast<std::uint64_t>(commit.number))
      .field("hash", commit.hash)
      .field("parent", commit.parent)
      .field("time", timestamp_format(commit.time))
      .field("author", commit.author)
      .field("message", commit.message)
      .field("extra", commit.extra)
      .field("change_id", commit.change_id)
      .field("durable", commit.durable);
  out.key("changes").object_begin();
  for (const auto& [name, count] : commit.changes) {
    out.key(name).object_begin();
    out.field("added", count.added).field("ended", count.ended).object_end();
  }
  out.object_end().object_end();
  std::string text = out.text();
  if (diff != nullptr)
    text.insert(text.size() - 1, fmt::format(", \"diff\": [{}]", changes_json(*diff)));
  return text;
}

void put_json(const std::vector<Commit>& commits, bool array, const Sinks& sinks) {
  if (array) sinks.out("[");
  for (std::size_t i = 0; i < commits.size(); ++i) {
    if (array) sinks.out(i == 0 ? "\n" : ",\n");
    sinks.out(commit_json(commits[i]) + (array ? "" : "\n"));
  }
  if (array) sinks.out(commits.empty() ? "]\n" : "\n]\n");
}

LogFilter filter_of(const Words& words) {
  LogFilter out{.author = words.value("--author"),
                .since = words.time("--since"),
                .until = words.time("--until"),
                .limit = words.count("--limit"),
                .reverse = words.flag("--reverse")};
  if (words.has_operand("DATASET")) out.dataset = words.operand("DATASET");
  return out;
}

int run_log(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  const std::vector<Commit> commits = database.log(filter_of(words));
  const files::RowFormat format = format_of(words);
  if (format == files::RowFormat::json || format == files::RowFormat::ndjson) {
    put_json(commits, format == files::RowFormat::json, sinks);
    return kDone;
  }
  Listing out({{"number", TypeKind::uint64},
               {"time", TypeKind::timestamp},
               {"author", TypeKind::string},
               {"message", TypeKind::string},
               {"changes", TypeKind::string},
               {"hash", TypeKind::string}});
  for (const Commit& commit : commits) {
    out.add(static_cast<std::uint64_t>(commit.number), commit.time, commit.author, commit.message,
            changes_text(commit), std::string_view(commit.hash).substr(0, kHashDigitsShown));
  }
  out.write(format, look_of(words, sinks), sinks.out);
  return kDone;
}

std::string commit_text(const Commit& commit, const std::map<std::string, Commit>& tags) {
  const auto line = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string() : fmt::format("{:<9} {}\n", name, value);
  };
  std::string names;
  for (const auto& [name, tagged] : tags) {
    if (tagged.number == commit.number) names += (names.empty() ? "" : ", ") + name;
  }
  return fmt::format("commit {}\n", static_cast<std::uint64_t>(commit.number)) +
         line("hash", commit.hash) + line("parent", commit.parent) +
         line("time", timestamp_format(commit.time)) +
         line("author", files::shown_text(commit.author)) +
         line("message", files::shown_text(commit.message)) +
         line("extra", files::shown_text(commit.extra)) + line("change id", commit.change_id) +
         line("tags", files::shown_text(names)) +
         line("changes", files::shown_text(changes_text(commit)));
}

// What the commit changed.
Diff diff_of(const Database& database, const Commit& commit) {
  const auto number = static_cast<std::uint64_t>(commit.number);
  if (number == 0) return {};
  return database.diff(fmt::format("{}", number - 1), fmt::format("{}", number));
}

int run_show(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  const std::string reference = words.has_operand("REF") ? words.operand("REF") : "HEAD";
  const Commit commit = database.at(reference).commit();
  const Diff diff = diff_of(database, commit);
  if (words.flag("--json")) {
    sinks.out(commit_json(commit, &diff) + "\n");
    return kDone;
  }
  sinks.out(commit_text(commit, database.tags()));
  if (!diff.empty()) sinks.out("\n" + cli::changes_text(diff));
  return kDone;
}

}  // namespace

Verb log_verb() {
  return {.name = "log",
          .summary = "The commits of a database, newest first",
          .operands = {{"DB", "a database directory"},
                       {"DATASET", "commits that changed this table", false}},
          .options = joined({{{"--author", "TEXT", "commits of this author"},
                              {"--since", "TIME", "commits from this time on"},
                              {"--until", "TIME", "commits before this time"},
                              {"--limit", "N", "at most so many", 'n'},
                              {"--reverse", "", "oldest first"}},
                             format_options()}),
          .examples = {{"log market.oto", "who changed what, and when"},
                       {"log market.oto quotes -n 5 --ndjson", "for programs"}},
          .details = {},
          .run = run_log};
}

Verb show_verb() {
  return {.name = "show",
          .summary = "All that one commit says, and what it changed",
          .operands = {{"DB", "a database directory"},
                       {"REF", "42, HEAD, HEAD~3, #abcdef, or a tag; HEAD by default", false}},
          .options = {{"--json", "", "one JSON object instead of text, with what it changed"}},
          .examples = {{"show market.oto HEAD~1", "the commit before the newest"}},
          .details = "`otolith diff DB N-1 N` has the rows that commit N changed.",
          .run = run_show};
}

}  // namespace otolith::cli
