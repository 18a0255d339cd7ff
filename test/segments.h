// Segments for tests: random rows, written to a disk in memory.
//
// Role:    tests of segment and of the rooms above it.
// Errors:  those of the writer and the reader.
// Threads: thread-compatible.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/sim_disk.h"
#include "model/compare.h"
#include "model/partition.h"
#include "segment/reader.h"
#include "segment/writer.h"
#include "test/rows.h"

namespace otolith::segment::sample {

using test::Random;
using test::Row;

inline constexpr std::int64_t kHour = 3'600'000'000'000;

/// time, up to three keys, the last of any type that keys have, some columns of any type.
inline std::shared_ptr<const Schema> random_schema(Random& random) {
  Schema schema;
  schema.partition = static_cast<Partition>(test::below(random, 3));
  const auto add = [&schema](std::string name, Type type, bool nullable) {
    schema.columns.push_back({.name = std::move(name), .type = type, .nullable = nullable});
    schema.columns.back().id = static_cast<std::uint32_t>(schema.columns.size());
  };
  add("time", {TypeKind::timestamp}, false);
  if (test::below(random, 2) == 0)
    add("symbol", {TypeKind::string}, false), schema.keys.push_back("symbol");
  if (test::below(random, 2) == 0)
    add("sensor", {TypeKind::int16}, false), schema.keys.push_back("sensor");
  const Type tag = test::kAllTypes[test::below(random, std::size(test::kAllTypes))];
  if (test::below(random, 3) == 0 && model::is_key_type(tag))
    add("tag", tag, false), schema.keys.push_back("tag");
  const std::uint64_t values = test::below(random, 4);
  for (std::uint64_t i = 0; i < values; ++i) {
    add("v" + std::to_string(i), test::kAllTypes[test::below(random, std::size(test::kAllTypes))],
        test::below(random, 2) == 0);
  }
  return std::make_shared<const Schema>(std::move(schema));
}

inline Row random_row(Random& random, const Schema& schema, std::int64_t span) {
  Row row;
  for (const Column& column : schema.columns) {
    row.push_back(column.name == schema.time ? test::Cell(static_cast<std::int64_t>(test::below(
                                                   random, static_cast<std::uint64_t>(span))))
                                             : test::random_cell(random, column));
  }
  return row;
}

inline std::int64_t time_of(const Schema& schema, const Row& row) {
  return std::get<std::int64_t>(*row[schema.time_index()]);
}
inline std::int64_t bucket_of(const Schema& schema, const Row& row) {
  return model::bucket_of(schema.partition, Timestamp{time_of(schema, row)});
}

/// (partition, keys, time): what comes before begin and ordinal in stored order.
inline bool stored_before(const Schema& schema, const Row& a, const Row& b) {
  const std::int64_t left = bucket_of(schema, a);
  const std::int64_t right = bucket_of(schema, b);
  if (left != right) return left < right;
  for (const std::size_t key : schema.key_indexes()) {
    if (*a[key] != *b[key]) return *a[key] < *b[key];
  }
  return time_of(schema, a) < time_of(schema, b);
}

/// Stable: rows that are equal so far keep their order.
inline void sort_run(const Schema& schema, std::vector<Row>& rows) {
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    if (stored_before(schema, rows[a], rows[b])) return true;
    return !stored_before(schema, rows[b], rows[a]) && a < b;
  });
  std::vector<Row> sorted;
  for (const std::size_t i : order) sorted.push_back(std::move(rows[i]));
  rows = std::move(sorted);
}

inline model::Run run_of(const Schema& schema, const std::vector<Row>& rows) {
  model::Run out;
  for (const Row& row : rows) {
    const std::int64_t bucket = bucket_of(schema, row);
    if (out.empty() || out.back().bucket != bucket) out.push_back({bucket, 0});
    ++out.back().rows;
  }
  return out;
}

inline Id128 id_of(std::uint64_t number) {
  Id128 out;
  store_le(out.bytes.data(), number);
  return out;
}

inline SegmentSpec spec_of(std::shared_ptr<const Schema> schema) {
  SegmentSpec spec;
  spec.header.segment = id_of(1);
  spec.header.recorder = id_of(2);
  spec.header.database = id_of(3);
  spec.header.dataset = {CommitNumber{1}, 0};
  spec.file = "segments/01/sample.seg";
  spec.schema = std::move(schema);
  return spec;
}

/// Writes sorted runs; each run in batches of random sizes.
inline SegmentInfo write(io::File& file, const SegmentSpec& spec,
                         const std::vector<std::vector<Row>>& runs, Random& random) {
  SegmentWriter writer(file, spec);
  for (const std::vector<Row>& run : runs) {
    writer.begin_run(run_of(*spec.schema, run));
    const Batch all = test::batch_of(spec.schema, run);
    for (std::uint64_t at = 0; at < all.rows;) {
      const std::uint64_t rows = std::min(all.rows - at, 1 + test::below(random, all.rows));
      writer.append(model::batch_slice(all, at, rows));
      at += rows;
    }
    writer.end_run();
  }
  const SegmentInfo info = writer.finish();
  writer.sync();
  return info;
}

/// Changes memory that was lent, as another thread of the caller might: every byte to the next
/// letter or digit, so that text stays text.
inline void scribble(const Buffer& buffer) {
  auto* bytes = const_cast<std::byte*>(buffer.bytes.data());
  for (std::size_t i = 0; i < buffer.bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>((std::to_integer<unsigned>(bytes[i]) + 1) & 0x7f);
  }
}

inline Bytes bytes_of(io::File& file) {
  Bytes out(file.stat().size);
  file.read_at(0, out);
  return out;
}

/// A file that holds these bytes.
inline std::unique_ptr<io::File> file_of(io::Vfs& vfs, BytesView bytes) {
  static std::uint64_t number = 0;
  auto file = vfs.open("bytes" + std::to_string(++number), io::OpenMode::create);
  file->write_at(0, bytes);
  return file;
}

/// A segment of one sorted run, written in one batch.
inline Bytes bytes_of_run(const SegmentSpec& spec, const std::vector<Row>& rows) {
  const auto vfs = io::memory_vfs();
  const auto file = file_of(*vfs, {});
  SegmentWriter writer(*file, spec);
  writer.begin_run(run_of(*spec.schema, rows));
  writer.append(test::batch_of(spec.schema, rows));
  writer.end_run();
  writer.finish();
  return bytes_of(*file);
}

/// A reader of these bytes.
inline std::shared_ptr<const SegmentReader> open(io::Vfs& vfs, BytesView bytes, bool map = true,
                                                 const SegmentExpect& expect = {}) {
  return SegmentReader::open(file_of(vfs, bytes), "sample.seg", expect, map);
}

/// Every row, chunk by chunk.
inline std::vector<Row> read_all(const SegmentReader& reader) {
  std::vector<Row> out;
  const Footer& shape = reader.shape();
  for (std::size_t group = 0; group < shape.row_groups.size(); ++group) {
    Batch batch{.schema = nullptr, .rows = shape.row_groups[group].rows, .columns = {}};
    for (std::size_t column = 0; column < shape.columns.size(); ++column) {
      batch.columns.push_back(reader.chunk(group, column));
    }
    for (Row& row : test::rows_of(batch)) out.push_back(std::move(row));
  }
  return out;
}

}  // namespace otolith::segment::sample
