#include "db/segment_layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "codec/registry.h"
#include "model/array.h"

namespace otolith::db {

namespace {

using segment::ChunkEntry;

// In parentheses what the dataset knows nothing of: row ids, and shredded paths of documents.
std::string name_of(ColumnId id, const Schema* schema, const segment::Footer& shape) {
  if (id == segment::kBeginColumn) return "(begin)";
  if (id == segment::kOrdinalColumn) return "(ordinal)";
  const auto path = std::ranges::find(shape.shredded, id, &segment::ShreddedPath::column);
  if (path != shape.shredded.end()) return fmt::format("({})", path->path);
  if (schema == nullptr) return {};
  const auto found = std::ranges::find(schema->columns, value_of(id), &Column::id);
  return found == schema->columns.end() ? std::string() : found->name;
}

void take_chunk(ColumnLayout& column, const codec::Codec& codec, const ChunkEntry& chunk,
                std::uint64_t rows) {
  const std::string name = fmt::format("{} v{}", codec.name(), chunk.codec.version);
  auto use = std::ranges::find(column.codecs, name, &CodecUse::codec);
  if (use == column.codecs.end()) use = column.codecs.insert(use, CodecUse{name});
  ++use->chunks;
  use->rows += rows;
  use->bytes += chunk.validity.bytes + chunk.offsets.bytes + chunk.values.bytes;
  column.validity_bytes += chunk.validity.bytes;
  column.shared_bytes += chunk.offsets.bytes;
  column.values_bytes += chunk.values.bytes;
}

void take_chunks(ColumnLayout& column, const segment::SegmentReader& reader, std::size_t index) {
  const segment::Footer& shape = reader.shape();
  bool plain = true;
  for (std::size_t group = 0; group < shape.row_groups.size(); ++group) {
    const ChunkEntry& chunk = reader.index(index).chunks[group];
    const codec::Codec& codec = codec::codec_for(chunk.codec, reader.name(), chunk.values.offset);
    plain = plain && codec.mappable();
    take_chunk(column, codec, chunk, shape.row_groups[group].rows);
  }
  const std::uint64_t bytes = column.validity_bytes + column.shared_bytes + column.values_bytes;
  column.bits_per_value = static_cast<double>(bytes) * 8 / static_cast<double>(shape.rows);
  const TypeKind kind = column.type.kind;
  const bool one_array =
      column.nulls == 0 && !model::is_text(column.type) && kind != TypeKind::decimal;
  // Arrow packs booleans to bits, so that they are copied for it.
  const ZeroCopy else_arrow = kind == TypeKind::boolean ? ZeroCopy::none : ZeroCopy::arrow;
  column.zero_copy = !plain ? ZeroCopy::none : one_array ? ZeroCopy::numpy : else_arrow;
}

std::uint64_t partitions_of(const segment::Footer& shape) {
  std::set<std::int64_t> buckets;
  for (const segment::RowGroup& group : shape.row_groups) buckets.insert(group.partition);
  return buckets.size();
}

}  // namespace

SegmentLayout segment_layout(const segment::SegmentReader& reader, const Schema* schema,
                             std::vector<Problem>& problems) {
  const segment::Footer& shape = reader.shape();
  SegmentLayout out;
  out.file = reader.name();
  out.id = reader.header().segment.text();
  out.format = segment::kFormatVersion;
  out.bytes = reader.bytes();
  out.rows = shape.rows;
  out.row_groups = shape.row_groups.size();
  out.partitions = partitions_of(shape);
  out.runs = shape.runs;
  out.page_rows = shape.page_rows;
  out.unique = shape.unique;
  out.many_commits = shape.many;
  out.time_min = {shape.time_min};
  out.time_max = {shape.time_max};
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const segment::ColumnEntry& entry = shape.columns[i];
    ColumnLayout column;
    column.name = name_of(entry.id, schema, shape);
    column.id = value_of(entry.id);
    column.type = entry.type;
    column.nulls = entry.null_count;
    column.index_bytes = entry.index_bytes;
    column.plain_bytes = shape.rows * type_width(entry.type);
    try {
      take_chunks(column, reader, i);
    } catch (const Error& error) {
      problems.push_back(Problem::of(error));
    }
    out.index_bytes += entry.index_bytes;
    out.columns.push_back(std::move(column));
  }
  std::uint64_t indexes_at = out.bytes;
  for (const segment::ColumnEntry& entry : shape.columns) {
    indexes_at = std::min(indexes_at, entry.index_offset);
  }
  out.data_bytes = indexes_at - segment::kHeaderBytes;
  out.frame_bytes = out.bytes - out.data_bytes - out.index_bytes;
  return out;
}

}  // namespace otolith::db
