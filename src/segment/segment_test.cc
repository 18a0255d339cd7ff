#include <doctest/doctest.h>

#include <map>
#include <mutex>

#include "base/hash.h"
#include "base/limits.h"
#include "codec/registry.h"
#include "model/own_rows.h"
#include "test/budget.h"
#include "test/segment_reseal.h"
#include "test/segments.h"
#include "test/swap_codec.h"

namespace otolith::segment {

namespace {

using sample::open;
using sample::Row;

// A segment of random rows in one or two runs, and its rows in order.
struct Made {
  std::shared_ptr<const Schema> schema;
  std::vector<std::vector<Row>> runs;
  std::vector<Row> rows;
  Bytes bytes;
  SegmentInfo info;
};

Made make(io::Vfs& vfs, test::Random& random, std::uint64_t rows_max, unsigned threads = 1) {
  Made out;
  out.schema = sample::random_schema(random);
  for (std::uint64_t run = 0, runs = 1 + test::below(random, 2); run < runs; ++run) {
    std::vector<Row> rows;
    for (std::uint64_t i = 0, count = 1 + test::below(random, rows_max); i < count; ++i) {
      rows.push_back(sample::random_row(random, *out.schema, 40 * sample::kHour));
    }
    sample::sort_run(*out.schema, rows);
    out.rows.insert(out.rows.end(), rows.begin(), rows.end());
    out.runs.push_back(std::move(rows));
  }
  SegmentSpec spec = sample::spec_of(out.schema);
  spec.threads = threads;
  const auto file = sample::file_of(vfs, {});
  out.info = sample::write(*file, spec, out.runs, random);
  out.bytes = sample::bytes_of(*file);
  return out;
}

Made make_small(io::Vfs& vfs, std::uint64_t seed) {
  test::Random random(seed);
  return make(vfs, random, 4);
}

bool has_duplicates(const Made& made) {
  if (made.runs.size() > 1) return true;
  for (std::size_t i = 1; i < made.rows.size(); ++i) {
    if (!sample::stored_before(*made.schema, made.rows[i - 1], made.rows[i])) return true;
  }
  return false;
}

// True if every read of the bytes ends in an error, or gives exactly these rows.
bool never_wrong(io::Vfs& vfs, BytesView bytes, const Made& made, bool map) {
  const SegmentExpect expect{.bytes = made.info.bytes, .footer_hash = made.info.footer_hash};
  try {
    return test::same_rows(sample::read_all(*open(vfs, bytes, map, expect)), made.rows);
  } catch (const Error& error) {
    return error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format;
  }
}

bool verify_finds(io::Vfs& vfs, BytesView bytes) {
  try {
    open(vfs, bytes)->verify();
  } catch (const Error& error) {
    return !error.where().file.empty() && error.where().offset.has_value();
  }
  return false;
}

}  // namespace

TEST_CASE("segment: rows of any types, nulls, runs and partitions come back as they went in") {
  const auto vfs = io::memory_vfs();
  const test::Budget budget;
  std::uint64_t cases = 0;
  for (std::uint64_t seed = test::seed(); cases < 20 || budget.left(); ++seed, ++cases) {
    CAPTURE(seed);
    test::Random random(seed);
    const Made made = make(*vfs, random, test::below(random, 10) == 0 ? 3000 : 40);
    for (const bool map : {true, false}) {
      const auto reader = open(*vfs, made.bytes, map);
      REQUIRE(test::same_rows(sample::read_all(*reader), made.rows));
      REQUIRE(reader->shape().unique == !has_duplicates(made));
      reader->verify();
    }
  }
  MESSAGE(cases << " segments from seed " << test::seed());
}

TEST_CASE("segment: row groups and pages longer than one, read in any slice") {
  const auto vfs = io::memory_vfs();
  const std::uint64_t rows = kRowGroupRowsMax + 2 * kPageRowsMax + 777;
  Schema schema;
  schema.partition = Partition::none;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "n", .type = {TypeKind::int32}, .nullable = true, .id = 2},
                    {.name = "s", .type = {TypeKind::string}, .nullable = true, .id = 5}};
  const auto shared = std::make_shared<const Schema>(schema);
  std::vector<Row> all;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto n = static_cast<std::int64_t>(i);
    all.push_back({n, i % 7 == 0 ? test::Cell() : test::Cell(n % 1000),
                   i % 11 == 0 ? test::Cell() : test::Cell(std::to_string(i))});
  }
  test::Random random(test::seed());
  const auto file = sample::file_of(*vfs, {});
  SegmentSpec spec = sample::spec_of(shared);
  spec.threads = 2;
  sample::write(*file, spec, {all}, random);
  const Bytes bytes = sample::bytes_of(*file);
  for (const bool map : {true, false}) {
    const auto reader = open(*vfs, bytes, map);
    REQUIRE(reader->shape().row_groups.size() == 2);
    for (int i = 0; i < 60; ++i) {
      const std::size_t group = test::below(random, 2);
      const RowGroup& in = reader->shape().row_groups[group];
      const std::uint64_t first = test::below(random, in.rows);
      const std::uint64_t count =
          std::min<std::uint64_t>(in.rows - first, test::below(random, 20'000));
      for (std::size_t column = 0; column < 3; ++column) {
        const Array slice = reader->rows(group, column, first, count);
        REQUIRE(slice.length == count);
        for (std::uint64_t row = 0; row < count; ++row) {
          REQUIRE(
              test::same_cell(test::cell_of(slice, row), all[in.first_row + first + row][column]));
        }
      }
    }
  }
}

TEST_CASE(
    "segment: chunks of a plain column lie side by side over all row groups, also of partitions") {
  const auto vfs = io::memory_vfs();
  Schema schema;
  schema.partition = Partition::hour;
  schema.codec = "raw";
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "x", .type = {TypeKind::float64}, .nullable = false, .id = 2}};
  const auto shared = std::make_shared<const Schema>(schema);
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 1000; ++i) rows.push_back({i * sample::kHour / 100, double(i) / 8});
  test::Random random(test::seed());
  const auto file = sample::file_of(*vfs, {});
  sample::write(*file, sample::spec_of(shared), {rows}, random);
  const auto reader = open(*vfs, sample::bytes_of(*file));
  REQUIRE(reader->shape().row_groups.size() == 10);
  for (const std::size_t column : {0u, 1u}) {
    const std::byte* next = reader->chunk(0, column).values.bytes.data();
    CHECK(reinterpret_cast<std::uintptr_t>(next) % 64 == 0);
    for (std::size_t group = 0; group < 10; ++group) {
      const Array chunk = reader->chunk(group, column);
      CHECK(chunk.zero_copy);
      REQUIRE(chunk.values.bytes.data() == next);
      next += chunk.values.bytes.size();
      CHECK_FALSE(open(*vfs, sample::bytes_of(*file), false)->chunk(group, column).zero_copy);
    }
  }
}

