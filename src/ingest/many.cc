#include "ingest/many.h"

#include <map>

#include "base/error.h"
#include "model/cast.h"
#include "segment/path.h"

namespace otolith::ingest {

namespace {

// The type that holds all values of both; ids never change their meaning, so one widens to the
// other.
Type wider(Type a, Type b) {
  if (model::cast_always_exact(a, b)) return b;
  if (model::cast_always_exact(b, a)) return a;
  throw_error(ErrorCode::corrupt, "rows of one column are stored as {} and as {}", type_name(a),
              type_name(b));
}

Array counting(std::uint64_t rows, std::uint64_t first, std::uint64_t step) {
  Array out{.type = {TypeKind::uint64}, .length = rows};
  std::byte* data = nullptr;
  out.values = buffer_allocate(rows * 8, &data);
  for (std::uint64_t i = 0; i < rows; ++i) store_le(data + i * 8, first + i * step);
  return out;
}

}  // namespace

std::shared_ptr<const Schema> schema_of_all(const Schema& newest,
                                            std::span<const StoredType> stored) {
  Schema schema = newest;
  std::map<ColumnId, std::size_t> at;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) at[ColumnId{schema.columns[i].id}] = i;
  for (const auto& [id, type] : stored) {
    const auto [place, added] = at.try_emplace(id, schema.columns.size());
    if (added) {
      schema.columns.push_back({.name = fmt::format("dropped column {}", value_of(id)),
                                .type = type,
                                .id = value_of(id)});
    }
    Column& column = schema.columns[place->second];
    column.type = wider(column.type, type);
  }
  return std::make_shared<const Schema>(std::move(schema));
}

void add_row_ids(Batch& batch, CommitNumber begin, std::uint64_t first_ordinal) {
  batch.columns.push_back(counting(batch.rows, value_of(begin), 0));
  batch.columns.push_back(counting(batch.rows, first_ordinal, 1));
}

void add_row_ids(Batch& batch, CommitNumber begin, const RowSet& ordinals) {
  if (ordinals.is_range()) return add_row_ids(batch, begin, ordinals.first_row());
  batch.columns.push_back(counting(batch.rows, value_of(begin), 0));
  Array out{.type = {TypeKind::uint64}, .length = batch.rows};
  std::byte* data = nullptr;
  out.values = buffer_allocate(batch.rows * 8, &data);
  for (const RowRange& range : ordinals) {
    for (std::uint64_t i = range.first; i < range.end(); ++i, data += 8) store_le(data, i);
  }
  batch.columns.push_back(std::move(out));
}

std::string name_of(const history::Snapshot& snapshot, DatasetId dataset) {
  const auto entry = snapshot.find(dataset);
  return entry ? entry->name
               : fmt::format("dataset {}.{}, dropped", value_of(dataset.created), dataset.index);
}

segment::SegmentSpec many_spec(const IngestContext& context, const Id128& owner,
                               const Id128& segment, DatasetId dataset, const std::string& name,
                               std::shared_ptr<const Schema> schema) {
  segment::SegmentSpec spec;
  spec.header = {
      .segment = segment, .recorder = owner, .database = context.database, .dataset = dataset};
  spec.file = segment::segment_path(segment);
  spec.dataset = name;
  spec.schema = std::move(schema);
  spec.many = true;
  spec.threads = context.threads;
  return spec;
}

history::SegmentEntry many_entry(const Id128& segment, const segment::SegmentInfo& info,
                                 CommitNumber first, CommitNumber last) {
  return {.ref = {.id = segment,
                  .bytes = info.bytes,
                  .rows = info.rows,
                  .footer_hash = info.footer_hash,
                  .time_min = info.time_min,
                  .time_max = info.time_max},
          .begin_first = first,
          .begin_last = last,
          .many = true};
}

}  // namespace otolith::ingest
