// `otolith delete DB DATASET`
#include <fmt/format.h>

#include "cli/documents.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

// By ids, or by a condition.
int delete_documents(Database& database, const Words& words, const Sinks& sinks) {
  refuse_for_documents(words, {"--from", "--to", "--key", "--all"});
  const Collection collection = database.collection(words.operand("DATASET"));
  const std::vector<std::string> ids = words.operands("ID");
  const std::optional<Expression> where = where_of(words);
  if (ids.empty() == !where.has_value())
    throw WrongUsage("say which documents: their ids, or --where");
  const std::string name = files::shown_text(collection.name());
  if (words.flag("--dry-run")) {
    FindRequest asked{.where = where};
    if (!ids.empty()) asked.ids = ids;
    std::uint64_t count = 0;
    DocumentStream stream = collection.find(asked);
    for (auto some = stream.next(); !some.empty(); some = stream.next()) count += some.size();
    sinks.out(fmt::format("{}: {} would be deleted\n", name, db::counted(count, "document")));
    return kDone;
  }
  const Commit commit = where ? collection.remove(*where, commit_of(words))
                              : collection.remove(ids, {.commit = commit_of(words)});
  const auto change = commit.changes.find(collection.name());
  sinks.out(change == commit.changes.end()
                ? fmt::format("{}: no document is like that; nothing was changed\n", name)
                : fmt::format("{}: {} deleted in commit {}; older commits go on showing them\n",
                              name, db::counted(change->second.ended, "document"),
                              static_cast<std::uint64_t>(commit.number)));
  database.close();
  return kDone;
}

int run_delete(const Words& words, const Sinks& sinks) {
  words.not_both("--all", "--where");
  Database database = Database::open(words.operand("DB"), {.create = false});
  if (database.kind(words.operand("DATASET")) == DatasetKind::collection)
    return delete_documents(database, words, sinks);
  if (!words.operands("ID").empty())
    throw WrongUsage("ids are of documents; rows are named by --from, --to, --key and --where");
  const Table table = database.table(words.operand("DATASET"));
  const DeleteRequest rows{.start = words.time("--from"),
                           .stop = words.time("--to"),
                           .keys = keys_of(words, *table.schema()),
                           .where = where_of(words),
                           .all = words.flag("--all")};
  const bool named = rows.start || rows.stop || !rows.keys.empty() || rows.where;
  if (!named && !rows.all)
    throw WrongUsage("say which rows: --from, --to, --key, --where, or --all for every row");
  const std::string name = files::shown_text(table.name());
  if (words.flag("--dry-run")) {
    const Data found = table.read({.start = rows.start,
                                   .stop = rows.stop,
                                   .columns = {{table.schema()->time}},
                                   .keys = rows.keys,
                                   .where = rows.where});
    sinks.out(fmt::format("{}: {} would be deleted\n", name, db::counted(found.rows(), "row")));
    return kDone;
  }
  const std::uint64_t before = table.rows();
  const Commit commit = table.remove(rows, commit_of(words));
  const auto change = commit.changes.find(table.name());
  const bool none = table.rows() == before;
  sinks.out(none ? fmt::format("{}: no row is like that; nothing was changed\n", name)
                 : fmt::format("{}: {} deleted in commit {}; older commits go on showing them\n",
                               name, db::counted(change->second.ended, "row"),
                               static_cast<std::uint64_t>(commit.number)));
  database.close();
  return kDone;
}

}  // namespace

Verb delete_verb() {
  return {
      .name = "delete",
      .summary = "Ends rows or documents, in one commit; older commits go on showing them",
      .operands = {{"DB", "a database directory"},
                   {"DATASET", "which table, or collection"},
                   {"ID", "of documents", false, true}},
      .options =
          joined({{{"--from", "TIME", "rows from this time on"},
                   {"--to", "TIME", "rows before this time"},
                   {"--key", "C=V", "rows whose key C is V; again: one of several", '\0', true},
                   {"--where", "EXPR", "rows of which this is true"},
                   {"--all", "", "every row"},
                   {"--dry-run", "", "only say how many rows it would be"}},
                  commit_options()}),
      .examples = {{"delete market.oto quotes --where 'bid < 0' --dry-run", "how many it would be"},
                   {"delete market.oto quotes --to 2020-01-01 --message 'too old'",
                    "rows before a time"},
                   {"delete market.oto notes a b", "two documents"}},
      .details = "Of several things that are named all must hold.",
      .run = run_delete};
}

}  // namespace otolith::cli
