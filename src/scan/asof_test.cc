#include "scan/asof.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

AsofRequest random_asof(World& world) {
  ReadRequest random = world.random_request();
  AsofRequest out{.columns = std::move(random.columns), .keys = std::move(random.keys)};
  const auto quarter = static_cast<std::int64_t>(test::below(world.random, 34)) - 2;
  const auto beside = static_cast<std::int64_t>(test::below(world.random, 3)) - 1;
  if (test::below(world.random, 4) != 0) out.at = {quarter * (sample::kHour / 4) + beside};
  if (test::below(world.random, 3) != 0 || world.schema->keys.empty()) return out;
  // Keys that are there, all of them named: the walk may end early.
  out.keys.clear();
  for (const std::string& key : world.schema->keys) {
    const std::size_t at = *world.schema->find(key);
    KeyFilter filter{key, {}};
    for (std::uint64_t i = 1 + test::below(world.random, 3); i-- > 0 && !world.visible.empty();) {
      const Known& known = world.visible[test::below(world.random, world.visible.size())];
      filter.values.push_back(World::key_value(known.row[at], world.schema->columns[at].type));
    }
    out.keys.push_back(filter);
  }
  return out;
}

// Of each key the row that no other is behind.
std::vector<Row> expected(const World& world, const AsofRequest& request) {
  ReadRequest before{.keys = request.keys};
  if (request.at < kTimestampMax) before.stop = Timestamp{request.at.ns + 1};
  std::vector<Row> rows = world.expected(before);  // by time, ties in stored order
  const auto key_of = [&](const Row& row) {
    Row key;
    for (const std::string& name : world.schema->keys)
      key.push_back(row[*world.schema->find(name)]);
    return key;
  };
  std::vector<Row> last;
  for (const Row& row : rows) {
    std::erase_if(last, [&](const Row& other) { return key_of(other) == key_of(row); });
    last.push_back(row);
  }
  const std::size_t time = world.schema->time_index();
  std::ranges::sort(last, [&](Row a, Row b) {
    a[time] = b[time] = std::int64_t{0};
    return sample::stored_before(*world.schema, a, b);
  });
  std::vector<Row> out;
  for (const Row& row : last) {
    out.emplace_back();
    for (const std::string& name : request.columns ? *request.columns : world.schema->names())
      out.back().push_back(row[*world.schema->find(name)]);
  }
  return out;
}

std::vector<Row> rows_of(const LastRows& found) {
  std::vector<Row> out;
  for (const Batch& batch : found.batches) {
    for (Row& row : test::rows_of(batch)) out.push_back(std::move(row));
  }
  return out;
}

// Days of ten keys each, a row each hour and key, a segment a day; the last key's rows end early.
struct Days : World {
  static constexpr std::int64_t kDay = 24 * sample::kHour;

  Days() : World(1) {
    Schema made;
    made.partition = Partition::day;
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "key", .type = {TypeKind::int32}, .nullable = false, .id = 2}};
    made.keys = {"key"};
    schema = old_schema = std::make_shared<const Schema>(made);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    for (std::uint64_t day = 0; day < 20; ++day) {
      std::vector<Row> rows;
      for (std::int64_t key = 0; key < (day < 5 ? 10 : 9); ++key) {
        for (std::int64_t hour = 0; hour < 24; ++hour)
          rows.push_back({static_cast<std::int64_t>(day) * kDay + hour * sample::kHour, key});
      }
      snapshot->shown[day + 1] = std::vector<bool>(rows.size(), true);
      auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, rows)},
                                 {sample::run_of(*schema, rows)});
      entry.begin_first = entry.begin_last = CommitNumber{day + 1};
      snapshot->segment_list.push_back(entry);
    }
  }

  LastRows last(AsofRequest request) { return asof(context(), snapshot, snapshot->entry, request); }
};

}  // namespace

TEST_CASE("asof: any segments, tail, marks, keys, times and policies give what brute force gives") {
  const test::Budget budget;
  std::uint64_t cases = 0;
  std::uint64_t found = 0;
  for (std::uint64_t seed = test::seed(); cases < 4000 || budget.left(); ++seed) {
    CAPTURE(seed);
    World world(seed);
    if (seed % 3 == 0) world.narrow();
    for (int i = 0; i < 20; ++i, ++cases) {
      CAPTURE(i);
      const AsofRequest request = random_asof(world);
      const std::vector<Row> rows =
          rows_of(asof(world.context(), world.snapshot, world.snapshot->entry, request));
      REQUIRE(test::same_rows(rows, expected(world, request)));
      found += rows.size();
    }
  }
  CHECK(found > cases);
  MESSAGE(cases << " reads from seed " << test::seed());
}

TEST_CASE("asof: named keys are looked for no further back than the last of them") {
  Days days;
  CHECK(days.last({.keys = {{"key", {std::int64_t{3}, std::int64_t{5}}}}}).partitions == 1);
  CHECK(days.last({.at = {10 * Days::kDay}, .keys = {{"key", {std::int64_t{3}}}}}).partitions == 1);
  const LastRows ended = days.last({.keys = {{"key", {std::int64_t{3}, std::int64_t{9}}}}});
  CHECK(ended.partitions == 16);
  CHECK(rows_of(ended) == std::vector<Row>{{20 * Days::kDay - sample::kHour, std::int64_t{3}},
                                           {5 * Days::kDay - sample::kHour, std::int64_t{9}}});
  const LastRows all = days.last({.at = {7 * Days::kDay}});
  CHECK(all.partitions == 8);
  CHECK(rows_of(all).size() == 10);
  // Segments before the day that decides are not opened.
  for (std::size_t day = 0; day < 19; ++day)
    days.vfs->remove(segment::segment_path(days.snapshot->segment_list[day].ref.id));
  CHECK(rows_of(days.last({.keys = {{"key", {std::int64_t{3}}}}})).size() == 1);
  CHECK_THROWS_AS(days.last({}), Error);
}

TEST_CASE("asof: a column that does not exist is refused with the nearest name") {
  Days days;
  CHECK_THROWS_WITH_AS(days.last({.columns = {{"keys"}}}),
                       doctest::Contains("did you mean \"key\"?"), Error);
  CHECK_THROWS_AS(days.last({.keys = {{"time", {std::int64_t{3}}}}}), Error);
}

}  // namespace otolith::scan
