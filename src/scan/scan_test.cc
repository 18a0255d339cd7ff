#include "scan/scan.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

Schema plain_schema() {
  Schema schema;
  schema.partition = Partition::hour;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "x", .type = {TypeKind::float64}, .nullable = false, .id = 2}};
  return schema;
}

// One commit of rows at 0, 1, 2, … minutes in one segment.
struct Minutes : World {
  // raw: views, and damage at known places
  explicit Minutes(std::int64_t rows, std::string_view codec = "raw") : World(1) {
    Schema plain = plain_schema();
    plain.codec = codec;
    schema = old_schema = std::make_shared<const Schema>(plain);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    visible.clear();
    std::vector<Row> all;
    for (std::int64_t i = 0; i < rows; ++i) all.push_back({i * (sample::kHour / 60), double(i)});
    snapshot->shown[1] = std::vector<bool>(all.size(), true);
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, all)},
                               {sample::run_of(*schema, all)});
    entry.begin_first = entry.begin_last = CommitNumber{1};
    snapshot->segment_list = {entry};
  }
};

}  // namespace

TEST_CASE(
    "scan: any segments, tail, marks, keys, ranges, orders and limits give what brute force "
    "gives") {
  const test::Budget budget;
  std::uint64_t cases = 0;
  for (std::uint64_t seed = test::seed(); cases < 2000 || budget.left(); ++seed) {
    CAPTURE(seed);
    World world(seed);
    if (seed % 3 == 0) world.narrow();
    for (int i = 0; i < 20; ++i, ++cases) {
      CAPTURE(i);
      const ReadRequest request = world.random_request();
      REQUIRE(test::same_rows(read(world.context(), world, request), world.expected(request)));
    }
  }
  MESSAGE(cases << " reads from seed " << test::seed());
}

TEST_CASE("scan: all rows at once are decoded into one stretch of memory for each column") {
  Minutes world(600, "hot");
  const ScanContext context{std::make_shared<SegmentStore>(world.vfs, sample::id_of(3)), 2};
  ReadRequest request;
  request.start = Timestamp{90 * (sample::kHour / 60)};
  request.stop = Timestamp{400 * (sample::kHour / 60)};
  const std::vector<Batch> batches =
      Scan(context, world.snapshot, world.snapshot->entry, request).rest();
  REQUIRE(batches.size() == 6);
  std::uint64_t row = 90;
  const std::byte* end = batches[0].columns[1].values.bytes.data();
  for (const Batch& batch : batches) {
    const Array& column = batch.columns[1];
    CHECK(column.values.bytes.data() == end);
    CHECK_FALSE(column.zero_copy);
    end += column.values.bytes.size();
    for (std::uint64_t i = 0; i < batch.rows; ++i)
      REQUIRE(column.value<double>(i) == double(row++));
  }
  CHECK(row == 400);
}

TEST_CASE("scan: counts and times of visible rows without reading them are those of reading them") {
  const test::Budget budget;
  for (std::uint64_t seed = test::seed(), end = seed + 300; seed < end || budget.left(); ++seed) {
    CAPTURE(seed);
    World world(seed);
    const std::vector<Row> rows = world.expected({});
    const ScanContext context = world.context();
    REQUIRE(count_rows(context, *world.snapshot, world.snapshot->entry) == rows.size());
    const auto range = time_range(context, world.snapshot, world.snapshot->entry);
    REQUIRE(range.has_value() == !rows.empty());
    if (!range) continue;
    REQUIRE(range->first.ns == sample::time_of(*world.schema, rows.front()));
    REQUIRE(range->second.ns == sample::time_of(*world.schema, rows.back()));
  }
}

TEST_CASE("scan: a sealed segment that is wholly visible is counted without being opened") {
  std::uint64_t sealed = 0;
  for (std::uint64_t seed = 1; sealed < 5; ++seed) {
    World world(seed);
    history::SegmentEntry entry;
    for (const auto& segment : world.snapshot->segment_list) {
      if (segment.many) entry = segment;
    }
    if (!entry.many) continue;
    world.snapshot->segment_list = {entry};
    world.snapshot->tail_list.clear();
    Schema kept = *world.schema;
    kept.duplicates = Duplicates::keep;
    world.snapshot->entry.schema = std::make_shared<const Schema>(kept);
    for (auto& [begin, bits] : world.snapshot->shown) bits.assign(bits.size(), true);
    world.vfs->remove(segment::segment_path(entry.ref.id));
    const ScanContext context = world.context();
    CHECK(count_rows(context, *world.snapshot, world.snapshot->entry) == entry.ref.rows);
    CHECK(time_range(context, world.snapshot, world.snapshot->entry)->first == entry.ref.time_min);
    world.snapshot->shown.at(value_of(entry.begin_first)).front() = false;
    CHECK_THROWS_AS(count_rows(context, *world.snapshot, world.snapshot->entry), Error);
    ++sealed;
  }
}

