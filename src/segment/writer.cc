#include "segment/writer.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/registry.h"
#include "model/array.h"
#include "model/own_rows.h"
#include "model/partition.h"
#include "segment/chunk.h"
#include "segment/order.h"
#include "segment/placer.h"
#include "segment/tasks.h"

namespace otolith::segment {

namespace {

constexpr std::uint64_t kWriteBackBytes = 256 << 10;  // pieces worth a system call of their own
constexpr std::uint64_t kPageAlignedBytes = 1 << 20;  // columns worth beginning on a memory page
constexpr std::uint64_t kMemoryPageBytes = 4096;

// A row group of the present run, before and while it is written.
struct Plan {
  RowGroup group;
  std::uint64_t row_in_run = 0;
  std::uint64_t leaf_first = 0;  // number of its first leaf in the segment
  bool begins_partition = false;
  bool ends_partition = false;
};

// A row group whose rows are all there.
struct Work {
  const Plan* plan = nullptr;
  const Batch* batch = nullptr;
  std::uint64_t first = 0;  // its first row in the batch
};

// Columns that one task encodes: those that rows are ordered by together, any other alone.
using Lane = std::vector<std::size_t>;

struct ColumnState {
  ColumnEntry entry;
  codec::Profile profile = codec::Profile::raw;
  const codec::Codec* codec = nullptr;  // instead of what the profile chooses
  std::uint64_t width = 0;
  std::uint64_t region = 0;  // values of the present run; 0: chunks go where there is room
  ColumnIndex index;
};

std::vector<Plan> plans_of(const model::Run& run, std::uint32_t number,
                           std::optional<std::uint64_t> first_ordinal, std::uint64_t& leaf) {
  std::vector<Plan> out;
  std::uint64_t row = 0;
  for (const model::PartitionRows& partition : run) {
    for (std::uint64_t at = 0; at < partition.rows; at += kRowGroupRowsMax) {
      Plan plan;
      plan.group.run = number;
      plan.group.rows = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(kRowGroupRowsMax, partition.rows - at));
      plan.group.partition = partition.bucket;
      plan.group.first_ordinal = first_ordinal ? *first_ordinal + row : 0;
      plan.row_in_run = row;
      plan.begins_partition = at == 0;
      plan.ends_partition = at + plan.group.rows == partition.rows;
      plan.leaf_first = leaf;
      leaf += (plan.group.rows + kLeafRows - 1) / kLeafRows;
      row += plan.group.rows;
      out.push_back(plan);
    }
  }
  return out;
}

std::vector<Lane> lanes_of(const SegmentSpec& spec) {
  const Schema& schema = *spec.schema;
  Lane ordered = schema.key_indexes();
  ordered.push_back(schema.time_index());
  const std::size_t columns = schema.columns.size();
  if (spec.many) ordered.insert(ordered.end(), {columns, columns + 1});
  std::vector<Lane> out{ordered};
  const std::size_t all = columns + (spec.many ? 2 : 0) + spec.shredded.size();
  for (std::size_t column = 0; column < all; ++column) {
    if (std::ranges::find(ordered, column) == ordered.end()) out.push_back({column});
  }
  return out;
}

// A codec knows neither column nor dataset: its error gains both here.
template <typename Call>
decltype(auto) named(std::string_view column, std::string_view dataset, Call call) {
  try {
    return call();
  } catch (const Error& error) {
    if (mutant("codec-error-names-no-column")) throw;
    throw_error(
        error.code(),
        fmt::format("column {} of {}: {}", quoted(column), quoted(dataset), error.message()),
        error.where());
  }
}

}  // namespace

const codec::Codec* column_codec(const Schema& schema, const Column& column,
                                 std::string_view dataset) {
  return named(column.name, dataset, [&] {
    return codec::codec_asked(column.codec.empty() ? schema.codec : column.codec, column.type);
  });
}

struct SegmentWriter::State {
  // Constant after construction.
  io::File& file;
  const SegmentSpec spec;
  const RowOrder order;
  const std::size_t time;
  const std::vector<Lane> lanes;  // the first holds the columns that rows are ordered by

