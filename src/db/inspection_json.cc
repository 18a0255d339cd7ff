// An Inspection as one JSON object, in the words of otolith/inspect.h.
#include "db/json_writer.h"
#include "otolith/inspect.h"

namespace otolith {

namespace {

using db::JsonWriter;

std::string_view zero_copy_name(ZeroCopy zero_copy) noexcept {
  switch (zero_copy) {
    case ZeroCopy::numpy:
      return "numpy";
    case ZeroCopy::arrow:
      return "arrow";
    case ZeroCopy::none:
      break;
  }
  return "none";
}

void put_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).array_begin();
  for (const std::string& text : texts) out.value(text);
  out.array_end();
}

void put_column(JsonWriter& out, const ColumnLayout& column) {
  out.object_begin().key("name");
  column.name.empty() ? out.null() : out.value(column.name);
  out.field("id", column.id)
      .field("type", type_name(column.type))
      .field("nulls", column.nulls)
      .field("validity_bytes", column.validity_bytes)
      .field("shared_bytes", column.shared_bytes)
      .field("values_bytes", column.values_bytes)
      .field("index_bytes", column.index_bytes)
      .field("plain_bytes", column.plain_bytes)
      .field("bits_per_value", column.bits_per_value)
      .field("zero_copy", zero_copy_name(column.zero_copy));
  out.key("codecs").array_begin();
  for (const CodecUse& use : column.codecs) {
    out.object_begin()
        .field("codec", use.codec)
        .field("chunks", use.chunks)
        .field("rows", use.rows)
        .field("bytes", use.bytes)
        .object_end();
  }
  out.array_end().object_end();
}

void put_segment(JsonWriter& out, const SegmentLayout& segment) {
  out.object_begin().field("file", segment.file).key("dataset");
  segment.dataset.empty() ? out.null() : out.value(segment.dataset);
  out.field("id", segment.id).field("marks", segment.marks).field("bytes", segment.bytes);
  if (!segment.marks) {
    out.field("format", segment.format)
        .field("data_bytes", segment.data_bytes)
        .field("index_bytes", segment.index_bytes)
        .field("frame_bytes", segment.frame_bytes)
        .field("rows", segment.rows)
        .field("row_groups", segment.row_groups)
        .field("partitions", segment.partitions)
        .field("runs", segment.runs)
        .field("page_rows", segment.page_rows)
        .field("unique", segment.unique)
        .field("many_commits", segment.many_commits)
        .field("time_min", timestamp_format(segment.time_min))
        .field("time_max", timestamp_format(segment.time_max))
        .field("verified", segment.verified);
    out.key("columns").array_begin();
    for (const ColumnLayout& column : segment.columns) put_column(out, column);
    out.array_end();
  }
  out.object_end();
}

void put_problem(JsonWriter& out, const Problem& problem) {
  out.object_begin().field("code", error_code_name(problem.code)).field("what", problem.what);
  out.key("file");
  problem.where.file.empty() ? out.null() : out.value(problem.where.file);
  out.key("offset");
  problem.where.offset ? out.value(*problem.where.offset) : out.null();
  out.key("commits").array_begin();
  for (const std::uint64_t commit : problem.where.commits) out.value(commit);
  out.array_end().object_end();
}

void put_status(JsonWriter& out, const Status& status) {
  out.object_begin()
      .field("database_id", status.database_id)
      .field("format", status.format)
      .field("head", static_cast<std::uint64_t>(status.head))
      .field("log_files", status.log_files)
      .field("log_bytes", status.log_bytes)
      .field("segment_bytes", status.segment_bytes)
      .field("tail_commits", status.tail_commits);
  out.key("datasets").object_begin();
  for (const auto& [name, dataset] : status.datasets) {
    out.key(name)
        .object_begin()
        .field("rows", dataset.rows)
        .field("segments", dataset.segments)
        .field("segment_bytes", dataset.segment_bytes)
        .field("tail_rows", dataset.tail_rows)
        .object_end();
  }
  out.object_end();
  put_texts(out, "torn_tails", status.torn_tails);
  put_texts(out, "lost", status.lost);
  put_texts(out, "damage", status.damage);
  put_texts(out, "foreign", status.foreign);
  out.object_end();
}

}  // namespace

std::string Inspection::json() const {
  JsonWriter out;
  out.object_begin()
      .field("path", path)
      .field("kind", is_database ? "database" : "segment")
      .field("verified", verified)
      .key("status");
  if (status)
    put_status(out, *status);
  else
    out.null();
  out.key("segments").array_begin();
  for (const SegmentLayout& segment : segments) put_segment(out, segment);
  out.array_end().key("problems").array_begin();
  for (const Problem& problem : problems) put_problem(out, problem);
  out.array_end().object_end();
  return out.text();
}

}  // namespace otolith
