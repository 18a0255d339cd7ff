#include "cli/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "cli/reading.h"
#include "document/json_documents.h"
#include "document/json_reader.h"
#include "document/split.h"
#include "files/text_source.h"
#include "segment/tasks.h"

namespace otolith::cli {

namespace {

constexpr std::size_t kReadBytes = 8 * files::kWindowBytes;  // worth threads

Document document_of(document::JsonReader& reader, const document::JsonText& text,
                     const std::string& name) {
  const Bytes whole = reader.read(text.text, {.name = name, .line = text.line});
  document::Parts parts = document::split_id(whole);
  return Document::of(std::move(parts.id).value_or(""), std::string(as_text(parts.body)));
}

// On all cores; of several that are refused the first one tells.
void read_texts(const std::vector<document::JsonText>& texts, const std::string& name,
                std::vector<Document>& out) {
  constexpr std::size_t kStep = 1024;
  const std::size_t before = out.size();
  out.resize(before + texts.size());
  const std::size_t steps = (texts.size() + kStep - 1) / kStep;
  std::vector<std::optional<Error>> refused(steps);
  const unsigned threads = steps < 4 ? 1 : std::max(1u, std::thread::hardware_concurrency());
  segment::run_tasks(threads, steps, [&](unsigned, std::size_t step) {
    try {
      document::JsonReader reader;
      for (std::size_t i = step * kStep; i < std::min(texts.size(), (step + 1) * kStep); ++i)
        out[before + i] = document_of(reader, texts[i], name);
    } catch (const Error& error) {
      refused[step] = error;
    }
  });
  for (const auto& error : refused) {
    if (error) throw Error(*error);
  }
}

Snapshot snapshot_of(const Database& database, const Words& words) {
  return database.at(words.value("--at").value_or("HEAD"));
}

}  // namespace

bool is_collection(const Database& database, const Words& words) {
  return snapshot_of(database, words).kind(words.operand("DATASET")) == DatasetKind::collection;
}

Collection collection_of(const Database& database, std::string_view operand, const Words& words) {
  return snapshot_of(database, words).collection(words.operand(operand));
}

DocumentWriter::DocumentWriter(files::RowFormat format, files::TextSink sink, unsigned indent)
    : array_(format == files::RowFormat::json),
      indent_(format == files::RowFormat::table ? indent : 0),
      sink_(std::move(sink)) {
  if (format == files::RowFormat::csv)
    throw WrongUsage("documents have no columns: --ndjson or --json instead of CSV");
}

void DocumentWriter::put(const Document& document) {
  std::string text = document.json(indent_);
  if (array_) text.insert(0, documents_ == 0 ? "[\n" : ",\n");
  if (!array_) text += "\n";
  sink_(text);
  ++documents_;
}

void DocumentWriter::end() {
  if (array_) sink_(documents_ == 0 ? "[]\n" : "\n]\n");
}

Option order_option() {
  return {"--order", "id|time", "of documents: by their ids, or by their times"};
}

namespace {

DocumentOrder order_of(const Words& words) {
  return words.value("--order") == "time" ? DocumentOrder::time : DocumentOrder::id;
}

}  // namespace

FindRequest find_of(const Words& words) {
  return {.start = words.time("--from"),
          .stop = words.time("--to"),
          .where = where_of(words),
          .limit = words.count("--limit"),
          .reverse = words.flag("--reverse"),
          .order = order_of(words)};
}

std::uint64_t write_found(const Collection& collection, const FindRequest& request,
                          files::RowFormat format, const files::TextSink& sink,
                          const Sinks& sinks) {
  DocumentWriter writer(format, sink, sinks.indent);
  DocumentStream stream = collection.find(request);
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    if (sinks.tick) sinks.tick();
    for (const DocumentEntry& entry : some) writer.put(entry.document);
  }
  writer.end();
  return writer.documents();
}

void refuse_for_documents(const Words& words, std::initializer_list<std::string_view> options) {
  for (const std::string_view option : options) {
    if (!words.value(option) && !words.flag(option)) continue;
    throw WrongUsage(
        fmt::format("{} is of tables; {} is a collection, whose documents --where asks", option,
                    words.operand("DATASET")));
  }
}

std::vector<Document> documents_of(const std::string& path, const Sinks& sinks) {
  files::TextSource source =
      path == "-" ? files::TextSource("standard input", sinks.in) : files::TextSource(path);
  document::JsonDocuments documents(source.name());
  std::vector<Document> out;
  for (;;) {
    source.fill(source.window().size() + kReadBytes);
    if (sinks.tick) sinks.tick();
    std::size_t at = 0;
    std::vector<document::JsonText> texts;
    while (const auto next = documents.next_text(source.window(), at, source.at_end()))
      texts.push_back(*next);
    read_texts(texts, source.name(), out);
    const bool last = source.at_end();
    source.consume(at);
    if (last) return out;
  }
}

}  // namespace otolith::cli
