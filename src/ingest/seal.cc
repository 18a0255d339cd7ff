// Seal: rows of the tail go from the log into segments, with begin and ordinal as columns.
#include <algorithm>
#include <map>
#include <new>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/mutant.h"
#include "ingest/commit.h"
#include "model/array.h"
#include "model/cast.h"
#include "model/wire.h"
#include "segment/path.h"

namespace otolith::ingest {

namespace {

struct TailRows {
  CommitNumber begin{0};
  model::StoredRows rows;
};

// The type that holds all values of both; ids never change their meaning, so one widens to the
// other.
Type wider(Type a, Type b) {
  if (model::cast_always_exact(a, b)) return b;
  if (model::cast_always_exact(b, a)) return a;
  throw_error(ErrorCode::corrupt, "rows of one column are stored as {} and as {}", type_name(a),
              type_name(b));
}

// The dataset's schema with every column that any of the rows has, also those dropped meanwhile:
// rows of older commits are read under older schemas.
std::shared_ptr<const Schema> schema_of_all(const Schema& newest,
                                            const std::vector<TailRows>& tail) {
  Schema schema = newest;
  std::map<ColumnId, std::size_t> at;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) at[ColumnId{schema.columns[i].id}] = i;
  for (const TailRows& entry : tail) {
    for (const model::StoredColumn& stored : entry.rows.columns) {
      const auto [place, added] = at.try_emplace(stored.id, schema.columns.size());
      if (added) {
        schema.columns.push_back({.name = fmt::format("dropped column {}", value_of(stored.id)),
                                  .type = stored.array.type,
                                  .id = value_of(stored.id)});
      }
      Column& column = schema.columns[place->second];
      column.type = wider(column.type, stored.array.type);
    }
  }
  return std::make_shared<const Schema>(std::move(schema));
}

Array counting(std::uint64_t rows, std::uint64_t first, std::uint64_t step) {
  Array out{.type = {TypeKind::uint64}, .length = rows};
  std::byte* data = nullptr;
  out.values = buffer_allocate(rows * 8, &data);
  for (std::uint64_t i = 0; i < rows; ++i) store_le(data + i * 8, first + i * step);
  return out;
}

// Rows of one commit, with the row ids as two more columns.
Batch with_row_ids(const TailRows& entry, const std::shared_ptr<const Schema>& schema) {
  Batch batch = model::conform(entry.rows, schema);
  batch.columns.push_back(counting(batch.rows, value_of(entry.begin), 0));
  batch.columns.push_back(counting(batch.rows, 0, 1));
  return batch;
}

struct Sealed {
  history::SealedDataset dataset;
  SegmentFile file;
};

Sealed seal_dataset(const IngestContext& context, const Id128& recorder, DatasetId dataset,
                    const std::string& name, const std::vector<history::TailEntry>& entries) {
  std::vector<TailRows> tail;
  for (const history::TailEntry& entry : entries) {
    tail.push_back({entry.begin, model::wire_decode(*entry.bytes, entry.bytes)});
  }
  const auto schema = schema_of_all(*context.history->schema_of(dataset), tail);
  std::vector<Batch> parts;
  for (const TailRows& entry : tail) parts.push_back(with_row_ids(entry, schema));
  // Parts come in order of begin and ordinal, and sorting is stable: so they decide among equal
  // rows.
  model::Run run;
  const Batch rows = sort_parts(std::move(parts), run);

  SegmentFile file(*context.vfs, *context.environment);
  segment::SegmentSpec spec;
  spec.header = {
      .segment = file.id(), .recorder = recorder, .database = context.database, .dataset = dataset};
  spec.file = segment::segment_path(file.id());
  spec.dataset = name;
  spec.schema = schema;
  spec.many = true;
  spec.threads = context.threads;
  segment::SegmentWriter writer(file.file(), std::move(spec));
  writer.begin_run(run);
  writer.append(rows);
  writer.end_run();
  const segment::SegmentInfo info = writer.finish();
  history::SegmentEntry entry{.ref = {.id = file.id(),
                                      .bytes = info.bytes,
                                      .rows = info.rows,
                                      .footer_hash = info.footer_hash,
                                      .time_min = info.time_min,
                                      .time_max = info.time_max},
                              .begin_first = tail.front().begin,
                              .begin_last = tail.back().begin,
                              .many = true};
  return {{dataset, entry}, std::move(file)};
}

// Whether an error is of one dataset; the disk is there for all of them.
bool is_of_dataset(const Error& error) {
  if (mutant("seal-all-or-nothing")) return false;
  return error.code() != ErrorCode::io && error.code() != ErrorCode::no_space;
}

std::uint64_t bytes_of(const std::vector<history::TailEntry>& entries) {
  std::uint64_t bytes = 0;
  for (const history::TailEntry& entry : entries) bytes += entry.bytes->size();
  return bytes;
}

// Datasets whose rows stay in the tail.
struct Left {
  std::uint64_t count = 0;
  std::optional<Error> first;

  void add(const std::string& name, ErrorCode code, std::string_view why) {
    if (++count > 1) return;
    first.emplace(code, fmt::format("rows of {} stay in the log, unsealed: {}", quoted(name), why));
  }
  [[noreturn]] void raise() const {
    if (count == 1) throw Error(*first);
    throw_error(first->code(), "{} (and {} more like it)", first->message(), count - 1);
  }
};

std::string name_of(const history::Snapshot& snapshot, DatasetId dataset) {
  const auto entry = snapshot.find(dataset);
  return entry ? entry->name
               : fmt::format("dataset {}.{}, dropped", value_of(dataset.created), dataset.index);
}

}  // namespace

std::uint64_t seal_tail(const IngestContext& context, const SealProgress& progress) {
  history::SealRequest request{.covers = context.history->seal_point(), .datasets = {}};
  const auto tail = context.history->tail_until(request.covers);
  const auto snapshot = context.history->head();
  const FileOwner owner(*context.vfs, *context.environment);
  std::vector<SegmentFile> files;
  // Reserved: a file that found no room here would be removed, and its dataset named all the same.
  if (!mutant("seal-names-lost-file")) {
    request.datasets.reserve(tail.size());
    files.reserve(tail.size());
  }
  Left left;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  for (const auto& [dataset, entries] : tail) total += bytes_of(entries);
  for (const auto& [dataset, entries] : tail) {
    if (entries.empty()) continue;
    if (progress) progress(done, total);
    done += bytes_of(entries);
    const std::string name = name_of(*snapshot, dataset);
    try {
      Sealed sealed = seal_dataset(context, owner.id(), dataset, name, entries);
      request.datasets.push_back(sealed.dataset);
      files.push_back(std::move(sealed.file));
    } catch (const Error& error) {
      if (!is_of_dataset(error)) throw;
      left.add(name, error.code(), error.message());
    } catch (const std::bad_alloc&) {
      if (mutant("seal-poor-all-or-nothing")) throw;
      left.add(name, ErrorCode::limit, "there is no memory for it; free some and try again");
    }
  }
  owner.check();
  std::uint64_t rows = 0;
  for (const auto& sealed : request.datasets) rows += sealed.segment.ref.rows;
  if (rows != 0 && !seal_encoded(context, request, std::move(files))) rows = 0;
  if (left.count != 0) context.history->seal_left();
  if (rows != 0) context.history->checkpoint();
  if (left.count != 0) left.raise();
  if (progress) progress(total, total);
  return rows;
}

}  // namespace otolith::ingest