TEST_CASE("segment: an Array keeps the mapping alive after its reader is gone") {
  const auto vfs = io::memory_vfs();
  const Made made = make_small(*vfs, test::seed());
  Array kept;
  {
    kept = open(*vfs, made.bytes)->chunk(0, 0);
  }
  CHECK(test::same_cell(test::cell_of(kept, 0), made.rows[0][0]));
}

TEST_CASE("segment: the same batches make the same bytes, whatever the threads") {
  const auto vfs = io::memory_vfs();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    test::Random one(seed);
    test::Random four(seed);
    CHECK(make(*vfs, one, 500, 1).bytes == make(*vfs, four, 500, 4).bytes);
  }
}

TEST_CASE("segment: every flipped bit is found or unused, and none is served") {
  const auto vfs = io::SimDisk({.tracked = false}).attach();
  const test::Budget budget;
  std::uint64_t bits = 0;
  for (std::uint64_t seed = test::seed(); bits == 0 || budget.left(); ++seed) {
    CAPTURE(seed);
    const Made made = make_small(*vfs, seed);
    Bytes bytes = made.bytes;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit, ++bits) {
      CAPTURE(bit);
      const auto mask = static_cast<std::byte>(1u << (bit % 8));
      bytes[bit / 8] ^= mask;
      REQUIRE(never_wrong(*vfs, bytes, made, bit % 2 == 0));
      REQUIRE(verify_finds(*vfs, bytes));
      bytes[bit / 8] ^= mask;
    }
  }
  MESSAGE(bits << " bits from seed " << test::seed());
}

