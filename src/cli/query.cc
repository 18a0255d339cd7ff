// `otolith query DB DATASET`
#include <fmt/format.h>

#include "cli/documents.h"
#include "cli/reading.h"
#include "cli/verbs.h"

namespace otolith::cli {

namespace {

int run_query(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  if (is_collection(database, words)) {
    refuse_for_documents(words, {"--key", "--columns"});
    write_found(collection_of(database, "DATASET", words), find_of(words), format_of(words),
                sinks.out, sinks);
    return kDone;
  }
  if (words.value("--order")) {
    throw WrongUsage(fmt::format("--order is of documents; rows of {}, a table, come by time",
                                 words.operand("DATASET")));
  }
  const Table table = table_of(database, words);
  const ReadRequest request = request_of(words, *table.schema());
  std::unique_ptr<files::RowWriter> writer;
  read_in_pieces(table, request, [&](const Data& data) {
    if (sinks.tick) sinks.tick();
    if (!writer)
      writer = files::row_writer(format_of(words), data.schema_shared(), sinks.out,
                                 look_of(words, sinks));
    for (const Batch& batch : data.batches()) writer->rows(batch);
  });
  writer->end();
  return kDone;
}

}  // namespace

Verb query_verb() {
  return {
      .name = "query",
      .summary = "Rows or documents by time, keys and conditions",
      .operands = {{"DB", "a database directory"}, {"DATASET", "which table, or collection"}},
      .options = joined({range_options(),
                         {{"--limit", "N", "at most so many rows", 'n'},
                          {"--reverse", "", "the last rows first"},
                          order_option()},
                         at_options(),
                         format_options()}),
      .examples = {{"query market.oto quotes --from 2026-01-05 --to 2026-01-06 --key symbol=AAPL",
                    "a day of one key"},
                   {"query market.oto quotes --columns time,bid --at HEAD~1 --csv > then.csv",
                    "as it was one commit ago"},
                   {"query market.oto notes --order time --reverse --limit 5",
                    "the five latest documents"}},
      .details = {},
      .run = run_query};
}

}  // namespace otolith::cli
