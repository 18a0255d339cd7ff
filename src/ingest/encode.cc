#include "ingest/encode.h"

#include <algorithm>

#include "base/limits.h"
#include "model/array.h"
#include "model/gather.h"
#include "model/order.h"
#include "model/own_rows.h"
#include "model/wire.h"
#include "segment/order.h"
#include "segment/path.h"

namespace otolith::ingest {

namespace {

constexpr std::uint64_t kShreddedRows = 4ull * kRowGroupRowsMax;  // whose columns are in memory
constexpr std::uint64_t kToldRows = 16ull * kRowGroupRowsMax;  // between two words about progress

Id128 random_salt(io::Environment& environment) {
  Id128 salt;
  environment.random(salt.bytes);
  return salt;
}

history::DatasetChange empty_change(const IngestContext& context,
                                    const history::DatasetEntry& dataset) {
  history::DatasetChange change;
  change.dataset = dataset.id;
  change.schema = dataset.schema;
  change.salt = random_salt(*context.environment);
  return change;
}

segment::SegmentSpec spec_of(const IngestContext& context, const Id128& recorder,
                             const history::DatasetEntry& dataset, const Id128& segment) {
  segment::SegmentSpec spec;
  spec.header.segment = segment;
  spec.header.recorder = recorder;
  spec.header.database = context.database;
  spec.header.dataset = dataset.id;
  spec.file = segment::segment_path(segment);
  spec.dataset = dataset.name;
  spec.schema = dataset.schema;
  spec.threads = context.threads;
  return spec;
}

std::vector<std::size_t> content_columns(const model::ContentHasher& content,
                                         const Schema& schema) {
  std::vector<std::size_t> out;
  for (const Column& column : schema.columns) {
    const auto& columns = content.columns();
    const auto at =
        std::ranges::lower_bound(columns, ColumnId{column.id}, {}, &model::LeafColumn::id);
    out.push_back(static_cast<std::size_t>(at - columns.begin()));
  }
  return out;
}

// Cuts parts so that each group has at most about `bytes` of rows.
std::vector<std::vector<Batch>> groups_of(const std::vector<Batch>& parts, std::uint64_t bytes) {
  std::vector<std::vector<Batch>> groups(1);
  std::uint64_t room = bytes;
  for (const Batch& part : parts) {
    const std::uint64_t row_bytes = model::batch_plain_bytes(part) / part.rows + 1;
    for (std::uint64_t at = 0; at < part.rows;) {
      if (room < row_bytes) {
        groups.emplace_back();
        room = std::max(bytes, row_bytes);
      }
      const std::uint64_t rows = std::min(part.rows - at, room / row_bytes);
      groups.back().push_back(model::batch_slice(part, at, rows));
      room -= rows * row_bytes;
      at += rows;
    }
  }
  return groups;
}

// The parts behind each other. Frees each part's column as soon as it is copied.
Batch join(std::vector<Batch> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Batch out{.schema = parts.front().schema};
  for (const Batch& part : parts) out.rows += part.rows;
  for (std::size_t c = 0; c < parts.front().columns.size(); ++c) {
    std::vector<const Array*> column;
    for (const Batch& part : parts) column.push_back(&part.columns[c]);
    out.columns.push_back(model::array_concat(column));
    for (Batch& part : parts) part.columns[c] = {};
  }
  return out;
}

// Of rows in stored order: those that share keys and time are neighbours in their partition.
bool neighbours_differ(const Batch& batch, const model::Run& run) {
  std::vector<std::size_t> same = batch.schema->key_indexes();
  const segment::RowOrder order(same.size());
  same.push_back(batch.schema->time_index());
  std::uint64_t row = 0;
  for (const model::PartitionRows& partition : run) {
    std::vector<Array> rows;
    for (const std::size_t column : same)
      rows.push_back(model::array_slice(batch.columns[column], row, partition.rows));
    if (order.among(rows) != segment::Neighbours::differ) return false;
    row += partition.rows;
  }
  return true;
}

}  // namespace

std::pair<Timestamp, Timestamp> times_of(const Batch& batch) {
  const Array& times = batch.columns[batch.schema->time_index()];
  const auto [least, most] =
      std::ranges::minmax(std::span(times.values.as<std::int64_t>(), batch.rows));
  return {{least}, {most}};
}

// What rows are sorted by must not change while they are, nor where texts begin while they are
// gathered; every other value is read once, and judged by who writes it.
Batch sort_parts(std::vector<Batch> parts, model::Run& run) {
  const bool lent = parts.size() == 1;  // several are joined in memory of our own
  Batch whole = join(std::move(parts));
  std::vector<std::size_t> order_columns = whole.schema->key_indexes();
  order_columns.push_back(whole.schema->time_index());
  const auto own = [&](std::size_t c) {
    if (lent) whole.columns[c] = model::own_rows(whole.columns[c], whole.schema->columns[c].name);
  };
  for (const std::size_t c : order_columns) own(c);
  model::RowOrder order = model::order_rows(whole);
  run = std::move(order.run);
  if (order.permutation.empty()) return whole;
  Batch sorted{.schema = whole.schema, .rows = whole.rows};
  for (std::size_t c = 0; c < whole.columns.size(); ++c) {
    Array& column = whole.columns[c];
    if (model::is_text(column.type) && std::ranges::find(order_columns, c) == order_columns.end()) {
      own(c);
    }
    sorted.columns.push_back(model::gather(column, order.permutation));
    column = {};
  }
  return sorted;
}

SegmentEncoder::SegmentEncoder(const IngestContext& context, const Id128& recorder,
                               history::DatasetEntry dataset, Shredding shredding)
    : dataset_(std::move(dataset)),
      change_(empty_change(context, dataset_)),
      file_(*context.vfs, *context.environment),
      content_(model::leaf_columns(*dataset_.schema)),
      content_column_(content_columns(content_, *dataset_.schema)),
      hashers_(context.threads, model::LeafHasher(change_.salt)),
      shredding_(std::move(shredding)),
      writer_(file_.file(), [&] {
        segment::SegmentSpec spec = spec_of(context, recorder, dataset_, file_.id());
        spec.shredded = shredding_.columns();
        spec.leaf = [this](const segment::LeafRows& leaf) { hash_leaf(leaf); };
        return spec;
      }()) {}

void SegmentEncoder::hash_leaf(const segment::LeafRows& leaf) {
  const std::size_t column = content_column_[leaf.column];
  const ColumnId id = content_.columns()[column].id;
  const model::LeafPlace& place = content_.places()[leaf.leaf];
  content_.put(column, leaf.leaf, hashers_[leaf.worker].hash(id, leaf.leaf, place, leaf.rows, 0));
}

void SegmentEncoder::begin_run(const model::Run& run) {
  content_.add_run(run);
  change_.runs.push_back(model::run_rows(run));
  writer_.begin_run(run);
}

void SegmentEncoder::append(const Batch& batch) {
  change_.rows_added += batch.rows;
  if (shredding_.columns().empty()) return writer_.append(batch);
  for (std::uint64_t at = 0; at < batch.rows; at += kShreddedRows) {
    const std::uint64_t rows = std::min(kShreddedRows, batch.rows - at);
    writer_.append(shredding_.with_columns(model::batch_slice(batch, at, rows)));
  }
}

void SegmentEncoder::end_run() { writer_.end_run(); }

void SegmentEncoder::write_run(const model::Run& run, std::span<const Batch> parts,
                               const Written& written) {
  begin_run(run);
  for (const Batch& part : parts) {
    const std::uint64_t step = written ? kToldRows : part.rows;
    for (std::uint64_t at = 0; at < part.rows; at += step) {
      const std::uint64_t rows = std::min(step, part.rows - at);
      append(rows == part.rows ? part : model::batch_slice(part, at, rows));
      if (written) written(rows);
    }
  }
  end_run();
}

void SegmentEncoder::add_run(std::vector<Batch> parts, std::uint64_t run_bytes,
                             const Written& written) {
  std::erase_if(parts, [](const Batch& part) { return part.rows == 0; });
  if (parts.empty()) return;
  if (model::rows_in_order(parts)) return write_run(model::run_of_ordered(parts), parts, written);
  auto groups = groups_of(parts, run_bytes);
  parts.clear();
  for (std::vector<Batch>& group : groups) {
    model::Run run;
    const Batch sorted = sort_parts(std::move(group), run);
    write_run(run, std::span(&sorted, 1), written);
  }
}

Encoded SegmentEncoder::finish() {
  shredding_.tell(writer_);
  const segment::SegmentInfo info = writer_.finish();
  change_.segment = history::SegmentRef{.id = file_.id(),
                                        .bytes = info.bytes,
                                        .rows = info.rows,
                                        .footer_hash = info.footer_hash,
                                        .time_min = info.time_min,
                                        .time_max = info.time_max};
  if (change_.runs.size() == 1) change_.runs.clear();
  change_.rows_root = content_.rows_root();
  change_.time_min = info.time_min;
  change_.time_max = info.time_max;
  return {.change = std::move(change_), .file = std::move(file_), .unique = info.unique};
}

Encoded encode_inline(const IngestContext& context, const history::DatasetEntry& dataset,
                      std::vector<Batch> parts) {
  // A seal will need them: what cannot be sealed is not committed.
  for (const Column& column : dataset.schema->columns)
    (void)segment::column_codec(*dataset.schema, column, dataset.name);
  for (Batch& part : parts) part = model::own_rows(part);
  model::Run run;
  const Batch batch = sort_parts(std::move(parts), run);
  Encoded out{.change = empty_change(context, dataset)};
  if (dataset.schema->duplicates == Duplicates::error) out.unique = neighbours_differ(batch, run);
  const model::RowLayout layout{{std::move(run)}};
  out.change.rows_added = batch.rows;
  out.change.rows = model::wire_encode(batch, layout);
  out.change.rows_root = model::rows_root(batch, layout, out.change.salt);
  std::tie(out.change.time_min, out.change.time_max) = times_of(batch);
  return out;
}

}  // namespace otolith::ingest
