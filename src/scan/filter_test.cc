#include "scan/filter.h"

#include <doctest/doctest.h>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using namespace sample_world;

}  // namespace

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

}  // namespace otolith::scan
