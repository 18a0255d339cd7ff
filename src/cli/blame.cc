// `otolith blame DB DATASET`
#include <fmt/format.h>

#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "files/table_writer.h"
#include "otolith/diff.h"

namespace otolith::cli {

namespace {

int run_blame(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
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
          .summary = "Who wrote the rows that a table shows: a line a commit",
          .operands = {{"DB", "a database directory"}, {"DATASET", "which table"}},
          .options = joined(
              {{{"--from", "TIME", "rows from this time on"},
                {"--to", "TIME", "rows before this time"},
                {"--key", "C=V", "rows whose key C is V; again: one of several", '\0', true}},
               at_options(),
               format_options()}),
          .examples = {{"blame market.oto quotes --from 2026-01-05 --to 2026-01-06",
                        "who wrote that day"}},
          .details =
              "Rows are counted by the commit that added them; `otolith diff DB N-1 N` shows "
              "what commit N added.",
          .run = run_blame};
}

}  // namespace otolith::cli