  std::vector<ColumnState> columns;
  std::size_t shredded_at = 0;  // of the columns: the first shredded one
  std::vector<ShreddedPath> shredded;
  std::vector<RowGroup> row_groups;
  std::uint64_t rows = 0;
  std::uint64_t next_byte = kHeaderBytes;
  std::uint64_t header_hash = 0;
  std::uint32_t runs = 0;
  std::uint64_t leaves = 0;  // of all runs begun so far
  bool unique = true;
  std::vector<std::vector<model::OwnRows>> copies;  // by worker: of the columns of its lane

  // The present run.
  bool in_run = false;
  std::vector<Plan> plans;
  std::size_t plan_next = 0;
  std::vector<Batch> pending;  // owned rows of plans[plan_next]
  std::uint64_t pending_rows = 0;
  std::vector<Array> last;  // of the row group before, where its partition goes on

  State(io::File& into, SegmentSpec what)
      : file(into),
        spec(std::move(what)),
        order(spec.schema->key_indexes().size()),
        time(spec.schema->time_index()),
        lanes(lanes_of(spec)),
        copies(std::max(spec.threads, 1u)) {
    for (auto& of_worker : copies) of_worker.resize(lanes.front().size());
    for (const Column& column : spec.schema->columns) {
      OTO_INVARIANT(column.id != 0);
      add_column(ColumnId{column.id}, column.type,
                 column.codec.empty() ? spec.schema->codec : column.codec,
                 column_codec(*spec.schema, column, spec.dataset));
    }
    if (spec.many) {
      // Nobody gets them as views: plain they would be 16 bytes a row for nothing.
      const std::string profile = spec.schema->codec == "raw" ? "hot" : spec.schema->codec;
      add_column(kBeginColumn, {TypeKind::uint64}, profile, nullptr);
      add_column(kOrdinalColumn, {TypeKind::uint64}, profile, nullptr);
    }
    shredded_at = columns.size();
    add_shredded();
    if (columns.size() > kSegmentColumnsMax) {
      throw_error(ErrorCode::limit,
                  "{} has had {} columns, dropped ones included; a segment holds {} "
                  "(kSegmentColumnsMax)",
                  quoted(spec.dataset), columns.size(), kSegmentColumnsMax);
    }
    Header described = spec.header;
    if (!spec.shredded.empty()) described.required_features |= kFeatureShredded;
    const Bytes header = header_write(described);
    header_hash = xxh3(header);
    file.write_at(0, header);
  }

  void add_column(ColumnId id, Type type, const std::string& profile, const codec::Codec* of_user) {
    ColumnState column;
    column.entry.id = id;
    column.entry.type = type;
    column.codec = spec.codec != nullptr ? spec.codec : of_user;
    if (column.codec == nullptr) column.profile = codec::profile_of(profile);
    column.width = model::is_text(type) ? 0 : type_width(type);
    columns.push_back(std::move(column));
  }

  void add_shredded() {
    OTO_INVARIANT(spec.shredded.size() <= kShreddedColumnsMax);
    for (const Column& path : spec.shredded) {
      const ColumnId id{value_of(kShreddedColumnFirst) +
                        static_cast<std::uint32_t>(shredded.size())};
      add_column(id, path.type, spec.schema->codec, nullptr);
      shredded.push_back({.column = id, .path = path.name});
    }
  }

  void begin(const model::Run& run);
  void take(const Batch& batch);
  std::uint64_t take_pending(const Batch& batch, std::uint64_t at);
  void encode(const std::vector<Work>& work);
  void encode_lane(const Lane& lane, const Work& work, Placer& placer, std::uint64_t ticket,
                   unsigned worker, std::span<EncodedChunkEntry*> out, Ends& ends);
  void encode_chunk(std::size_t column, const Work& work, const Array& values, Placer& placer,
                    std::uint64_t ticket, unsigned worker, EncodedChunkEntry& out);
  void judge(const std::vector<Work>& work, std::vector<Ends>& ends);
  const std::string& column_name(std::size_t column) const;
  void place_chunk(const ColumnState& column, const Plan& plan, EncodedChunkEntry& chunk,
                   Placer& placer, std::uint64_t ticket) const;
  void write_part(const Part& part, const Buffer& bytes);
  void keep(std::size_t column, EncodedChunkEntry chunk);
  SegmentInfo finish();
  Footer footer() const;
};

// ---------------------------------------------------------------------------------- runs and
// groups

