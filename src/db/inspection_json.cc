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
        .key("side");
    segment.side.empty() ? out.null() : out.value(segment.side);
    out.key("base");
    segment.side.empty() ? out.null() : out.value(segment.base);
    out.field("time_min", timestamp_format(segment.time_min))
        .field("time_max", timestamp_format(segment.time_max))
        .field("verified", segment.verified);
    out.key("columns").array_begin();
    for (const ColumnLayout& column : segment.columns) put_column(out, column);
    out.array_end();
  }
  out.object_end();
}

void put_details(JsonWriter& out, std::monostate) { out.null(); }

void put_details(JsonWriter& out, const DirectoryLayout& directory) {
  out.object_begin()
      .field("database_id", directory.database_id)
      .field("format", directory.format)
      .object_end();
}

void put_details(JsonWriter& out, const LogLayout& log) {
  out.object_begin()
      .field("database_id", log.database_id)
      .field("number", log.number)
      .field("epoch", log.epoch)
      .field("stripped", log.stripped)
      .field("record_first", log.record_first)
      .field("record_last", log.record_last)
      .field("record_durable", log.record_durable)
      .field("header_bytes", log.header_bytes)
      .field("frames_read", log.frames_read);
  if (log.frames_read) {
    out.field("commit_first", log.commit_first)
        .field("commit_last", log.commit_last)
        .field("relaxed", log.relaxed)
        .field("frame_bytes", log.frame_bytes)
        .key("torn_at");
    log.torn_at ? out.value(*log.torn_at) : out.null();
    out.field("torn_bytes", log.torn_bytes).field("unused_bytes", log.unused_bytes);
    out.key("frames").array_begin();
    for (const FrameUse& use : log.frames) {
      out.object_begin()
          .field("kind", use.kind)
          .field("frames", use.frames)
          .field("bytes", use.bytes)
          .object_end();
    }
    out.array_end();
  }
  out.object_end();
}

void put_details(JsonWriter& out, const TornLayout& torn) {
  out.object_begin().field("log_file", torn.log_file).field("offset", torn.offset).object_end();
}

void put_details(JsonWriter& out, const CheckpointLayout& checkpoint) {
  out.object_begin()
      .field("database_id", checkpoint.database_id)
      .field("record", checkpoint.record)
      .field("commit", checkpoint.commit)
      .field("commit_hash", checkpoint.commit_hash)
      .field("commit_time", timestamp_format(checkpoint.commit_time))
      .field("replay_from", checkpoint.replay_from)
      .field("datasets", checkpoint.datasets)
      .field("segments", checkpoint.segments)
      .field("tags", checkpoint.tags)
      .field("lost", checkpoint.lost)
      .object_end();
}

void put_details(JsonWriter& out, const IndexLayout& index) {
  out.object_begin()
      .field("database_id", index.database_id)
      .field("commit_first", index.commit_first)
      .field("commit_last", index.commit_last)
      .field("record_first", index.record_first)
      .field("record_last", index.record_last)
      .field("time_first", timestamp_format(index.time_first))
      .field("time_last", timestamp_format(index.time_last))
      .field("text_bytes", index.text_bytes)
      .object_end();
}

void put_details(JsonWriter& out, const LockLayout& lock) {
  out.object_begin()
      .field("state", lock.state)
      .field("holder_pid", lock.holder_pid)
      .field("record_durable", lock.record_durable)
      .field("record_visible", lock.record_visible)
      .field("writing", lock.writing)
      .object_end();
}

void put_file(JsonWriter& out, const FileLayout& file) {
  out.object_begin()
      .field("file", file.file)
      .field("kind", file_kind_name(file.kind))
      .field("bytes", file.bytes)
      .field("verified", file.verified)
      .key("details");
  std::visit([&](const auto& details) { put_details(out, details); }, file.details);
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
      .field("tail_commits", status.tail_commits)
      .field("unnamed_files", status.unnamed_files)
      .field("unnamed_bytes", status.unnamed_bytes);
  out.key("datasets").object_begin();
  for (const auto& [name, dataset] : status.datasets) {
    out.key(name)
        .object_begin()
        .field("rows", dataset.rows)
        .field("segments", dataset.segments)
        .field("past_segments", dataset.past_segments)
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
      .field("kind", kind())
      .field("verified", verified)
      .key("status");
  if (status)
    put_status(out, *status);
  else
    out.null();
  out.key("files").array_begin();
  for (const FileLayout& file : files) put_file(out, file);
  out.array_end().key("segments").array_begin();
  for (const SegmentLayout& segment : segments) put_segment(out, segment);
  out.array_end().key("problems").array_begin();
  for (const Problem& problem : problems) put_problem(out, problem);
  out.array_end().object_end();
  return out.text();
}

}  // namespace otolith
