// Segments that were joined with others and swept while a scan goes on; and what a segment of many
// commits costs where all of it is shown.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/limits.h"
#include "scan/visible.h"
#include "scan/walk.h"
#include "segment/layout.h"
#include "test/scan_world.h"

namespace otolith::scan {

using namespace sample_world;

namespace {

// Commits of some hours each, partitioned by hour: 1 of the hours 0 and 1, 2 of 1 and 2, and so on.
struct Hours : World {
  std::shared_ptr<PlainSnapshot> joined = std::make_shared<PlainSnapshot>();
  std::uint64_t renewals = 0;

  explicit Hours(std::uint64_t commits) : World(1) {
    Schema hourly;
    hourly.columns = {{"time", {TypeKind::timestamp}, false, 1, "", {}},
                      {"x", {TypeKind::float64}, true, 2, "", {}}};
    hourly.time = "time";
    hourly.partition = Partition::hour;
    schema = std::make_shared<const Schema>(hourly);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = joined->entry = {kDataset, "t", schema};
    for (std::uint64_t begin = 1; begin <= commits; ++begin) add(begin);
    join(commits);
  }

  std::vector<Row> rows_of(std::uint64_t begin) const {
    const auto hour = static_cast<std::int64_t>(begin) - 1;
    return {{hour * sample::kHour, double(begin)}, {(hour + 1) * sample::kHour, double(begin)}};
  }

  void add(std::uint64_t begin) {
    const std::vector<Row> rows = rows_of(begin);
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, rows)},
                               {sample::run_of(*schema, rows)});
    entry.begin_first = entry.begin_last = CommitNumber{begin};
    snapshot->segment_list.push_back(entry);
    snapshot->shown[begin] = joined->shown[begin] = {true, true};
  }

  // All of them in one segment, which another snapshot of the commit names.
  void join(std::uint64_t commits) {
    std::vector<Row> rows;
    model::ArrayBuilder begins({TypeKind::uint64});
    model::ArrayBuilder ordinals({TypeKind::uint64});
    for (std::uint64_t hour = 0; hour <= commits; ++hour) {
      for (const std::uint64_t begin : {hour, hour + 1}) {
        if (begin == 0 || begin > commits) continue;
        rows.push_back(rows_of(begin)[hour + 1 - begin]);
        begins.append_value(begin);
        ordinals.append_value(hour + 1 - begin);
      }
    }
    Batch batch = test::batch_of(schema, rows);
    batch.columns.push_back(begins.finish());
    batch.columns.push_back(ordinals.finish());
    segment::SegmentSpec spec = sample::spec_of(schema);
    spec.many = true;
    auto entry = write_segment(spec, {batch}, {sample::run_of(*schema, rows)});
    entry.begin_first = CommitNumber{1};
    entry.begin_last = CommitNumber{commits};
    joined->segment_list = {entry};
  }

  void sweep() {
    for (const auto& entry : snapshot->segment_list)
      vfs->remove(segment::segment_path(entry.ref.id));
  }

  ScanContext renewing() {
    const StoreOptions options{true, 1, [this](const history::Snapshot&) {
                                 ++renewals;
                                 return joined;
                               }};
    return {std::make_shared<SegmentStore>(vfs, sample::id_of(3), options), 1};
  }

  // Swept behind the first partition.
  std::vector<Row> read_and_sweep(const ReadRequest& request) {
    Scan scan(renewing(), snapshot, snapshot->entry, request);
    std::vector<Row> out;
    while (auto batch = scan.next()) {
      for (Row& row : test::rows_of(*batch)) out.push_back(std::move(row));
      if (out.size() == batch->rows) sweep();
    }
    return out;
  }
};

// Rows of begins from..to, of which no row id may be read.
class Asked final : public RowSource {
 public:
  Asked(std::uint64_t from, std::uint64_t to) {
    rows_ = 10;
    pieces_.push_back({0, 0, rows_, 0, 0, 9});
    store_le(zone_.min.data(), from);
    store_le(zone_.max.data(), to);
    zone_.flags = segment::kZoneHasBounds;
  }
  std::optional<Type> type(ColumnId) const override { return Type{TypeKind::uint64}; }
  const segment::Zone* zone(std::size_t, ColumnId, std::uint64_t) const override { return &zone_; }
  const segment::Zone* chunk_zone(std::size_t, ColumnId) const override { return &zone_; }
  Array values(std::size_t, ColumnId, std::uint64_t, std::uint64_t) const override {
    throw_error(ErrorCode::invalid_argument, "row ids were read");
  }

 private:
  segment::Zone zone_;
};

}  // namespace

TEST_CASE("scan: goes on with the same commit where its segments were joined and swept meanwhile") {
  for (const bool reverse : {false, true}) {
    CAPTURE(reverse);
    ReadRequest request;
    request.reverse = reverse;
    Hours quiet(6);
    Scan plain(quiet.renewing(), quiet.snapshot, quiet.snapshot->entry, request);
    std::vector<Row> expected;
    while (auto batch = plain.next()) {
      for (Row& row : test::rows_of(*batch)) expected.push_back(std::move(row));
    }
    REQUIRE(expected.size() == 12);
    CHECK(quiet.renewals == 0);
    Hours world(6);
    CHECK(test::same_rows(world.read_and_sweep(request), expected));
    CHECK(world.renewals == 1);
  }
}

TEST_CASE("scan: rows and times are counted where the segments that hold them were joined") {
  Hours world(5);
  world.sweep();
  world.snapshot->shown[3] = world.joined->shown[3] = {true, false};
  CHECK(count_rows(world.renewing(), *world.snapshot, world.snapshot->entry) == 9);
  const auto times = time_range(world.renewing(), world.snapshot, world.snapshot->entry);
  REQUIRE(times);
  CHECK(times->second == Timestamp{5 * sample::kHour});
}

TEST_CASE("scan: a segment that the commit still names, and is not there, is damage") {
  Hours world(3);
  world.sweep();
  world.joined = world.snapshot;
  ReadRequest request;
  Scan scan(world.renewing(), world.snapshot, world.snapshot->entry, request);
  try {
    (void)scan.next();
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    CHECK(error.where().commits == std::vector<std::uint64_t>{1});
  }
}

TEST_CASE("scan: all segments of a partition are open before its first row is given") {
  Hours world(3);
  const auto context = world.renewing();
  // Hour 1 has rows of commits 1 and 2; the second goes, and nothing takes its place.
  world.vfs->remove(segment::segment_path(world.snapshot->segment_list[1].ref.id));
  world.joined = world.snapshot;
  ReadRequest request;
  request.start = Timestamp{sample::kHour};
  Scan scan(context, world.snapshot, world.snapshot->entry, request);
  CHECK_THROWS_AS((void)scan.next(), Error);
}

TEST_CASE("visible: of many commits that are all shown no row id is read") {
  const auto snapshot = std::make_shared<PlainSnapshot>();
  for (const std::uint64_t begin : {3u, 4u, 5u}) snapshot->shown[begin] = {true, true};
  snapshot->shown[6] = {true, false};
  Visibility visibility(snapshot, kDataset);
  CHECK(visibility.of(Asked(3, 5), 0) == RowSet{{0, 10}});
  CHECK(visibility.among(Asked(3, 5), 0, {{2, 3}}) == RowSet{{2, 3}});
  CHECK_THROWS_AS(visibility.of(Asked(3, 6), 0), Error);
}

}  // namespace otolith::scan