// Every column that is plain and of fixed width gets room for the whole run, so that its row groups
// lie side by side.
void SegmentWriter::State::begin(const model::Run& run) {
  OTO_INVARIANT(!in_run && model::run_rows(run) != 0);
  const std::uint64_t run_rows = model::run_rows(run);
  if (rows + run_rows > kSegmentRowsMax) {
    throw_error(ErrorCode::limit,
                "a segment can have {} rows (kSegmentRowsMax); commit less at once",
                kSegmentRowsMax);
  }
  for (std::size_t i = 1; i < run.size(); ++i) {
    if (run[i].bucket <= run[i - 1].bucket) model::throw_rows_changed(column_name(time));
  }
  in_run = true;
  plans = plans_of(run, runs++, spec.many ? std::nullopt : std::optional(rows), leaves);
  plan_next = 0;
  last.clear();
  if (runs > 1) unique = false;
  for (ColumnState& column : columns) {
    column.region = 0;
    const bool plain =
        column.codec != nullptr ? column.codec->mappable() : column.profile == codec::Profile::raw;
    if (column.width == 0 || !plain) continue;
    const std::uint64_t bytes = run_rows * column.width;
    column.region =
        align_up(next_byte, bytes >= kPageAlignedBytes ? kMemoryPageBytes : kValuesAlignment);
    next_byte = column.region + bytes;
  }
}

// Rows for the row group that is not whole yet. Returns how many were taken.
std::uint64_t SegmentWriter::State::take_pending(const Batch& batch, std::uint64_t at) {
  const Plan& plan = plans[plan_next];
  const std::uint64_t taken = std::min(plan.group.rows - pending_rows, batch.rows - at);
  pending.push_back(model::own_rows(model::batch_slice(batch, at, taken)));
  pending_rows += taken;
  if (pending_rows == plan.group.rows) {
    const Batch whole = model::batch_concat(pending);
    encode({Work{&plan, &whole, 0}});
    pending.clear();
    pending_rows = 0;
    ++plan_next;
  }
  return taken;
}

void SegmentWriter::State::take(const Batch& batch) {
  OTO_INVARIANT(in_run && batch.columns.size() == columns.size());
  std::uint64_t at = 0;
  std::vector<Work> whole;
  while (at < batch.rows) {
    OTO_INVARIANT(plan_next < plans.size());
    const Plan& plan = plans[plan_next];
    if (pending_rows != 0 || batch.rows - at < plan.group.rows) {
      if (!whole.empty()) encode(std::exchange(whole, {}));
      at += take_pending(batch, at);
      continue;
    }
    whole.push_back({&plan, &batch, at});
    at += plan.group.rows;
    ++plan_next;
  }
  if (!whole.empty()) encode(whole);
}

// -------------------------------------------------------------------------------------------
// encode

// All chunks of some row groups, column by column, so that each column is read and written in one
// go.
void SegmentWriter::State::encode(const std::vector<Work>& work) {
  std::vector<EncodedChunkEntry> chunks(columns.size() * work.size());
  std::vector<Ends> ends(work.size());
  Placer placer(next_byte);
  std::uint64_t rows_together = 0;
  for (const Work& each : work) rows_together += each.plan->group.rows;
  const unsigned threads = threads_worth(spec.threads, rows_together);
  run_tasks(threads, lanes.size() * work.size(), [&](unsigned worker, std::size_t i) {
    const std::size_t lane = i / work.size();
    const std::size_t group = i % work.size();
    // Every chunk has a ticket; all but those of the first lane are alone in their task.
    const std::size_t ordered = lanes.front().size();
    const std::uint64_t ticket = lane == 0 ? i * ordered : i + (ordered - 1) * work.size();
    try {  // all of it: others wait for this task's tickets
      std::vector<EncodedChunkEntry*> out;
      for (const std::size_t column : lanes[lane]) {
        out.push_back(&chunks[column * work.size() + group]);
      }
      encode_lane(lanes[lane], work[group], placer, ticket, worker, out, ends[group]);
    } catch (...) {
      placer.give_up(std::current_exception());
      throw;
    }
  });
  next_byte = placer.next_byte();
  for (std::size_t i = 0; i < chunks.size(); ++i) keep(i / work.size(), std::move(chunks[i]));
  judge(work, ends);
}

