#include "cli/changes.h"

#include <fmt/format.h>

#include <functional>

#include "base/error.h"
#include "cli/document_changes.h"
#include "cli/reading.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

constexpr std::uint64_t kRowsShown = 10;  // of each kind, as text

struct Part {
  std::string_view change;  // in JSON
  std::string_view title;   // as text
  const DiffRows* rows;
};

std::vector<Part> parts_of(const DatasetDiff& diff) {
  return {{"removed", "removed", &diff.removed},
          {"added", "added", &diff.added},
          {"before", "changed, as they were", &diff.changed_before},
          {"after", "changed, as they are", &diff.changed_after}};
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

// "venue added, size dropped, bid is best_bid now, x is int64 now"
std::vector<std::string> schema_words(const SchemaChange& change) {
  std::vector<std::string> out;
  for (const Column& column : change.add)
    out.push_back(fmt::format("column {} added", column.name));
  for (const std::string& name : change.drop) out.push_back(fmt::format("column {} dropped", name));
  for (const auto& [from, to] : change.rename)
    out.push_back(fmt::format("column {} is called {}", from, to));
  for (const auto& [name, type] : change.widen)
    out.push_back(fmt::format("column {} is {}", name, type_name(type)));
  for (const auto& [key, text] : change.metadata)
    out.push_back(text ? fmt::format("{} noted as {}", key, *text)
                       : fmt::format("{} no longer noted", key));
  for (const auto& [name, noted] : change.column_metadata)
    out.push_back(fmt::format("other notes of column {}", name));
  return out;
}

std::string summary(const DatasetDiff& diff) {
  std::vector<std::string> words;
  if (diff.created()) words.emplace_back("created");
  if (diff.dropped()) words.emplace_back("dropped");
  if (diff.renamed()) words.push_back(fmt::format("was called {}", *diff.before));
  const auto count = [&](std::uint64_t rows, std::string_view what) {
    const std::string_view thing = diff.documents ? "document" : "row";
    if (rows != 0) words.push_back(fmt::format("{} {}", db::counted(rows, thing), what));
  };
  count(diff.added.rows, "added");
  count(diff.removed.rows, "removed");
  count(diff.changed_after.rows, "changed");
  for (std::string& word : schema_words(diff.schema)) words.push_back(std::move(word));
  return files::shown_text(fmt::format("{}: {}", diff.name, joined(words))) + "\n";
}

void put_name(db::JsonWriter& out, std::string_view key, const std::optional<std::string>& name) {
  out.key(key);
  name ? out.value(*name) : out.null();
}

void put_schema(db::JsonWriter& out, const SchemaChange& change) {
  out.key("schema").object_begin();
  out.key("add").object_begin();
  for (const Column& column : change.add) out.field(column.name, type_name(column.type));
  out.object_end().key("drop").array_begin();
  for (const std::string& name : change.drop) out.value(name);
  out.array_end().key("rename").object_begin();
  for (const auto& [from, to] : change.rename) out.field(from, to);
  out.object_end().key("widen").object_begin();
  for (const auto& [name, type] : change.widen) out.field(name, type_name(type));
  out.object_end().key("metadata").object_begin();
  for (const auto& [key, text] : change.metadata) put_name(out, key, text);
  out.object_end().object_end();
}

std::string summary_json(const DatasetDiff& diff) {
  db::JsonWriter out;
  out.object_begin().field("dataset", diff.name).field("change", "summary");
  put_name(out, "before", diff.before);
  put_name(out, "after", diff.after);
  out.field("added", diff.added.rows)
      .field("removed", diff.removed.rows)
      .field("changed", diff.changed_after.rows);
  put_schema(out, diff.schema);
  return out.object_end().text();
}

std::string metadata_json(const MetadataChange& metadata) {
  db::JsonWriter out;
  out.object_begin().key("dataset").null().field("change", "metadata").key("metadata");
  out.object_begin();
  for (const auto& [key, text] : metadata) put_name(out, key, text);
  return out.object_end().object_end().text();
}

// Gives each line of what is written to it to another.
class Lines {
 public:
  explicit Lines(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
  void operator()(std::string_view text) {
    held_ += text;
    std::size_t from = 0;
    for (std::size_t end = 0; (end = held_.find('\n', from)) != std::string::npos; from = end + 1)
      take_(std::string_view(held_).substr(from, end - from));
    held_.erase(0, from);
  }

 private:
  std::function<void(std::string_view)> take_;
  std::string held_;
};

void write_rows(const Table& table, const std::optional<std::uint64_t>& limit,
                files::RowFormat format, const files::RowLook& look, const files::TextSink& sink) {
  const auto writer = files::row_writer(format, table.schema(), sink, look);
  read_in_pieces(table, {.limit = limit}, [&](const Data& data) {
    for (const Batch& batch : data.batches()) writer->rows(batch);
  });
  writer->end();
}

void put_text(const Diff& diff, const Words& words, const Sinks& sinks) {
  const std::uint64_t limit = words.count("--limit").value_or(kRowsShown);
  sinks.out(changes_text(diff));
  for (const DatasetDiff& dataset : diff.datasets) {
    if (dataset.documents) {
      put_documents_text(dataset, limit, sinks);
      continue;
    }
    for (const Part& part : parts_of(dataset)) {
      if (part.rows->rows == 0 || limit == 0) continue;
      const bool all = part.rows->rows <= limit;
      sinks.out(
          fmt::format("\n{}, {}{}:\n", files::shown_text(dataset.name), part.title,
                      all ? "" : fmt::format(", the first {} of {}", limit, part.rows->rows)));
      write_rows(part.rows->table, limit, files::RowFormat::table, look_of(words, sinks),
                 sinks.out);
    }
  }
}

// Each object by itself; the caller puts them together.
void put_objects(const Diff& diff, const Words& words, const Sinks& sinks,
                 const std::function<void(std::string_view)>& put) {
  if (!diff.metadata.empty()) put(metadata_json(diff.metadata));
  for (const DatasetDiff& dataset : diff.datasets) {
    put(summary_json(dataset));
    if (dataset.documents) {
      put_documents_json(dataset, words.count("--limit").value_or(UINT64_MAX), put);
      continue;
    }
    std::string name;
    db::put_json_text(name, dataset.name);
    for (const Part& part : parts_of(dataset)) {
      if (part.rows->rows == 0) continue;
      Lines lines([&](std::string_view row) {
        put(fmt::format(R"({{"dataset": {}, "change": "{}", "row": {}}})", name, part.change, row));
      });
      write_rows(part.rows->table, words.count("--limit"), files::RowFormat::ndjson,
                 look_of(words, sinks), std::ref(lines));
    }
  }
}

}  // namespace

std::vector<Option> changes_options() {
  return {{"--limit", "N", "at most so many rows or documents of each kind; 10 by default as text",
           'n'},
          {"--json", "", "one array of objects instead of text"},
          {"--ndjson", "", "an object a line: a summary of each dataset, then its rows"},
          {"--nan", "null|text", "what JSON makes of NaN and infinities; refused by default"}};
}

std::string changes_text(const Diff& diff) {
  std::string out;
  if (!diff.metadata.empty()) {
    const SchemaChange noted{.metadata = diff.metadata};
    out += files::shown_text("the database: " + joined(schema_words(noted))) + "\n";
  }
  for (const DatasetDiff& dataset : diff.datasets) out += summary(dataset);
  return out;
}

std::string changes_json(const Diff& diff) {
  std::string out = diff.metadata.empty() ? "" : metadata_json(diff.metadata);
  for (const DatasetDiff& dataset : diff.datasets)
    out += (out.empty() ? "" : ", ") + summary_json(dataset);
  return out;
}

void put_changes(const Diff& diff, const Words& words, const Sinks& sinks) {
  words.not_both("--json", "--ndjson");
  if (words.flag("--ndjson")) {
    return put_objects(diff, words, sinks,
                       [&](std::string_view object) { sinks.out(fmt::format("{}\n", object)); });
  }
  if (!words.flag("--json")) return put_text(diff, words, sinks);
  bool first = true;
  put_objects(diff, words, sinks, [&](std::string_view object) {
    sinks.out(fmt::format("{}{}", first ? "[\n" : ",\n", object));
    first = false;
  });
  sinks.out(first ? "[]\n" : "\n]\n");
}

}  // namespace otolith::cli
