// `otolith blame DB DATASET [ID]`
#include <fmt/format.h>

#include "cli/document_changes.h"
#include "cli/documents.h"
#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "files/table_writer.h"
#include "otolith/diff.h"

namespace otolith::cli {

namespace {

int blame_document(const Database& database, const Words& words, const Sinks& sinks) {
  refuse_for_documents(words, {"--from", "--to", "--key"});
  if (!words.has_operand("ID"))
    throw WrongUsage(
        fmt::format("{0} is a collection, and blame tells of one document, value by value: name "
                    "its id, `otolith blame DB {0} ID` (`otolith head DB {0}` shows some)",
                    words.operand("DATASET")));
  Listing out({{"path", TypeKind::string},
               {"commit", TypeKind::uint64},
               {"author", TypeKind::string},
               {"time", TypeKind::timestamp},
               {"message", TypeKind::string},
               {"value", TypeKind::string}});
  for (const PathBlame& of : collection_of(database, "DATASET", words).blame(words.operand("ID"))) {
    out.add(of.path, static_cast<std::uint64_t>(of.commit.number), of.commit.author, of.commit.time,
            of.commit.message, shown_value(of.value));
  }
  out.write(format_of(words), look_of(words, sinks), sinks.out);
  return kDone;
}

int run_blame(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  if (is_collection(database, words)) return blame_document(database, words, sinks);
  if (words.has_operand("ID"))
    throw WrongUsage(
        fmt::format("{} is a table, whose rows have no ids: --from, --to and --key "
                    "choose some",
                    words.operand("DATASET")));
  const Table table = table_of(database, words);
  const std::vector<Blamed> found = table.blame({.start = words.time("--from"),
                                                 .stop = words.time("--to"),
                                                 .keys = keys_of(words, *table.schema())});
  Listing out({{"number", TypeKind::uint64},
               {"time", TypeKind::timestamp},
               {"author", TypeKind::string},
               {"message", TypeKind::string},
               {"rows", TypeKind::uint64}});
  for (const auto& [commit, added] : found) {
    out.add(static_cast<std::uint64_t>(commit.number), commit.time, commit.author, commit.message,
            added.rows);
  }
  out.write(format_of(words), look_of(words, sinks), sinks.out);
  return kDone;
}

}  // namespace

Verb blame_verb() {
  return {.name = "blame",
          .summary =
              "Who wrote the rows that a table shows, a line a commit, or a document, a line a "
              "value",
          .operands = {{"DB", "a database directory"},
                       {"DATASET", "which table or collection"},
                       {"ID", "which document of a collection", false}},
          .options = joined(
              {{{"--from", "TIME", "rows from this time on"},
                {"--to", "TIME", "rows before this time"},
                {"--key", "C=V", "rows whose key C is V; again: one of several", '\0', true}},
               at_options(),
               format_options()}),
          .examples = {{"blame market.oto quotes --from 2026-01-05 --to 2026-01-06",
                        "who wrote that day"},
                       {"blame market.oto notes n1", "which commit set each value of a document"}},
          .details =
              "Rows are counted by the commit that added them; `otolith diff DB N-1 N` shows "
              "what commit N added. A value of a document is the commit's that made it what it is.",
          .run = run_blame};
}

}  // namespace otolith::cli