// Whatever the arrays are or become, the copy is judged, hashed, summed up and written.
void SegmentWriter::State::encode_lane(const Lane& lane, const Work& work, Placer& placer,
                                       std::uint64_t ticket, unsigned worker,
                                       std::span<EncodedChunkEntry*> out, Ends& ends) {
  const std::uint64_t count = work.plan->group.rows;
  std::vector<Array> values;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    const Array& all = work.batch->columns[lane[i]];
    OTO_INVARIANT(all.type == columns[lane[i]].entry.type);
    values.push_back(copies[worker][i].take(all, work.first, count, column_name(lane[i])));
  }
  if (&lane == &lanes.front()) {
    ends.among = order.among(values);
    if (!work.plan->begins_partition) ends.first = row_of(values, 0);
    if (!work.plan->ends_partition) ends.last = row_of(values, count - 1);
  }
  for (std::size_t i = 0; i < lane.size(); ++i) {
    encode_chunk(lane[i], work, values[i], placer, ticket + i, worker, *out[i]);
  }
}

void SegmentWriter::State::encode_chunk(std::size_t column, const Work& work, const Array& values,
                                        Placer& placer, std::uint64_t ticket, unsigned worker,
                                        EncodedChunkEntry& out) {
  const ColumnState& state = columns[column];
  const codec::Codec& codec =
      named(column_name(column), spec.dataset, [&]() -> const codec::Codec& {
        const codec::Codec& chosen =
            state.codec != nullptr
                ? *state.codec
                : codec::codec_choose(state.profile, values, page_rows_of(*spec.schema));
        out = chunk_encode(values, chosen, page_rows_of(*spec.schema));
        return chosen;
      });
  place_chunk(columns[column], *work.plan, out, placer, ticket);
  ChunkLeafSink leaf;
  if (spec.leaf && column < spec.schema->columns.size()) {
    leaf = [&](std::uint64_t block, const Array& of_leaf) {
      spec.leaf({column, work.plan->leaf_first + block, worker, of_leaf});
    };
  }
  chunk_seal(out, values, codec, page_rows_of(*spec.schema), leaf);
  write_part(out.entry.validity, out.bytes.validity);
  write_part(out.entry.offsets, out.bytes.offsets);
  write_part(out.entry.values, out.bytes.values);
  out.bytes = {};  // the copy is used again
}

const std::string& SegmentWriter::State::column_name(std::size_t column) const {
  static const std::string row_ids = "row id";
  if (column >= shredded_at) return shredded[column - shredded_at].path;
  return column < spec.schema->columns.size() ? spec.schema->columns[column].name : row_ids;
}

// Order, partitions and counts of row groups that are written: what a read relies on.
void SegmentWriter::State::judge(const std::vector<Work>& work, std::vector<Ends>& ends) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    const Plan& plan = *work[i].plan;
    RowGroup group = plan.group;
    const Zone& times = columns[time].index.chunks[row_groups.size()].zone;
    group.time_min = times.min_as<std::int64_t>();
    group.time_max = times.max_as<std::int64_t>();
    const auto bucket = [&](std::int64_t at) {
      return model::bucket_of(spec.schema->partition, {at});
    };
    Neighbours worst = ends[i].among;
    if (!plan.begins_partition) worst = std::max(worst, order.between(last, ends[i].first));
    if (worst == Neighbours::disordered || bucket(group.time_min) != group.partition ||
        bucket(group.time_max) != group.partition) {
      model::throw_rows_changed(column_name(time));
    }
    if (worst == Neighbours::share_keys_and_time) unique = false;
    last = std::move(ends[i].last);
    row_groups.push_back(group);
    rows += group.rows;
  }
}

// --------------------------------------------------------------------------------------------
// write

void SegmentWriter::State::write_part(const Part& part, const Buffer& bytes) {
  if (part.bytes == 0) return;
  file.write_at(part.offset, bytes.bytes);
  if (part.bytes >= kWriteBackBytes) file.write_back(part.offset, part.bytes);
}

