// Seal: rows of the tail go from the log into segments, with begin and ordinal as columns.
#include <new>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mutant.h"
#include "ingest/commit.h"
#include "ingest/left.h"
#include "ingest/many.h"
#include "ingest/shredding.h"
#include "model/wire.h"

namespace otolith::ingest {

namespace {

struct TailRows {
  CommitNumber begin{0};
  model::StoredRows rows;
};

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
  std::vector<StoredType> stored;
  for (const TailRows& entry : tail) {
    for (const auto& column : entry.rows.columns) stored.push_back({column.id, column.array.type});
  }
  const auto schema = schema_of_all(*context.history->schema_of(dataset), stored);
  std::vector<Batch> parts;
  for (const TailRows& entry : tail) {
    parts.push_back(model::conform(entry.rows, schema));
    add_row_ids(parts.back(), entry.begin, 0);
  }
  // Parts come in order of begin and ordinal, and sorting is stable: so they decide among equal
  // rows.
  model::Run run;
  const Batch rows = sort_parts(std::move(parts), run);

  Shredding shredding(rows, context.threads);
  SegmentFile file(*context.vfs, *context.environment);
  segment::SegmentSpec spec = many_spec(context, recorder, file.id(), dataset, name, schema);
  spec.shredded = shredding.columns();
  segment::SegmentWriter writer(file.file(), std::move(spec));
  writer.begin_run(run);
  writer.append(shredding.with_columns(rows));
  writer.end_run();
  shredding.tell(writer);
  const segment::SegmentInfo info = writer.finish();
  const auto entry = many_entry(file.id(), info, tail.front().begin, tail.back().begin);
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

std::string unsealed(const std::string& name) {
  return fmt::format("rows of {} stay in the log, unsealed", quoted(name));
}

}  // namespace

std::uint64_t seal_tail(const IngestContext& context, const Progress& progress) {
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
      left.add(unsealed(name), error);
    } catch (const std::bad_alloc&) {
      if (mutant("seal-poor-all-or-nothing")) throw;
      left.add(unsealed(name), no_memory());
    }
  }
  owner.check();
  std::uint64_t rows = 0;
  for (const auto& sealed : request.datasets) rows += sealed.segment.ref.rows;
  if (rows != 0 && !seal_encoded(context, request, std::move(files))) rows = 0;
  if (left.any()) context.history->seal_left();
  if (rows != 0) context.history->checkpoint();
  if (left.any()) left.raise();
  if (progress) progress(total, total);
  return rows;
}

}  // namespace otolith::ingest