TEST_CASE("segment: cut at any length it is corrupt") {
  const auto vfs = io::memory_vfs();
  const Made made = make_small(*vfs, test::seed());
  for (std::size_t bytes = 0; bytes < made.bytes.size(); ++bytes) {
    CAPTURE(bytes);
    try {
      open(*vfs, BytesView(made.bytes).first(bytes));
      FAIL("a segment that was cut opened");
    } catch (const Error& error) {
      REQUIRE(error.code() == ErrorCode::corrupt);
      REQUIRE(error.where().file == "sample.seg");
    }
  }
  Bytes longer = made.bytes;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(open(*vfs, longer), Error);
}

TEST_CASE("segment: a zeroed sector is never served") {
  const auto vfs = io::memory_vfs();
  test::Random random(test::seed());
  const Made made = make(*vfs, random, 2000);
  for (std::size_t at = 0; at < made.bytes.size(); at += 512) {
    CAPTURE(at);
    Bytes bytes = made.bytes;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                std::min<std::size_t>(512, bytes.size() - at), std::byte{0});
    REQUIRE(never_wrong(*vfs, bytes, made, true));
  }
}

TEST_CASE("segment: a foreign file and a swapped segment are refused by name") {
  const auto vfs = io::memory_vfs();
  const Made one = make_small(*vfs, 1);
  const Made other = make_small(*vfs, 2);
  const auto code_of = [&](BytesView bytes, const SegmentExpect& expect) {
    try {
      open(*vfs, bytes, true, expect);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::not_found;
  };
  CHECK(code_of(as_bytes_view(std::string(4000, 'x')), {}) == ErrorCode::corrupt);
  CHECK(code_of(other.bytes, {.footer_hash = one.info.footer_hash}) == ErrorCode::corrupt);
  CHECK(code_of(one.bytes, {.segment = sample::id_of(7)}) == ErrorCode::corrupt);
  CHECK(code_of(one.bytes, {.database = sample::id_of(7)}) == ErrorCode::corrupt);
  CHECK(code_of(one.bytes, {.dataset = DatasetId{CommitNumber{2}, 0}}) == ErrorCode::corrupt);
  CHECK(code_of(one.bytes, {.rows = one.info.rows + 1}) == ErrorCode::corrupt);
  CHECK(code_of(one.bytes, {.segment = sample::id_of(1), .bytes = one.info.bytes}) ==
        ErrorCode::not_found);
}

TEST_CASE("segment: a newer version and an unknown required feature are unsupported, not corrupt") {
  const auto vfs = io::memory_vfs();
  const Made made = make_small(*vfs, 1);
  for (const std::size_t at : {std::size_t{8}, std::size_t{16}}) {  // version, required features
    Bytes bytes = made.bytes;
    bytes[at] = std::byte{2};
    store_le(&bytes[kHeaderBytes - 8], xxh3(BytesView(bytes).first(kHeaderBytes - 8)));
    try {
      open(*vfs, bytes);
      FAIL("it opened");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::unsupported_format);
    }
  }
}