// Values go to the column's room if they are plain; everything else behind one another.
void SegmentWriter::State::place_chunk(const ColumnState& column, const Plan& plan,
                                       EncodedChunkEntry& chunk, Placer& placer,
                                       std::uint64_t ticket) const {
  ChunkEntry& entry = chunk.entry;
  const bool in_region = column.region != 0;
  const std::uint64_t validity = align_up(chunk.bytes.validity.bytes.size(), kPartAlignment);
  const std::uint64_t offsets = align_up(chunk.bytes.offsets.bytes.size(), kPartAlignment);
  const std::uint64_t values = in_region ? 0 : chunk.bytes.values.bytes.size();
  const std::uint64_t at = placer.place(ticket, validity + offsets + values, kPartAlignment);
  const auto part = [](std::uint64_t offset, const Buffer& bytes) {
    return bytes.bytes.empty() ? Part{} : Part{offset, bytes.bytes.size()};
  };
  entry.validity = part(at, chunk.bytes.validity);
  entry.offsets = part(at + validity, chunk.bytes.offsets);
  entry.values =
      part(in_region ? column.region + plan.row_in_run * column.width : at + validity + offsets,
           chunk.bytes.values);
}

void SegmentWriter::State::keep(std::size_t column, EncodedChunkEntry chunk) {
  ColumnState& state = columns[column];
  chunk.entry.page_first = static_cast<std::uint32_t>(state.index.pages.size());
  state.entry.null_count += chunk.entry.zone.null_count;
  state.index.chunks.push_back(chunk.entry);
  state.index.pages.insert(state.index.pages.end(), chunk.pages.begin(), chunk.pages.end());
}

Footer SegmentWriter::State::footer() const {
  Footer out;
  out.header_hash = header_hash;
  out.rows = rows;
  out.runs = runs;
  out.page_rows = page_rows_of(*spec.schema);
  out.unique = unique;
  out.many = spec.many;
  out.time = columns[time].entry.id;
  for (const std::size_t key : spec.schema->key_indexes())
    out.keys.push_back(columns[key].entry.id);
  out.time_min = std::ranges::min(row_groups, {}, &RowGroup::time_min).time_min;
  out.time_max = std::ranges::max(row_groups, {}, &RowGroup::time_max).time_max;
  for (const ColumnState& column : columns) {
    out.columns.push_back(column.entry);
    const codec::Codec* codec = column.codec;
    if (codec != nullptr && codec->key().id >= codec::CodecId{kUserCodecFirst})
      out.user_codecs[codec->key().id] = codec->name();
  }
  out.row_groups = row_groups;
  out.shredded = shredded;
  return out;
}

SegmentInfo SegmentWriter::State::finish() {
  OTO_INVARIANT(!in_run && rows != 0);
  ByteWriter out;
  const std::uint64_t base = align_up(next_byte, kPartAlignment);
  for (ColumnState& column : columns) {
    const Bytes index = index_write(column.index);
    column.entry.index_offset = base + out.size();
    column.entry.index_bytes = index.size();
    column.entry.index_hash = xxh3(index);
    out.put_bytes(index);
  }
  const Footer made = footer();
  const Bytes bytes = footer_write(made);
  out.put_bytes(bytes);
  Trailer trailer{bytes.size(), xxh3(bytes), base + out.size() + kTrailerBytes};
  out.put_bytes(trailer_write(trailer));
  file.write_at(base, out.view());
  file.write_back(base, out.size());
  return {trailer.file_bytes, rows,       trailer.footer_hash, {made.time_min},
          {made.time_max},    made.unique};
}

SegmentWriter::SegmentWriter(io::File& file, SegmentSpec spec)
    : state_(std::make_unique<State>(file, std::move(spec))) {}
SegmentWriter::SegmentWriter(SegmentWriter&&) noexcept = default;
SegmentWriter::~SegmentWriter() = default;

void SegmentWriter::begin_run(const model::Run& run) { state_->begin(run); }

void SegmentWriter::append(const Batch& batch) { state_->take(batch); }

void SegmentWriter::end_run() {
  OTO_INVARIANT(state_->in_run && state_->plan_next == state_->plans.size());
  state_->in_run = false;
}

void SegmentWriter::note_strays(std::size_t shredded) {
  state_->shredded.at(shredded).strays = true;
}

SegmentInfo SegmentWriter::finish() { return state_->finish(); }

void SegmentWriter::sync() { state_->file.sync(); }

}  // namespace otolith::segment
