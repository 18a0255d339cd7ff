// The row ids that a request matches, against brute force over random tables.
#include "scan/matches.h"

#include <doctest/doctest.h>

#include <set>
#include <tuple>

#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using sample_world::Known;
using sample_world::World;
using Ids = std::set<std::pair<std::uint64_t, std::uint64_t>>;

// Rows shown and matched, and with each those that the policy hides behind it.
Ids expected(const World& world, const ReadRequest& request, std::uint64_t after) {
  Ids out;
  for (const Known& shown : world.after_policy()) {
    if (!world.wanted(request, shown.row)) continue;
    const bool alone = world.schema->duplicates == Duplicates::keep;
    for (const Known& row : world.visible) {
      const bool same = alone ? row.begin == shown.begin && row.ordinal == shown.ordinal
                              : world.duplicates(row.row, shown.row);
      if (same && row.begin > after) out.emplace(row.begin, row.ordinal);
    }
  }
  return out;
}

Ids ids_of(const history::MarkList& marks) {
  Ids out;
  CommitNumber before{0};
  for (const history::MarkSet& set : marks.sets()) {
    CHECK_FALSE(set.revive);
    CHECK(set.begin > before);  // in order, and joined
    before = set.begin;
    for (const RowRange& range : set.rows) {
      for (std::uint64_t row = range.first; row < range.end(); ++row)
        out.emplace(value_of(set.begin), row);
    }
  }
  return out;
}

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("matches: ids of random requests over random tables are those of brute force") {
    const test::Budget budget;
    for (std::uint64_t seed = test::seed(); budget.left(); ++seed) {
      CAPTURE(seed);
      World world(seed);
      const ScanContext context = world.context();
      for (int round = 0; round < 8; ++round) {
        ReadRequest request = world.random_request();
        if (test::below(world.random, 2) == 0) {
          request.where = sample_world::random_condition(world.random, *world.schema, 2);
        }
        const bool by_row = matches_by_row(request, world.schema);
        const std::uint64_t after = by_row ? test::below(world.random, 5) : 0;
        const auto found = matching_ids(context, world.snapshot, world.snapshot->entry, request,
                                        CommitNumber{after});
        REQUIRE(ids_of(found) == expected(world, request, after));
      }
    }
  }

  TEST_CASE("matches: rows of a batch in any order are those of brute force") {
    const test::Budget budget;
    for (std::uint64_t seed = test::seed(); budget.left(); ++seed) {
      CAPTURE(seed);
      World world(seed);
      std::vector<test::Row> rows;
      for (const Known& known : world.visible) rows.push_back(known.row);
      std::ranges::shuffle(rows, world.random);
      const Batch batch = test::batch_of(world.schema, rows);
      ReadRequest request = world.random_request();
      if (test::below(world.random, 2) == 0) {
        request.where = sample_world::random_condition(world.random, *world.schema, 2);
      }
      RowSet wanted;
      for (std::uint64_t row = 0; row < rows.size(); ++row) {
        if (world.wanted(request, rows[row])) wanted.append({row, 1});
      }
      REQUIRE(matching_rows(batch, request) == wanted);
    }
  }
}

}  // namespace otolith::scan
