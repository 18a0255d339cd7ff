// `otolith rollback DB REF`, `otolith revert DB REF`
#include <fmt/format.h>

#include "cli/changes.h"
#include "cli/reading.h"
#include "cli/verbs.h"

namespace otolith::cli {

namespace {

bool as_text(const Words& words) { return !words.flag("--json") && !words.flag("--ndjson"); }

// "as of commit 3" and what became of it, said of a commit or of one that was not made.
int tell(const Diff& diff, std::string_view commit, const Words& words, const Sinks& sinks) {
  if (!as_text(words)) {
    put_changes(diff, words, sinks);
    return kDone;
  }
  if (diff.empty()) {
    sinks.out("all is so already; nothing was changed\n");
    return kDone;
  }
  sinks.out(fmt::format("{}:\n", commit));
  put_changes(diff, words, sinks);
  return kDone;
}

// Changes HEAD and tells by what; `undo` gives the commit.
template <typename Undo>
int run_undo(Database& database, const Words& words, const Sinks& sinks, Undo undo) {
  const Commit before = database.head();
  const Commit commit = undo();
  const auto number = static_cast<std::uint64_t>(commit.number);
  Diff diff;
  if (commit.number != before.number)
    diff = database.diff(fmt::format("{}", number - 1), fmt::format("{}", number));
  const int code = tell(diff, fmt::format("commit {}", number), words, sinks);
  database.close();
  return code;
}

RollbackOptions rollback_of(const Words& words, const Database& database) {
  RollbackOptions out{.start = words.time("--from"),
                      .stop = words.time("--to"),
                      .replace_name = words.flag("--replace-name")};
  if (words.flag("--id")) out.ids = words.values("--id");
  if (!words.has_operand("DATASET")) {
    if (out.scoped() || words.flag("--key"))
      throw WrongUsage("--from, --to, --key and --id are of one dataset: name it behind REF");
    return out;
  }
  out.dataset = words.operand("DATASET");
  if (!words.flag("--key")) return out;
  const std::string reference = words.operand("REF");
  const Snapshot then = database.at(reference);
  const Table table =
      then.contains(*out.dataset) ? then.table(*out.dataset) : database.table(*out.dataset);
  out.keys = keys_of(words, *table.schema());
  return out;
}

int run_rollback(const Words& words, const Sinks& sinks) {
  const std::string to = words.operand("REF");
  if (words.flag("--dry-run")) {
    const Database database = open_to_read(words);
    return tell(database.rollback_diff(to, rollback_of(words, database)), "it would change", words,
                sinks);
  }
  Database database = Database::open(words.operand("DB"), {.create = false});
  const RollbackOptions options = rollback_of(words, database);
  return run_undo(database, words, sinks,
                  [&] { return database.rollback(to, options, commit_of(words)); });
}

RevertOptions revert_of(const Words& words) {
  if (!words.has_operand("DATASET")) return {};
  return {.dataset = words.operand("DATASET")};
}

int run_revert(const Words& words, const Sinks& sinks) {
  const std::string commit = words.operand("REF");
  if (words.flag("--dry-run")) {
    return tell(open_to_read(words).revert_diff(commit, revert_of(words)), "it would change", words,
                sinks);
  }
  Database database = Database::open(words.operand("DB"), {.create = false});
  return run_undo(database, words, sinks,
                  [&] { return database.revert(commit, revert_of(words), commit_of(words)); });
}

constexpr std::string_view kDryRun = "only tell what it would change";

}  // namespace

Verb rollback_verb() {
  return {
      .name = "rollback",
      .summary = "Shows the state of an older commit again, in a commit of its own",
      .operands = {{"DB", "a database directory"},
                   {"REF", "back to: 42, HEAD~3, #abcdef, or a tag"},
                   {"DATASET", "this table or collection only; all without it", false}},
      .options = joined(
          {{{"--from", "TIME", "rows or documents from this time on; the columns of a table stay"},
            {"--to", "TIME", "rows or documents before this time"},
            {"--id", "ID", "this document of the collection; again: one of several", '\0', true},
            {"--key", "C=V", "rows of the table whose key C is V; again: one of several", '\0',
             true},
            {"--replace-name", "", "drop another table that has the old name by now"},
            {"--dry-run", "", kDryRun}},
           changes_options(),
           commit_options()}),
      .examples = {{"rollback market.oto HEAD~2 quotes --dry-run", "what it would change"},
                   {"rollback market.oto before-import -m 'a bad file'", "the whole database"},
                   {"rollback market.oto HEAD~1 quotes --from 2026-01-05 --key symbol=AAPL",
                    "some rows of one table"},
                   {"rollback market.oto HEAD~1 notes --id n1", "a document"}},
      .details =
          "Nothing is lost: what it takes back stays in older commits, and `revert` of the "
          "rollback has it again.",
      .run = run_rollback};
}

Verb revert_verb() {
  return {
      .name = "revert",
      .summary = "Undoes one commit and keeps what came since, in a commit of its own",
      .operands = {{"DB", "a database directory"},
                   {"REF", "which commit: 42, HEAD, HEAD~3, #abcdef, or a tag"},
                   {"DATASET", "what it did to this table or collection only; all without it",
                    false}},
      .options = joined({{{"--dry-run", "", kDryRun}}, changes_options(), commit_options()}),
      .examples = {{"revert market.oto HEAD", "the newest commit, also a rollback or a revert"}},
      .details =
          "Where later commits changed the same rows, names or columns it is refused, "
          "and says which.",
      .run = run_revert};
}

}  // namespace otolith::cli
