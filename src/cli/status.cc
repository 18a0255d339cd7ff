// `otolith status DB [DATASET]`
#include <fmt/format.h>

#include <algorithm>

#include "base/ids.h"
#include "cli/listing.h"
#include "cli/reading.h"
#include "cli/verbs.h"
#include "db/inspection_words.h"
#include "db/json_writer.h"
#include "files/table_writer.h"

namespace otolith::cli {

namespace {

void put_list(db::JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).array_begin();
  for (const std::string& text : texts) out.value(text);
  out.array_end();
}

std::string status_json(const Status& status) {
  db::JsonWriter out;
  out.object_begin()
      .field("path", status.path)
      .field("database_id", status.database_id)
      .field("format", status.format)
      .field("head", static_cast<std::uint64_t>(status.head));
  out.key("datasets").object_begin();
  for (const auto& [name, dataset] : status.datasets) {
    out.key(name).object_begin();
    out.field("rows", dataset.rows)
        .field("segments", dataset.segments)
        .field("past_segments", dataset.past_segments)
        .field("segment_bytes", dataset.segment_bytes)
        .field("tail_rows", dataset.tail_rows)
        .object_end();
  }
  out.object_end();
  out.field("log_files", status.log_files)
      .field("log_bytes", status.log_bytes)
      .field("segment_bytes", status.segment_bytes)
      .field("tail_commits", status.tail_commits)
      .field("unnamed_files", status.unnamed_files)
      .field("unnamed_bytes", status.unnamed_bytes);
  put_list(out, "torn_tails", status.torn_tails);
  put_list(out, "lost", status.lost);
  put_list(out, "damage", status.damage);
  put_list(out, "foreign", status.foreign);
  return out.object_end().text() + "\n";
}

void put_all(const Status& status, const Words& words, const Sinks& sinks) {
  sinks.out(fmt::format(
      "{}: format {}, HEAD {}; log {} in {}, {} in the tail; segments {}\n",
      files::shown_text(status.path), status.format, static_cast<std::uint64_t>(status.head),
      db::size_text(status.log_bytes), db::counted(status.log_files, "file"),
      db::counted(status.tail_commits, "commit"), db::size_text(status.segment_bytes)));
  for (const auto& [what, texts] : {std::pair{"damage", &status.damage},
                                    {"lost", &status.lost},
                                    {"torn by a crash", &status.torn_tails},
                                    {"not ours", &status.foreign}}) {
    for (const std::string& text : *texts) {
      sinks.out(fmt::format("{}: {}\n", what, files::shown_text(text)));
    }
  }
  if (status.unnamed_files != 0) {
    sinks.out(fmt::format(
        "{} of {} that no commit names: of open recorders, or left by killed "
        "ones\n",
        db::counted(status.unnamed_files, "segment file"), db::size_text(status.unnamed_bytes)));
  }
  if (status.datasets.empty()) return;
  Listing out({{"dataset", TypeKind::string},
               {"rows", TypeKind::uint64},
               {"segments", TypeKind::uint64},
               {"past", TypeKind::uint64},
               {"bytes", TypeKind::uint64},
               {"rows in the tail", TypeKind::uint64}});
  for (const auto& [name, dataset] : status.datasets) {
    out.add(name, dataset.rows, dataset.segments, dataset.past_segments, dataset.segment_bytes,
            dataset.tail_rows);
  }
  out.write(files::RowFormat::table, look_of(words, sinks), sinks.out);
}

std::string role_of(const Schema& schema, const Column& column) {
  if (column.name == schema.time) return "time";
  const auto at = std::ranges::find(schema.keys, column.name);
  return at == schema.keys.end() ? "" : fmt::format("key {}", at - schema.keys.begin() + 1);
}

void put_columns(const Table& table, const Words& words, const Sinks& sinks) {
  Listing out({{"column", TypeKind::string},
               {"type", TypeKind::string},
               {"role", TypeKind::string},
               {"nulls", TypeKind::string},
               {"codec", TypeKind::string}});
  const auto schema = table.schema();
  for (const Column& column : schema->columns) {
    out.add(column.name, type_name(column.type), role_of(*schema, column),
            std::string_view(column.nullable ? "allowed" : "never"),
            column.codec.empty() ? schema->codec : column.codec);
  }
  const files::RowFormat format = format_of(words);
  if (format == files::RowFormat::table) {
    const auto range = table.time_range();
    sinks.out(fmt::format("{}: {}{}\n", files::shown_text(table.name()),
                          db::counted(table.rows(), "row"),
                          range ? fmt::format(", {} to {}", timestamp_format(range->first),
                                              timestamp_format(range->second))
                                : std::string()));
  }
  out.write(format, look_of(words, sinks), sinks.out);
}

int run_status(const Words& words, const Sinks& sinks) {
  const Database database = open_to_read(words);
  if (words.flag("--names")) {
    for (const std::string& name : database.datasets()) sinks.out(name + "\n");
    return kDone;
  }
  if (words.has_operand("DATASET")) {
    put_columns(database.table(words.operand("DATASET")), words, sinks);
    return kDone;
  }
  const Status status = database.status();
  if (words.flag("--json"))
    sinks.out(status_json(status));
  else
    put_all(status, words, sinks);
  return status.damage.empty() ? kDone : kBad;
}

}  // namespace

Verb status_verb() {
  return {.name = "status",
          .summary = "Tables, rows, bytes, and what a crash left; of a table, its columns",
          .operands = {{"DB", "a database directory"}, {"DATASET", "a table of it", false}},
          .options = joined({{{"--names", "", "only the names of its tables, a line each"}},
                             {{"--json", "", "one JSON object; of a table, an array of columns"}}}),
          .examples = {{"status market.oto", "what is in it"},
                       {"status market.oto quotes", "columns, types, keys"}},
          .details = {},
          .run = run_status};
}

}  // namespace otolith::cli