TEST_CASE("segment: every leaf is handed over once, whole, with its place") {
  const auto vfs = io::memory_vfs();
  test::Random random(test::seed());
  Schema schema;
  schema.partition = Partition::hour;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "s", .type = {TypeKind::string}, .nullable = true, .id = 2}};
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    rows.push_back(
        {i * sample::kHour / 6000, i % 3 == 0 ? test::Cell() : test::Cell(std::to_string(i))});
  }
  SegmentSpec spec = sample::spec_of(std::make_shared<const Schema>(schema));
  spec.threads = 3;
  std::mutex mutex;
  std::map<std::pair<std::size_t, std::uint64_t>, Array> leaves;
  spec.leaf = [&](const LeafRows& leaf) {
    const std::lock_guard lock(mutex);
    const bool first =
        leaves.emplace(std::pair(leaf.column, leaf.leaf), model::own_rows(leaf.rows, "")).second;
    REQUIRE(first);
    REQUIRE(leaf.worker < 3);
  };
  const auto file = sample::file_of(*vfs, {});
  SegmentWriter writer(*file, spec);
  const Batch batch = test::batch_of(spec.schema, rows);
  writer.begin_run(sample::run_of(schema, rows));
  writer.append(batch);
  writer.end_run();
  writer.finish();
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> places{
      {0, kLeafRows}, {kLeafRows, 6000 - kLeafRows}, {6000, 4000}};
  REQUIRE(leaves.size() == 2 * places.size());
  for (const auto& [key, leaf] : leaves) {
    const auto [first, count] = places.at(key.second);
    REQUIRE(leaf.length == count);
    for (std::uint64_t i = 0; i < count; ++i) {
      REQUIRE(test::same_cell(test::cell_of(leaf, i), rows[first + i][key.first]));
    }
  }
}

TEST_CASE("segment: an array that changes under the writer is written as its leaves were hashed") {
  const auto vfs = io::memory_vfs();
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "x", .type = {TypeKind::float64}, .nullable = true, .id = 2},
                    {.name = "s", .type = {TypeKind::string}, .nullable = false, .id = 3}};
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    rows.push_back({i, i % 3 == 0 ? test::Cell() : test::Cell(double(i)), std::to_string(i)});
  }
  SegmentSpec spec = sample::spec_of(std::make_shared<const Schema>(schema));
  const Batch batch = test::batch_of(spec.schema, rows);
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<test::Cell>> leaves;
  spec.leaf = [&](const LeafRows& leaf) {
    std::vector<test::Cell>& cells = leaves[{leaf.column, leaf.leaf}];
    for (std::uint64_t i = 0; i < leaf.rows.length; ++i) {
      cells.push_back(test::cell_of(leaf.rows, i));
    }
    sample::scribble(batch.columns[leaf.column].values);  // another thread would
    sample::scribble(batch.columns[leaf.column].validity);
  };
  const auto file = sample::file_of(*vfs, {});
  SegmentWriter writer(*file, spec);
  writer.begin_run(sample::run_of(schema, rows));
  writer.append(batch);
  writer.end_run();
  writer.finish();
  const auto reader = open(*vfs, sample::bytes_of(*file));
  reader->verify();
  for (const auto& [place, cells] : leaves) {
    const Array stored = reader->rows(0, place.first, place.second * kLeafRows, cells.size());
    for (std::uint64_t i = 0; i < cells.size(); ++i) {
      REQUIRE(test::same_cell(test::cell_of(stored, i), cells[i]));
    }
  }
  CHECK(leaves.size() == 9);
}

TEST_CASE("segment: rows that are not what was announced are refused, not written") {
  const auto vfs = io::memory_vfs();
  Schema schema;
  schema.partition = Partition::hour;
  schema.keys = {"k"};
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "k", .type = {TypeKind::string}, .nullable = false, .id = 2}};
  const auto shared = std::make_shared<const Schema>(schema);
  const std::int64_t not_a_time = INT64_MIN;
  const std::vector<Row> sound{{1, "a"}, {2, "a"}, {1, "b"}};
  const model::Run run{{0, 3}};
  const auto code_of = [&](const std::vector<Row>& rows, const model::Run& said) {
    const auto file = sample::file_of(*vfs, {});
    SegmentWriter writer(*file, sample::spec_of(shared));
    try {
      writer.begin_run(said);
      for (const Row& row : rows) writer.append(test::batch_of(shared, {row}));
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("changed while") != std::string::npos);
      return error.code();
    }
    return ErrorCode::not_found;
  };
  CHECK(code_of(sound, run) == ErrorCode::not_found);
  CHECK(code_of({{2, "a"}, {1, "a"}, {1, "b"}}, run) == ErrorCode::invalid_argument);
  CHECK(code_of({{1, "b"}, {2, "a"}, {3, "a"}}, run) == ErrorCode::invalid_argument);
  CHECK(code_of({{1, "a"}, {2, "a"}, {sample::kHour, "b"}}, run) == ErrorCode::invalid_argument);
  CHECK(code_of({{not_a_time, "a"}, {2, "a"}, {1, "b"}}, run) == ErrorCode::invalid_argument);
  CHECK(code_of({{1, "a"}, {2, "\xff"}, {1, "b"}}, run) == ErrorCode::invalid_argument);
  CHECK(code_of(sound, {{0, 2}, {0, 1}}) == ErrorCode::invalid_argument);
}

