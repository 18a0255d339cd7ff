#include "scan/filter.h"

#include <doctest/doctest.h>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

// Pages of many rows, so that zone maps, whole words and views are met; one commit, no keys.
struct Large : World {
  explicit Large(std::uint64_t seed) : World(seed) {
    Schema made;
    made.codec = seed % 2 == 0 ? "raw" : "hot";
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1}};
    for (unsigned kind = 1; kind <= 15; ++kind) {
      const Type type{static_cast<TypeKind>(kind)};
      if (!type_supported(type)) continue;
      const auto id = static_cast<std::uint32_t>(made.columns.size() + 1);
      made.columns.push_back({.name = "c" + std::to_string(id), .type = type, .id = id});
      made.columns.back().nullable = test::below(random, 2) == 0;
    }
    schema = old_schema = std::make_shared<const Schema>(made);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    visible.clear();
    std::vector<Row> all;
    std::vector<Row> near(20);  // most rows are like the page's own, so that zones differ
    for (std::int64_t i = 0; i < 20'000; ++i) {
      if (i % 4096 == 0) {
        for (Row& row : near) row = sample::random_row(random, *schema, 1);
      }
      all.push_back(near[test::below(random, near.size())]);
      all.back()[0] = i * (sample::kHour / 8192);
    }
    begin_rows(1, all);
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, all)},
                               {sample::run_of(*schema, all)});
    entry.begin_first = entry.begin_last = CommitNumber{1};
    snapshot->segment_list = {entry};
  }
};

// Two commits with a key each, the later times having the lesser one.
struct Keyed : World {
  explicit Keyed(std::uint64_t seed) : World(seed) {
    Schema made;
    made.keys = {"k"};
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "k", .type = {TypeKind::string}, .nullable = false, .id = 2},
                    {.name = "n", .type = {TypeKind::int64}, .nullable = false, .id = 3}};
    schema = old_schema = std::make_shared<const Schema>(made);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    visible.clear();
    for (const std::uint64_t begin : {1u, 2u}) {
      std::vector<Row> rows;
      for (std::int64_t i = 0; i < 100; ++i)
        rows.push_back({static_cast<std::int64_t>(begin) * 1'000'000 + i,
                        std::string(begin == 1 ? "b" : "a"), i % 7});
      begin_rows(begin, rows);
      auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, rows)},
                                 {sample::run_of(*schema, rows)});
      entry.begin_first = entry.begin_last = CommitNumber{begin};
      snapshot->segment_list.push_back(entry);
    }
  }
};

}  // namespace

TEST_CASE("filter: under a limit no row comes before one of a lesser key that is later in time") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Keyed world(seed);
    for (const Order order : {Order::stored, Order::time}) {
      for (const bool reverse : {false, true}) {
        for (const std::uint64_t limit : {1u, 5u, 40u, 150u}) {
          ReadRequest request;
          request.where = col("n") > 0;
          request.order = order;
          request.reverse = reverse;
          request.limit = limit;
          ScanContext context = world.context();
          context.step_rows = 10;
          REQUIRE(test::same_rows(read(context, world, request), world.expected(request)));
        }
      }
    }
  }
}

TEST_CASE("filter: random conditions over random tables keep the rows that brute force keeps") {
  const test::Budget budget;
  std::uint64_t cases = 0;
  std::uint64_t rows = 0;
  for (std::uint64_t seed = test::seed(); cases < 10'000 || budget.left(); ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (unsigned i = 0; i < 50; ++i, ++cases) {
      CAPTURE(i);
      ReadRequest request;
      if (i % 2 == 0) request = world.random_request();
      request.where = random_condition(world.random, *world.schema, i % 4);
      const std::vector<Row> expected = world.expected(request);
      rows += expected.size();
      REQUIRE(test::same_rows(read(world.context(), world, request), expected));
    }
  }
  MESSAGE(cases << " conditions, " << rows << " rows, from seed " << test::seed());
}

TEST_CASE("filter: conditions over many pages keep the rows that brute force keeps") {
  const test::Budget budget;
  std::uint64_t cases = 0;
  for (std::uint64_t seed = test::seed(); cases < 100 || budget.left(); ++seed) {
    CAPTURE(seed);
    Large world(seed);
    for (unsigned i = 0; i < 25; ++i, ++cases) {
      CAPTURE(i);
      ReadRequest request;
      if (i % 3 == 0) request = world.random_request();
      request.where = random_condition(world.random, *world.schema, i % 3);
      REQUIRE(test::same_rows(read(world.context(), world, request), world.expected(request)));
    }
  }
  MESSAGE(cases << " conditions from seed " << test::seed());
}

TEST_CASE("filter: what does not fit the schema is refused before anything is read") {
  World world(1);
  const auto refused = [&](const Expression& where, std::string_view words) {
    ReadRequest request;
    request.where = where;
    try {
      Scan scan(world.context(), world.snapshot, world.snapshot->entry, request);
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid_argument &&
             error.message().find(words) != std::string::npos;
    }
    return false;
  };
  CHECK(refused(col("tim") > Timestamp{0}, "did you mean \"time\""));
  CHECK(refused(col("late") > 1, "column \"late\" is string"));
  CHECK(refused(col("wide"), "no condition by itself"));
  CHECK(refused((col("wide") > 1) == Constant(5), "give true or false"));
  CHECK(refused(col("wide") * col("time") > 1, "int64 and timestamp"));
  CHECK(refused(col("late") > col("wide"), "string is not compared with int64"));
  CHECK(refused(col("wide") + col("lat") > 1, "did you mean \"late\""));
  CHECK(refused(col("wide").call("lower") == "a", "lower takes strings"));
  CHECK(refused(parse_condition("wide > 1 and matches(late, '(')"), "(character 14)"));
  CHECK(refused(parse_condition("wide > 1 and not wid < 5"), "(character 18)"));
  CHECK(refused(parse_condition("wide = 'one'"), "(character 1)"));
  CHECK(
      refused(parse_condition("time > 'noon'"), "where: column \"time\": \"noon\" is not a time"));
  CHECK(refused(parse_condition("late is null or (wide = 1 or wide = 2 or wide = 3 or wide = 4 or "
                                "wide = 5 or wide = 6 or wide = 7 or wide = 'one')"),
                "(character 18)"));  // as one set
}

}  // namespace otolith::scan