TEST_CASE("scan: a range of a plain column in one segment is read without a copy, and says so") {
  Minutes world(600);
  const ScanContext context{std::make_shared<SegmentStore>(world.vfs, sample::id_of(3))};
  ReadRequest request;
  request.start = Timestamp{90 * (sample::kHour / 60)};
  request.stop = Timestamp{400 * (sample::kHour / 60)};
  Scan scan(context, world.snapshot, world.snapshot->entry, request);
  std::uint64_t row = 90;
  const std::byte* end = nullptr;
  while (const auto batch = scan.next()) {
    for (const Array& column : batch->columns) CHECK(column.zero_copy);
    const BytesView values = batch->columns[1].values.bytes;
    if (end != nullptr) CHECK(values.data() == end);  // side by side over the partitions
    end = values.data() + values.size();
    for (std::uint64_t i = 0; i < batch->rows; ++i)
      REQUIRE(batch->columns[1].value<double>(i) == double(row++));
  }
  CHECK(row == 400);
  request.reverse = true;
  Scan reversed(context, world.snapshot, world.snapshot->entry, request);
  CHECK_FALSE(reversed.next()->columns[0].zero_copy);
  const ScanContext copied{
      std::make_shared<SegmentStore>(world.vfs, sample::id_of(3), StoreOptions{false, 1})};
  Scan unmapped(copied, world.snapshot, world.snapshot->entry, {});
  CHECK_FALSE(unmapped.next()->columns[0].zero_copy);
}

TEST_CASE("scan: damage is named by file, offset and commits; what is sound stays readable") {
  Minutes world(600);
  const std::string path = segment::segment_path(world.snapshot->segment_list[0].ref.id);
  const auto reader =
      SegmentStore(world.vfs, sample::id_of(3)).open(kDataset, world.snapshot->segment_list[0]);
  const auto file = world.vfs->open(path, io::OpenMode::read_write);
  std::byte byte{};
  const std::uint64_t at = 192 + 8 * 61;  // the second hour's times
  file->read_at(at, {&byte, 1});
  byte ^= std::byte{1};
  file->write_at(at, {&byte, 1});
  const ScanContext context{
      std::make_shared<SegmentStore>(world.vfs, sample::id_of(3), StoreOptions{false, 1})};
  ReadRequest request;
  CHECK_THROWS_AS(read(context, world, request), Error);
  try {
    read(context, world, request);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().file == path);
    CHECK(error.where().offset.has_value());
    CHECK(error.where().commits == std::vector<std::uint64_t>{1});
  }
  request.start = Timestamp{2 * sample::kHour};
  CHECK(read(context, world, request).size() == 480);
  request = {};
  request.columns = {"x"};
  CHECK(read(context, world, request).size() == 600);
}

TEST_CASE("scan: a missing segment is corrupt and names its commits; rows outside it are read") {
  Minutes world(120);
  world.vfs->remove(segment::segment_path(world.snapshot->segment_list[0].ref.id));
  try {
    read(world.context(), world, {});
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().commits == std::vector<std::uint64_t>{1});
  }
  ReadRequest request;
  request.start = Timestamp{3 * sample::kHour};
  CHECK(read(world.context(), world, request).empty());
}

TEST_CASE("scan: no more descriptors is one error of segment, commits and remedy, and passes") {
  Minutes world(120);
  const history::SegmentEntry first = world.snapshot->segment_list[0];
  const ScanContext context{std::make_shared<SegmentStore>(world.vfs, sample::id_of(3))};
  world.disk.inject({.operation = io::Operation::open, .error = EMFILE, .sticky = true});
  try {
    read(context, world, {});
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::io);
    CHECK(error.where().file == segment::segment_path(first.ref.id));
    CHECK(error.where().commits == std::vector<std::uint64_t>{1});
    CHECK(error.message().find("ulimit -n") != std::string::npos);
  }
  world.disk.clear_faults();
  CHECK(read(context, world, {}).size() == 120);
  // A reader that is only kept in case gives its descriptor to who needs one.
  history::SegmentEntry second = world.write_segment(
      sample::spec_of(world.schema), {test::batch_of(world.schema, {{std::int64_t{0}, 1.0}})},
      {sample::run_of(*world.schema, {{std::int64_t{0}, 1.0}})});
  second.begin_first = second.begin_last = CommitNumber{2};
  world.disk.inject({.operation = io::Operation::open, .error = EMFILE});
  CHECK(context.store->open(kDataset, second)->shape().rows == 1);
}

TEST_CASE("scan: a column that does not exist is refused with the nearest name") {
  Minutes world(10);
  ReadRequest request;
  request.columns = {"tme"};
  try {
    read(world.context(), world, request);
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(std::string(error.what()).find("\"time\"") != std::string::npos);
  }
  request.columns = {"x", "x"};
  CHECK_THROWS_AS(read(world.context(), world, request), Error);
  request.columns.reset();
  request.keys = {{"x", {std::int64_t{1}}}};
  CHECK_THROWS_AS(read(world.context(), world, request), Error);
}

}  // namespace otolith::scan
