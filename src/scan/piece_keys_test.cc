#include "scan/piece_keys.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "base/limits.h"
#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

// More rows than a row group, of some keys and many equal times, in two segments of two runs; some
// rows are hidden.
struct Many : World {
  Many(std::uint64_t seed, std::uint64_t keys) : World(seed) {
    Schema made;
    made.partition = Partition::none;
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "key", .type = {TypeKind::int32}, .nullable = false, .id = 2},
                    {.name = "n", .type = {TypeKind::int64}, .nullable = false, .id = 3}};
    made.keys = {"key"};
    schema = old_schema = std::make_shared<const Schema>(made);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    visible.clear();
    for (std::uint64_t begin = 1; begin <= 2; ++begin) add(begin, keys);
  }

  void add(std::uint64_t begin, std::uint64_t keys) {
    std::vector<Row> rows;
    std::vector<Batch> batches;
    std::vector<model::Run> layouts;
    for (std::uint64_t run = 0; run < 2; ++run) {
      std::vector<Row> sorted;
      for (std::int64_t i = 0; i < 20'000; ++i) {
        sorted.push_back({static_cast<std::int64_t>(test::below(random, 3'000)),
                          static_cast<std::int64_t>(test::below(random, keys)), i});
      }
      sample::sort_run(*schema, sorted);
      batches.push_back(test::batch_of(schema, sorted));
      layouts.push_back(sample::run_of(*schema, sorted));
      rows.insert(rows.end(), sorted.begin(), sorted.end());
    }
    for (const Row& row : rows) {
      const bool shown = test::below(random, 50) != 0;
      snapshot->shown[begin].push_back(shown);
      if (shown) visible.push_back({row, begin, snapshot->shown[begin].size() - 1});
    }
    auto entry = write_segment(sample::spec_of(schema), batches, layouts);
    entry.begin_first = entry.begin_last = CommitNumber{begin};
    snapshot->segment_list.push_back(entry);
  }
};

}  // namespace

TEST_CASE("ends of keys: a limit by time gives what brute force gives, first and last") {
  for (const std::uint64_t keys : {1u, 7u, 300u, 30'000u}) {
    Many world(test::seed() + keys, keys);
    for (const bool reverse : {false, true}) {
      ReadRequest request{.reverse = reverse};
      const std::vector<Row> all = world.expected(request);
      for (const std::uint64_t limit : {1u, 5u, 100u, 2'000u}) {
        CAPTURE(keys);
        CAPTURE(reverse);
        CAPTURE(limit);
        request.limit = limit;
        std::vector<Row> expected = all;
        expected.resize(limit);
        REQUIRE(test::same_rows(read(world.context(), world, request), expected));
      }
    }
  }
}

}  // namespace otolith::scan
