#include "model/order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "base/limits.h"
#include "model/compare.h"
#include "model/gather.h"
#include "model/key_rank.h"
#include "model/partition.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

using test::random_array;

namespace {

// Few distinct keys and times over a few months, so that every criterion decides somewhere.
Batch quotes(std::mt19937_64& random, std::uint64_t rows, std::vector<std::string> keys,
             Partition partition) {
  Schema schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}, .id = 1},
                            {.name = "symbol", .type = {TypeKind::string}, .id = 2},
                            {.name = "venue", .type = {TypeKind::int16}, .id = 3},
                            {.name = "bid", .type = {TypeKind::float64}, .id = 4}},
                .keys = std::move(keys),
                .partition = partition};
  ArrayBuilder time({TypeKind::timestamp});
  ArrayBuilder symbol({TypeKind::string});
  ArrayBuilder venue({TypeKind::int16});
  static constexpr const char* kSymbols[] = {"AAPL", "", "MSFT", "AA", "\xff"};
  for (std::uint64_t i = 0; i < rows; ++i) {
    time.append_value(static_cast<std::int64_t>(random() % 200) * 43'200'000'000'000 -
                      4'000'000'000'000'000);
    symbol.append_text(kSymbols[random() % 5]);
    venue.append_value(static_cast<std::int16_t>(static_cast<int>(random() % 5) - 2));
  }
  const Array bid = random_array(random, {TypeKind::float64}, rows, true);
  return {std::make_shared<const Schema>(schema),
          rows,
          {time.finish(), symbol.finish(), venue.finish(), bid}};
}

std::vector<std::uint32_t> expected_order(const Batch& batch) {
  std::vector<std::uint32_t> rows(batch.rows);
  std::iota(rows.begin(), rows.end(), 0u);
  const auto row_key = [&](std::uint32_t row) {
    const std::int64_t time = batch.columns[0].value<std::int64_t>(row);
    std::vector<std::string> keys;
    for (const std::string& key : batch.schema->keys) {
      keys.push_back(
          key == "symbol"
              ? std::string(batch.columns[1].text(row))
              : std::string(1, static_cast<char>(batch.columns[2].value<std::int16_t>(row) + 9)));
    }
    return std::tuple(bucket_of(batch.schema->partition, {time}), keys, time, row);
  };
  std::ranges::sort(rows, {}, row_key);
  return rows;
}

void check_order(const Batch& batch) {
  const RowOrder order = order_rows(batch);
  std::vector<std::uint32_t> rows = order.permutation;
  if (rows.empty()) {
    rows.resize(batch.rows);
    std::iota(rows.begin(), rows.end(), 0u);
  }
  REQUIRE(rows == expected_order(batch));
  const Batch sorted = gather(batch, rows);
  std::uint64_t row = 0;
  for (std::size_t i = 0; i < order.run.size(); ++i) {
    if (i > 0) REQUIRE(order.run[i - 1].bucket < order.run[i].bucket);
    for (std::uint64_t end = row + order.run[i].rows; row < end; ++row) {
      REQUIRE(bucket_of(batch.schema->partition, {sorted.columns[0].value<std::int64_t>(row)}) ==
              order.run[i].bucket);
    }
  }
  REQUIRE(row == batch.rows);
  const RowOrder again = order_rows(sorted);
  REQUIRE(again.permutation.empty());
  REQUIRE(again.run == order.run);
}

}  // namespace

TEST_CASE("order: rows stand by partition, key, time, arrival, whatever way they came") {
  std::mt19937_64 random(test::seed());
  const std::vector<std::vector<std::string>> key_sets{
      {}, {"symbol"}, {"venue"}, {"venue", "symbol"}};
  for (int round = 0; round < 120; ++round) {
    CAPTURE(round);
    const std::uint64_t rows = round % 3 == 0 ? 600 + random() % 900 : random() % 60;
    const auto partition = static_cast<Partition>(random() % 5);
    check_order(quotes(random, rows, key_sets[random() % 4], partition));
  }
}

TEST_CASE("order: rows in time order are only counted apart by key and partition") {
  std::mt19937_64 random(test::seed());
  const Batch batch = quotes(random, 2000, {}, Partition::month);
  Batch by_time = gather(batch, expected_order(batch));
  CHECK(order_rows(by_time).permutation.empty());
  Schema schema = *by_time.schema;
  schema.keys = {"symbol"};
  by_time.schema = std::make_shared<const Schema>(schema);
  check_order(by_time);
}

TEST_CASE("order: times at both ends of the range sort, too") {
  ArrayBuilder time({TypeKind::timestamp});
  for (int i = 0; i < 600; ++i) {
    time.append_value(i % 3 == 0   ? kTimestampMax.ns
                      : i % 3 == 1 ? kTimestampMin.ns
                                   : std::int64_t{i});
  }
  const auto schema = std::make_shared<const Schema>(
      Schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}, .id = 1}},
             .partition = Partition::year});
  check_order({schema, 600, {time.finish()}});
}

TEST_CASE("order: parts are in order if and only if their rows behind each other are") {
  std::mt19937_64 random(test::seed());
  const std::vector<std::vector<std::string>> key_sets{{}, {"symbol"}, {"venue", "symbol"}};
  int ordered = 0;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    Batch batch = quotes(random, 30, key_sets[random() % 3], static_cast<Partition>(random() % 5));
    if (round % 2 == 0) batch = gather(batch, expected_order(batch));
    if (round % 4 == 0) {
      std::vector<std::uint32_t> rows(30);
      std::iota(rows.begin(), rows.end(), 0u);
      const std::uint32_t at = static_cast<std::uint32_t>(random() % 29);
      std::swap(rows[at], rows[at + 1]);
      batch = gather(batch, rows);
    }
    std::vector<Batch> parts;
    for (std::uint64_t at = 0; at < 30;) {
      const std::uint64_t count = std::min<std::uint64_t>(random() % 9, 30 - at);
      parts.push_back(batch_slice(batch, at, count));
      at += count;
    }
    const RowOrder order = order_rows(batch);
    REQUIRE(rows_in_order(parts) == order.permutation.empty());
    if (!order.permutation.empty()) continue;
    REQUIRE(run_of_ordered(parts) == order.run);
    ++ordered;
  }
  CHECK(ordered > 70);
}

TEST_CASE("order: gathering takes values, texts and nulls of every type along") {
  std::mt19937_64 random(test::seed());
  for (const Type type : test::all_types()) {
    const Array array = random_array(random, type, 100, random() % 2 == 0);
    std::vector<std::uint32_t> rows;
    for (int i = 0; i < 70; ++i) rows.push_back(static_cast<std::uint32_t>(random() % 100));
    const Array out = gather(array, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      REQUIRE(test::same_array(array_slice(array, rows[i], 1), array_slice(out, i, 1)));
    }
  }
}

TEST_CASE("key rank: ranks follow the order of the values, for few and for many of them") {
  std::mt19937_64 random(test::seed());
  for (const Type type : test::all_types()) {
    if (!is_key_type(type)) continue;
    CAPTURE(type_name(type));
    const Array array = random_array(random, type, 1000, false);
    const KeyRanks ranks = key_ranks(array);
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t a = random() % 1000;
      const std::uint64_t b = random() % 1000;
      REQUIRE(value_compare(array, a, array, b) == (ranks.of_row[a] <=> ranks.of_row[b]));
      REQUIRE(ranks.of_row[a] < ranks.distinct);
    }
  }
}

}  // namespace otolith::model
