// `otolith export DB DATASET FILE`
#include <fmt/format.h>

#include "base/error.h"
#include "cli/documents.h"
#include "cli/file_kind.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "cli/wheel.h"
#include "db/inspection_words.h"
#include "files/new_file.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

files::RowFormat row_format(FileKind kind) {
  switch (kind) {
    case FileKind::ndjson:
      return files::RowFormat::ndjson;
    case FileKind::json:
      return files::RowFormat::json;
    default:
      return files::RowFormat::csv;
  }
}

// Rows go to a sink; how many there were.
std::uint64_t put_all(const Database& database, const Words& words, files::RowFormat format,
                      const files::TextSink& sink, ProgressLine& progress) {
  if (is_collection(database, words)) {
    refuse_for_documents(words, {"--key", "--columns", "--nan"});
    return write_found(collection_of(database, "DATASET", words), find_of(words), format, sink, {});
  }
  const Table table = table_of(database, words);
  const std::uint64_t all = table.rows();
  std::uint64_t rows = 0;
  files::RowLook look = look_of(words, {});
  if (words.operand("FILE").ends_with(".tsv")) look.separator = '\t';
  std::unique_ptr<files::RowWriter> writer;
  read_in_pieces(table, request_of(words, *table.schema()), [&](const Data& data) {
    if (!writer) writer = files::row_writer(format, data.schema_shared(), sink, look);
    for (const Batch& batch : data.batches()) {
      writer->rows(batch);
      rows += batch.rows;
      progress.update(rows, all);
    }
  });
  writer->end();
  return rows;
}

int run_export(const Words& words, const Sinks& sinks) {
  const std::string path = words.operand("FILE");
  const FileKind kind = file_kind_of(path, words.value("--format"));
  if (needs_wheel(kind)) return through_wheel(words, kind, sinks);
  const Database database = open_to_read(words);
  const bool documents = is_collection(database, words);
  ProgressLine progress(sinks, "export", "rows");
  const files::RowFormat format = row_format(kind);
  if (path == "-") {
    put_all(database, words, format, sinks.out, progress);
    progress.clear();
    return kDone;
  }
  files::NewFile file(path, words.flag("--force"));
  const std::uint64_t rows =
      put_all(database, words, format, [&](std::string_view text) { file.write(text); }, progress);
  file.finish();
  progress.clear();
  sinks.out(fmt::format("{}: {}, {}\n", files::shown_text(path),
                        db::counted(rows, documents ? "document" : "row"),
                        db::size_text(file.bytes())));
  return kDone;
}

}  // namespace

Verb export_verb() {
  return {.name = "export",
          .summary = "Writes rows or documents into a file",
          .operands = {{"DB", "a database directory"},
                       {"DATASET", "which table, or collection"},
                       {"FILE", "where to; - is standard output. Its ending says the format"}},
          .options = joined({{{"--format", "csv|ndjson|json|parquet|arrow",
                               "instead of what the file's ending says"},
                              {"--force", "", "replace a file that is there"}},
                             range_options(),
                             {{"--limit", "N", "at most so many rows", 'n'},
                              {"--reverse", "", "the last rows first"},
                              {"--nan", "null|text",
                               "what JSON holds for NaN and infinities; else they are refused"}},
                             at_options()}),
          .examples = {{"export market.oto quotes quotes.csv", "all rows, by time"},
                       {"export market.oto quotes - --format ndjson | jq .bid", "into a pipe"}},
          .details =
              "The file appears when it is whole. Parquet and Arrow are written by the "
              "script of the\nPython package, with pyarrow.",
          .run = run_export};
}

}  // namespace otolith::cli
