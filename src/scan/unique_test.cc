// New rows that meet others, against brute force over random tables.
#include "scan/unique.h"

#include <doctest/doctest.h>

#include <set>
#include <tuple>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using sample_world::Known;
using sample_world::World;
using segment::sample::Row;
namespace sample = segment::sample;

// Rows of one or two runs that no commit added yet, in the tail's form or as a segment.
struct Added {
  std::vector<Row> rows;
  NewRows source;

  explicit Added(World& world) {
    source.schema = world.schema;
    std::vector<Batch> batches;
    std::vector<model::Run> layouts;
    const std::uint64_t runs = 1 + test::below(world.random, 2);
    for (std::uint64_t run = 0; run < runs; ++run) {
      std::vector<Row> sorted = world.random_run(*world.schema);
      sorted.resize(std::min<std::size_t>(sorted.size(), 1 + test::below(world.random, 30)));
      batches.push_back(test::batch_of(world.schema, sorted));
      layouts.push_back(sample::run_of(*world.schema, sorted));
      rows.insert(rows.end(), sorted.begin(), sorted.end());
    }
    source.time_min = {INT64_MAX};
    source.time_max = {-INT64_MAX};
    for (const Row& row : rows) {
      const Timestamp time{sample::time_of(*world.schema, row)};
      source.time_min = std::min(source.time_min, time);
      source.time_max = std::max(source.time_max, time);
    }
    const auto entry = world.write_segment(sample::spec_of(world.schema), batches, layouts);
    source.open = [store = world.context().store, entry] {
      return segment_source(store->lend(sample_world::kDataset, entry), entry);
    };
  }

  bool share(const World& world) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (world.duplicates(rows[i], rows[j])) return true;
      }
    }
    return false;
  }
};

template <typename Check>
bool refused(Check check) {
  try {
    check();
  } catch (const Error& error) {
    REQUIRE(error.code() == ErrorCode::conflict);
    REQUIRE(error.message().find("\"t\"") != std::string::npos);
    return true;
  }
  return false;
}

// Some visible rows as runs of marks.
history::MarkList some_marks(World& world) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> ids;
  const std::uint64_t most = test::below(world.random, 4);
  for (const Known& known : world.visible) {
    if (test::below(world.random, 4) < most) ids.emplace(known.begin, known.ordinal);
  }
  history::MarkList out;
  for (const auto& [begin, ordinal] : ids) out.append({CommitNumber{begin}, ordinal, 1, false});
  return out;
}

bool is_in(const history::MarkList& marks, const Known& row) {
  return std::ranges::any_of(marks.sets(), [&](const history::MarkSet& set) {
    return value_of(set.begin) == row.begin && set.rows.contains(row.ordinal);
  });
}

}  // namespace

TEST_CASE("unique: random new rows among random tables are refused where brute force meets one") {
  const test::Budget budget;
  std::uint64_t seed = test::seed();
  std::uint64_t met = 0;
  std::uint64_t taken = 0;
  for (int worlds = 0; worlds < 300 || budget.left(); ++worlds, ++seed) {
    CAPTURE(seed);
    World world(seed);
    const ScanContext context = world.context();
    for (int round = 0; round < 4; ++round) {
      const Added added(world);
      const auto marks = some_marks(world);
      const std::uint64_t after = test::below(world.random, 4);
      const bool meets = std::ranges::any_of(world.visible, [&](const Known& known) {
        return known.begin > after && !is_in(marks, known) &&
               std::ranges::any_of(
                   added.rows, [&](const Row& row) { return world.duplicates(row, known.row); });
      });
      REQUIRE(refused([&] {
                check_against(context, world.snapshot, world.snapshot->entry, added.source,
                              CommitNumber{after}, marks);
              }) == meets);
      REQUIRE(refused([&] { check_among(context, world.snapshot->entry, added.source); }) ==
              added.share(world));
      ++(meets ? met : taken);
    }
  }
  CHECK(met > 50);
  CHECK(taken > 50);
}

TEST_CASE("unique: rows behind all others are not opened, nor is what is there") {
  World world(3);
  while (world.snapshot->segment_list.empty()) world.add_segment(9);
  for (const auto& entry : world.snapshot->segment_list)
    world.vfs->remove(segment::segment_path(entry.ref.id));
  NewRows rows{world.schema, {100 * sample::kHour}, {101 * sample::kHour}, [] {
                 FAIL("opened");
                 return std::shared_ptr<const RowSource>();
               }};
  CHECK_NOTHROW(check_against(world.context(), world.snapshot, world.snapshot->entry, rows,
                              CommitNumber{0}, {}));
}

TEST_CASE("unique: the message names every key, the time and the commit") {
  World world(1);
  Schema keyed;
  keyed.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                   {.name = "symbol", .type = {TypeKind::string}, .nullable = false, .id = 2},
                   {.name = "level", .type = {TypeKind::int16}, .nullable = false, .id = 3}};
  keyed.keys = {"symbol", "level"};
  world.schema = world.old_schema = std::make_shared<const Schema>(keyed);
  world.snapshot = std::make_shared<sample_world::PlainSnapshot>();
  world.snapshot->entry = {sample_world::kDataset, "quotes", world.schema};
  const std::vector<Row> rows{{sample::kHour, "AAPL", std::int64_t{-3}}};
  const auto write = [&] {
    return world.write_segment(sample::spec_of(world.schema), {test::batch_of(world.schema, rows)},
                               {sample::run_of(*world.schema, rows)});
  };
  history::SegmentEntry there = write();
  there.begin_first = there.begin_last = CommitNumber{7};
  world.snapshot->segment_list = {there};
  world.snapshot->shown[7] = {true};
  const history::SegmentEntry entry = write();
  const ScanContext context = world.context();
  const NewRows added{world.schema, {sample::kHour}, {sample::kHour}, [&] {
                        return segment_source(context.store->lend(sample_world::kDataset, entry),
                                              entry);
                      }};
  try {
    check_against(context, world.snapshot, world.snapshot->entry, added, CommitNumber{0}, {});
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.message().find("\"quotes\" has a row of \"symbol\" \"AAPL\", \"level\" -3 at "
                               "1970-01-01T01:00") == 0);
    CHECK(error.message().find("from commit 7") != std::string::npos);
    CHECK(error.where().commits == std::vector<std::uint64_t>{7});
  }
}

}  // namespace otolith::scan
