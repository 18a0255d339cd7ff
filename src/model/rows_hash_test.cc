#include "model/rows_hash.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "model/array.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith::model {

namespace {

using test::Row;

std::shared_ptr<const Schema> sizes() {
  return std::make_shared<const Schema>(
      Schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}, .id = 1},
                         {.name = "text", .type = {TypeKind::string}, .id = 2},
                         {.name = "a", .type = {TypeKind::int64}, .id = 3},
                         {.name = "b", .type = {TypeKind::int64}, .id = 4}}});
}

std::vector<Row> some_rows(test::Random& random, std::uint64_t count) {
  std::vector<Row> rows;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto number = [&] { return static_cast<std::int64_t>(test::below(random, 9)); };
    rows.push_back({number(), std::string(test::below(random, 4), 'x'), number(), number()});
    if (test::below(random, 5) == 0) rows.back()[1 + test::below(random, 3)] = std::nullopt;
  }
  return rows;
}

}  // namespace

TEST_CASE("rows hash: the same rows in any order and cut anywhere add up to the same") {
  test::Random random(test::seed());
  const auto schema = sizes();
  std::vector<Row> rows = some_rows(random, 10'000);
  const std::uint64_t hash = rows_hash(test::batch_of(schema, rows));
  for (int round = 0; round < 5; ++round) {
    std::ranges::shuffle(rows, random);
    const Batch all = test::batch_of(schema, rows);
    const std::uint64_t cut = test::below(random, all.rows + 1);
    REQUIRE(rows_hash(batch_slice(all, 0, cut)) +
                rows_hash(batch_slice(all, cut, all.rows - cut)) ==
            hash);
  }
}

TEST_CASE("rows hash: other values, values of another row or column, and nulls are other rows") {
  const auto schema = sizes();
  const auto hash_of = [&](const std::vector<Row>& rows) {
    return rows_hash(test::batch_of(schema, rows));
  };
  const Row one{1, "x", 2, 3};
  const Row two{4, "y", 5, 6};
  std::vector<std::uint64_t> hashes{
      hash_of({one, two}),
      hash_of({one, one}),
      hash_of({one}),
      hash_of({{1, "y", 2, 3}, {4, "x", 5, 6}}),  // texts of each other
      hash_of({{1, "x", 3, 2}, two}),             // numbers of the other column
      hash_of({{1, "x", 5, 3}, {4, "y", 2, 6}}),  // numbers of each other
      hash_of({{1, std::nullopt, 2, 3}, two}),
      hash_of({{1, "", 2, 3}, two}),
      hash_of({{1, "x", std::nullopt, 3}, two}),
      hash_of({{1, "x", 0, 3}, two}),
  };
  std::ranges::sort(hashes);
  CHECK(std::ranges::adjacent_find(hashes) == hashes.end());
}

}  // namespace otolith::model
