// An Inspection for people: a paragraph per segment, a line per column.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/ids.h"
#include "db/inspection_words.h"

namespace otolith {

namespace {

using db::counted;
using db::harmless;
using db::size_text;

// "alp v1", or "alp v1 x 12, raw v1 x 3".
std::string codecs_text(const ColumnLayout& column) {
  if (column.codecs.empty()) return "unreadable";
  if (column.codecs.size() == 1) return column.codecs.front().codec;
  std::string out;
  for (const CodecUse& use : column.codecs) {
    out += fmt::format("{}{} x {}", out.empty() ? "" : ", ", use.codec, use.chunks);
  }
  return out;
}

std::string column_text(const ColumnLayout& column) {
  const std::uint64_t bytes = column.validity_bytes + column.shared_bytes + column.values_bytes;
  std::string out =
      fmt::format("{:>8.2f} bits a value, {}", column.bits_per_value, size_text(bytes));
  if (column.plain_bytes != 0) {
    out += fmt::format(" of {}", size_text(column.plain_bytes));
  }
  if (column.nulls != 0) out += fmt::format(", {}", counted(column.nulls, "null"));
  if (column.zero_copy == ZeroCopy::numpy) out += ", zero-copy";
  if (column.zero_copy == ZeroCopy::arrow) out += ", zero-copy in Arrow";
  return out;
}

std::string shown_name(const ColumnLayout& column) {
  if (column.name.empty()) return fmt::format("column {}", column.id);
  return harmless(column.name);
}

std::string segment_text(const SegmentLayout& segment) {
  std::string out = harmless(segment.file);
  if (!segment.dataset.empty()) out += fmt::format(" of {}", quoted(segment.dataset));
  if (segment.marks) return fmt::format("{}: marks, {}\n", out, size_text(segment.bytes));
  out += fmt::format(": {}, {}", counted(segment.rows, "row"), size_text(segment.bytes));
  if (segment.verified) out += ", verified";
  out +=
      fmt::format("\n  {} to {}; {}, {}, {}, pages of {}{}{}\n", timestamp_format(segment.time_min),
                  timestamp_format(segment.time_max), counted(segment.partitions, "partition"),
                  counted(segment.runs, "run"), counted(segment.row_groups, "row group"),
                  segment.page_rows, segment.unique ? "; keys and times differ" : "",
                  segment.many_commits ? "; of many commits" : "");
  if (!segment.side.empty())
    out += fmt::format("  {} as of commit {}\n", segment.side, segment.base);
  out += fmt::format("  data {}, column indexes {}, frame {}\n", size_text(segment.data_bytes),
                     size_text(segment.index_bytes), size_text(segment.frame_bytes));
  std::size_t name = 0;
  std::size_t type = 0;
  std::size_t codecs = 0;
  for (const ColumnLayout& column : segment.columns) {
    name = std::max(name, shown_name(column).size());
    type = std::max(type, type_name(column.type).size());
    codecs = std::max(codecs, codecs_text(column).size());
  }
  for (const ColumnLayout& column : segment.columns) {
    out +=
        fmt::format("  {:<{}}  {:<{}}  {:<{}}  {}\n", shown_name(column), name,
                    type_name(column.type), type, codecs_text(column), codecs, column_text(column));
  }
  return out;
}

std::string status_text(const Status& status) {
  std::string out = fmt::format(
      "  format {}, HEAD {}; log {} in {}, {} in the tail; segments {}\n", status.format,
      value_of(status.head), size_text(status.log_bytes), counted(status.log_files, "file"),
      counted(status.tail_commits, "commit"), size_text(status.segment_bytes));
  if (status.unnamed_files != 0) {
    out +=
        fmt::format("  {} of {} that no commit names\n",
                    counted(status.unnamed_files, "segment file"), size_text(status.unnamed_bytes));
  }
  for (const auto& [name, dataset] : status.datasets) {
    const std::string past =
        dataset.past_segments == 0 ? "" : fmt::format(" ({} past)", dataset.past_segments);
    out += fmt::format("  {}: {}, {}{} of {}, {} in the tail\n", quoted(name),
                       counted(dataset.rows, "row"), counted(dataset.segments, "segment"), past,
                       size_text(dataset.segment_bytes), counted(dataset.tail_rows, "row"));
  }
  return out;
}

std::string problem_text(const Problem& problem) {
  const char* const kind = problem.damage() ? "damage" : "not read";
  std::string out = fmt::format("{}: {}", kind, harmless(problem.what));
  if (!problem.where.file.empty()) out += fmt::format(" (at {}", harmless(problem.where.file));
  if (!problem.where.file.empty() && problem.where.offset) {
    out += fmt::format(", byte {}", *problem.where.offset);
  }
  return out + (problem.where.file.empty() ? "\n" : ")\n");
}

}  // namespace

std::string Inspection::text() const {
  std::string out = fmt::format("{}: {}\n", harmless(path), kind());
  if (status) out += status_text(*status);
  for (const FileLayout& file : files) out += db::file_text(file);
  for (const SegmentLayout& segment : segments) out += segment_text(segment);
  for (const Problem& problem : problems) out += problem_text(problem);
  const bool all = verified || (segments.empty() && !files.empty() &&
                                std::ranges::all_of(files, &FileLayout::verified));
  out +=
      fmt::format("{}\n", !all ? "checksums: of headers, footers and indexes only; verify for all"
                          : problems.empty() ? "checksums: all verified"
                                             : "checksums: verified, but for what is told above");
  return out;
}

}  // namespace otolith
