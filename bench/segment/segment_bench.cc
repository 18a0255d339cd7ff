// Writing a segment durably against writing the plain columns, and reading it back.
//
//   segment_bench all FOLDER [ROUNDS]
//
// W1 of docs/BENCHMARKS.md: 10 M rows over 31 days, 5 columns, 400 MB. "digest" hashes the leaves
// of the commit.
#include <bit>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "io/posix.h"
#include "model/leaf.h"
#include "model/partition.h"
#include "segment/reader.h"
#include "segment/writer.h"

namespace otolith {
namespace {

constexpr std::uint64_t kRows = 10'000'000;
constexpr std::int64_t kDayNs = 86'400'000'000'000;

Array column_of(Type type, const std::function<std::uint64_t(std::uint64_t)>& bits) {
  std::byte* data = nullptr;
  Array out;
  out.type = type;
  out.length = kRows;
  out.values = buffer_allocate(kRows * 8, &data);
  for (std::uint64_t row = 0; row < kRows; ++row) store_le(data + row * 8, bits(row));
  return out;
}

Batch w1() {
  std::mt19937_64 random(1);
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "n", .type = {TypeKind::int64}, .id = 2}};
  schema.codec = "raw";
  Batch out{.rows = kRows};
  const std::int64_t step = 31 * kDayNs / static_cast<std::int64_t>(kRows);
  out.columns.push_back(column_of({TypeKind::timestamp}, [&](std::uint64_t row) {
    return row * static_cast<std::uint64_t>(step);
  }));
  out.columns.push_back(column_of({TypeKind::int64}, [](std::uint64_t row) { return row; }));
  for (std::uint32_t i = 0; i < 3; ++i) {
    schema.columns.push_back(
        {.name = "v" + std::to_string(i), .type = {TypeKind::float64}, .id = 3 + i});
    out.columns.push_back(column_of({TypeKind::float64}, [&](std::uint64_t) {
      return std::bit_cast<std::uint64_t>(static_cast<double>(random() >> 11) * 0x1p-53 * 100);
    }));
  }
  out.schema = std::make_shared<const Schema>(schema);
  return out;
}

model::Run run_of(const Batch& batch) {
  model::Run run;
  const auto* times = batch.columns[0].values.as<std::int64_t>();
  for (std::uint64_t row = 0; row < batch.rows; ++row) {
    const std::int64_t day = model::bucket_of(Partition::day, Timestamp{times[row]});
    if (run.empty() || run.back().bucket != day) run.push_back({day, 0});
    ++run.back().rows;
  }
  return run;
}

void write_plain(io::Vfs& vfs, const Batch& batch) {
  std::vector<std::unique_ptr<io::File>> files;
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    files.push_back(vfs.open("plain" + std::to_string(i), io::OpenMode::create));
    files.back()->write_at(0, batch.columns[i].values.bytes);
  }
  for (const auto& file : files) file->sync();
}

struct Written {
  segment::SegmentInfo info;
  Hash256 root;
};

Written write_segment(io::Vfs& vfs, const Batch& batch, const model::Run& run, unsigned threads,
                      bool digest) {
  segment::SegmentSpec spec;
  spec.schema = batch.schema;
  spec.threads = threads;
  model::ContentHasher content(model::leaf_columns(*batch.schema));
  content.add_run(run);
  std::vector<model::LeafHasher> hashers(threads, model::LeafHasher(Id128{}));
  if (digest) {
    spec.leaf = [&](const segment::LeafRows& leaf) {
      const ColumnId id{batch.schema->columns[leaf.column].id};
      content.put(
          leaf.column, leaf.leaf,
          hashers[leaf.worker].hash(id, leaf.leaf, content.places()[leaf.leaf], leaf.rows, 0));
    };
  }
  const auto file = vfs.open("w1.seg", io::OpenMode::create);
  segment::SegmentWriter writer(*file, std::move(spec));
  writer.begin_run(run);
  writer.append(batch);
  writer.end_run();
  Written out{writer.finish(), {}};
  if (digest) out.root = content.rows_root();
  writer.sync();
  return out;
}

void run(const std::string& folder, int rounds) {
  const auto vfs = io::posix_vfs(folder, {.create = true});
  const Batch batch = w1();
  const model::Run layout = run_of(batch);
  Batch hot = batch;
  Schema encoded = *batch.schema;
  encoded.codec = "hot";
  hot.schema = std::make_shared<const Schema>(encoded);
  std::vector<double> plain, one, two, bare, small, opened, first, again;
  std::uint64_t hot_bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    plain.push_back(bench::seconds_of([&] { write_plain(*vfs, batch); }));
    for (int i = 0; i < 5; ++i) vfs->remove("plain" + std::to_string(i));
    two.push_back(bench::seconds_of([&] { write_segment(*vfs, batch, layout, 2, true); }));
    vfs->remove("w1.seg");
    small.push_back(bench::seconds_of(
        [&] { hot_bytes = write_segment(*vfs, hot, layout, 2, true).info.bytes; }));
    vfs->remove("w1.seg");
    bare.push_back(bench::seconds_of([&] { write_segment(*vfs, batch, layout, 2, false); }));
    vfs->remove("w1.seg");
    one.push_back(bench::seconds_of([&] { write_segment(*vfs, batch, layout, 1, true); }));
    std::shared_ptr<const segment::SegmentReader> reader;
    opened.push_back(bench::seconds_of([&] {
      reader =
          segment::SegmentReader::open(vfs->open("w1.seg", io::OpenMode::read), "w1.seg", {}, true);
    }));
    const auto views = [&] {
      for (std::size_t column = 0; column < 5; ++column) {
        for (std::size_t group = 0; group < reader->shape().row_groups.size(); ++group) {
          if (!reader->chunk(group, column).zero_copy) std::abort();
        }
      }
    };
    first.push_back(bench::seconds_of(views));
    again.push_back(bench::seconds_of(views));
    vfs->remove("w1.seg");
  }
  bench::report("segment", "write W1: plain columns + fsync", plain);
  bench::report("segment", "write W1: raw, 2 threads, digest", two);
  bench::report("segment", "write W1: raw, 2 threads, no digest", bare);
  bench::report("segment", "write W1: hot, 2 threads, digest", small,
                std::to_string(hot_bytes) + " bytes");
  bench::report("segment", "write W1: raw, 1 thread, digest", one);
  bench::report_value("segment", "write W1: raw, 2 threads, digest / plain", "ratio",
                      bench::quantile(two, 0.5) / bench::quantile(plain, 0.5), "goal 1.3");
  bench::report("segment", "open W1, mapped", opened);
  bench::report("segment", "five whole columns as views, first: verified", first);
  bench::report("segment", "five whole columns as views, again", again);
}

}  // namespace
}  // namespace otolith

int main(int count, char** arguments) {
  if (count < 3) return 2;
  otolith::run(arguments[2], count > 3 ? std::atoi(arguments[3]) : 5);
  return 0;
}
