// `otolith head DB DATASET`, `otolith tail DB DATASET`
#include <algorithm>

#include "cli/documents.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/reversed.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kRowsDefault = 10;

// By id, as they are stored; the last ones in the same order.
int run_documents(const Database& database, const Words& words, const Sinks& sinks, bool last) {
  refuse_for_documents(words, {"--key", "--columns"});
  DocumentWriter writer(format_of(words), sinks.out, sinks.indent);
  DocumentStream stream = collection_of(database, "DATASET", words)
                              .find({.where = where_of(words),
                                     .limit = words.count("--limit").value_or(kRowsDefault),
                                     .reverse = last});
  std::vector<DocumentEntry> found;
  for (auto some = stream.next(); !some.empty(); some = stream.next())
    found.insert(found.end(), some.begin(), some.end());
  if (last) std::ranges::reverse(found);
  for (const DocumentEntry& entry : found) writer.put(entry.document);
  writer.end();
  return kDone;
}

int run_ends(const Words& words, const Sinks& sinks, bool last) {
  const Database database = open_to_read(words);
  if (is_collection(database, words)) return run_documents(database, words, sinks, last);
  const Table table = table_of(database, words);
  const Data data = table.read({.columns = words.list("--columns"),
                                .keys = keys_of(words, *table.schema()),
                                .where = where_of(words),
                                .limit = words.count("--limit").value_or(kRowsDefault),
                                .reverse = last});
  put_rows(last ? db::reversed(data) : data, words, sinks);
  return kDone;
}

int run_head(const Words& words, const Sinks& sinks) { return run_ends(words, sinks, false); }
int run_tail(const Words& words, const Sinks& sinks) { return run_ends(words, sinks, true); }

Verb ends_verb(std::string_view name, std::string_view summary) {
  return {.name = name,
          .summary = summary,
          .operands = {{"DB", "a database directory"}, {"DATASET", "which table, or collection"}},
          .options = joined({{{"--limit", "N", "how many rows; 10 by default", 'n'},
                              {"--key", "C=V", "rows whose key C is V", '\0', true},
                              {"--where", "EXPR", "rows of which this is true"},
                              {"--columns", "A,B", "these columns, in this order"}},
                             at_options(),
                             format_options()}),
          .examples = {},
          .details = {},
          .run = run_head};
}

}  // namespace

Verb head_verb() {
  Verb out = ends_verb("head", "The first rows of a table by time");
  out.examples = {{"head market.oto quotes -n 3", "the first three rows"}};
  return out;
}

Verb tail_verb() {
  Verb out = ends_verb("tail", "The last rows of a table by time, in order");
  out.run = run_tail;
  out.examples = {{"tail market.oto quotes --key symbol=AAPL", "the last ten of one key"}};
  return out;
}

}  // namespace otolith::cli