TEST_CASE("segment: chunks of a user's codec come back, and say its name where it is unknown") {
  const auto vfs = io::memory_vfs();
  const auto codec = std::make_unique<test::SwapCodec>();
  std::vector<Made> all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::Random random(seed);
    all.push_back(make(*vfs, random, seed == 1 ? 12'000 : 50));
    SegmentSpec spec = sample::spec_of(all.back().schema);
    spec.codec = codec.get();
    const auto file = sample::file_of(*vfs, {});
    all.back().info = sample::write(*file, spec, all.back().runs, random);
    all.back().bytes = sample::bytes_of(*file);
  }
  try {
    sample::read_all(*open(*vfs, all[0].bytes));
    FAIL("it was read without its codec");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported_format);
    CHECK(std::string(error.what()).find("codec \"swap\" (id 1031, version 3)") !=
          std::string::npos);
  }
  codec::codec_register(std::make_unique<test::SwapCodec>());
  for (const Made& made : all) {
    for (const bool map : {true, false}) {
      const auto reader = open(*vfs, made.bytes, map);
      REQUIRE(test::same_rows(sample::read_all(*reader), made.rows));
      REQUIRE_FALSE(reader->chunk(0, 0).zero_copy);
      reader->verify();
    }
  }
}

TEST_CASE("segment: hostile bytes behind right checksums end in rows or a typed error") {
  const auto vfs = io::memory_vfs();
  const test::Budget budget;
  std::uint64_t cases = 0;
  std::uint64_t opened = 0;
  for (std::uint64_t seed = test::seed(); cases < 2000 || budget.left(); ++seed) {
    CAPTURE(seed);
    test::Random random(seed);
    const Made made = make(*vfs, random, 30);
    Bytes sound = made.bytes;
    test::reseal(sound);
    REQUIRE(sound == made.bytes);
    for (int i = 0; i < 100; ++i, ++cases) {
      Bytes bytes = made.bytes;
      for (std::uint64_t flips = 1 + test::below(random, 3); flips-- > 0;) {
        const std::size_t at =
            bytes.size() - 1 - test::below(random, std::min<std::size_t>(bytes.size(), 1500));
        bytes[at] = static_cast<std::byte>(random());
      }
      test::reseal(bytes);
      try {
        const auto reader = open(*vfs, bytes, i % 2 == 0);
        sample::read_all(*reader);
        ++opened;
        reader->verify();
      } catch (const Error&) {
      }
    }
  }
  CHECK(opened > cases / 50);  // else the checksums were not right
  MESSAGE(cases << " mutants, " << opened << " of them read, from seed " << test::seed());
}

TEST_CASE("segment: an error of one chunk ends the write with that error") {
  const auto vfs = io::memory_vfs();
  test::Random random(3);
  const Made made = make(*vfs, random, 300);
  SegmentSpec spec = sample::spec_of(made.schema);
  spec.threads = 4;
  spec.leaf = [](const LeafRows& leaf) {
    if (leaf.column == 0) throw_error(ErrorCode::limit, "planted");
  };
  const auto file = sample::file_of(*vfs, {});
  test::Random another(3);
  try {
    sample::write(*file, spec, made.runs, another);
    FAIL("it was written");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::limit);
  }
}

}  // namespace otolith::segment
