// What is shown where a policy hides rows, and that nothing is read where none can.
#include "scan/policy.h"

#include <doctest/doctest.h>

#include "segment/path.h"
#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

// One commit of a row a minute, none twice but where `again` says so.
struct Minutes : World {
  explicit Minutes(std::int64_t rows, std::int64_t again = 0) : World(1) {
    Schema plain;
    plain.partition = Partition::hour;
    plain.duplicates = Duplicates::last;
    plain.codec = "raw";
    plain.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                     {.name = "x", .type = {TypeKind::int64}, .nullable = false, .id = 2}};
    schema = old_schema = std::make_shared<const Schema>(plain);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    visible.clear();
    std::vector<Row> all;
    for (std::int64_t i = 0; i < rows; ++i) {
      all.push_back({i * (sample::kHour / 60), i});
      if (i < again) all.push_back({i * (sample::kHour / 60), -i});
    }
    snapshot->shown[1] = std::vector<bool>(all.size(), true);
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, all)},
                               {sample::run_of(*schema, all)});
    entry.begin_first = entry.begin_last = CommitNumber{1};
    snapshot->segment_list = {entry};
  }

  // Whatever reads values finds them damaged.
  void damage_values() {
    const std::string path = segment::segment_path(snapshot->segment_list[0].ref.id);
    const auto file = vfs->open(path, io::OpenMode::read_write);
    Bytes bytes(8 * snapshot->segment_list[0].ref.rows * 2);
    file->read_at(192, bytes);
    for (std::byte& byte : bytes) byte ^= std::byte{1};
    file->write_at(192, bytes);
  }
};

}  // namespace

TEST_CASE("policy: rows are counted as brute force counts them, whatever hides some") {
  const test::Budget budget;
  std::uint64_t seed = test::seed();
  for (int worlds = 0; worlds < 500 || budget.left(); ++worlds, ++seed) {
    CAPTURE(seed);
    World world(seed);
    if (seed % 3 == 0) world.narrow();
    REQUIRE(count_rows(world.context(), *world.snapshot, world.snapshot->entry) ==
            world.after_policy().size());
  }
}

TEST_CASE("policy: where no rows share keys and time, no time is read to count or to filter") {
  Minutes world(600);
  world.damage_values();
  const ScanContext context = world.context();
  CHECK(count_rows(context, *world.snapshot, world.snapshot->entry) == 600);
  ReadRequest request;
  request.columns.emplace();
  request.where = col("x") >= 0;
  // The filter reads what it asks about, if its bounds do not tell.
  Scan scan(context, world.snapshot, world.snapshot->entry, request);
  std::uint64_t rows = 0;
  for (const Batch& batch : scan.rest()) rows += batch.rows;
  CHECK(rows == 600);
  Minutes again(600, 1);
  again.damage_values();
  CHECK_THROWS_AS(count_rows(again.context(), *again.snapshot, again.snapshot->entry), Error);
}

TEST_CASE("policy: a plain column of rows that meet no other is read without a copy") {
  Minutes world(600);
  const ScanContext context{std::make_shared<SegmentStore>(world.vfs, sample::id_of(3))};
  Scan scan(context, world.snapshot, world.snapshot->entry, {});
  std::uint64_t rows = 0;
  for (const Batch& batch : scan.rest()) {
    for (const Array& column : batch.columns) CHECK(column.zero_copy);
    rows += batch.rows;
  }
  CHECK(rows == 600);
}

TEST_CASE("policy: under a limit rows behind it are not filtered") {
  Minutes world(600);
  ScanContext context = world.context();
  context.step_rows = 1;
  ReadRequest request;
  request.columns = {{"x"}};
  request.where = col("x").isin({3, 5, 7});
  request.limit = 1;
  CHECK(read(context, world, request) == std::vector<Row>{{std::int64_t{3}}});
}

}  // namespace otolith::scan
