#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith {

namespace {

struct Tick {
  std::string symbol;
  std::int64_t time = 0;
  std::int64_t number = 0;
  bool operator==(const Tick&) const = default;
};

Schema ticks_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                    {.name = "number", .type = {TypeKind::int64}}};
  schema.keys = {"symbol"};
  return schema;
}

// Rows of 50 symbols over two days, many of them at equal times.
struct Ticks {
  Database db = Database::open(":memory:");
  std::vector<Tick> rows;

  Ticks() {
    test::Random random(test::seed());
    for (std::int64_t i = 0; i < 20'000; ++i) {
      rows.push_back({"s" + std::to_string(test::below(random, 50)),
                      static_cast<std::int64_t>(test::below(random, 400)) * kStepNs, i});
    }
    const Table made = db.create_table("ticks", ticks_schema());
    made.append(batch(made.schema()));
    std::ranges::sort(rows, {}, [](const Tick& row) {
      return std::tuple(row.time / kDayNs, row.symbol, row.time, row.number);
    });
  }

  Table table() { return db.table("ticks"); }

  Batch batch(std::shared_ptr<const Schema> schema) const {
    std::vector<test::Row> out;
    for (const Tick& row : rows) out.push_back({row.time, row.symbol, row.number});
    return test::batch_of(std::move(schema), out);
  }

  std::vector<Tick> read(const ReadRequest& request) {
    const Data data = table().read(request);
    std::vector<Tick> out;
    for (std::uint64_t row = 0; row < data.rows(); ++row) {
      out.push_back({std::string(data.column(1).text(row)), data.column(0).value<std::int64_t>(row),
                     data.column(2).value<std::int64_t>(row)});
    }
    return out;
  }

  static constexpr std::int64_t kDayNs = 86'400'000'000'000;
  static constexpr std::int64_t kStepNs = kDayNs / 200;
};

}  // namespace

TEST_CASE("read: many rows by time are in stored order where their times are equal") {
  Ticks ticks;
  std::vector<Tick> expected = ticks.rows;
  std::ranges::sort(expected, {},
                    [](const Tick& row) { return std::tuple(row.time, row.symbol, row.number); });
  CHECK(ticks.read({}) == expected);
}

TEST_CASE("read: rows of some keys and a range of time are found in pages of many") {
  Ticks ticks;
  ReadRequest request;
  request.order = Order::stored;
  request.start = Timestamp{100 * Ticks::kStepNs};
  request.stop = Timestamp{250 * Ticks::kStepNs};
  request.keys = {{"symbol", {"s7", "s31", "s7", "none"}}};
  std::vector<Tick> expected = ticks.rows;
  std::erase_if(expected, [&](const Tick& row) {
    return (row.symbol != "s7" && row.symbol != "s31") || row.time < request.start->ns ||
           row.time >= request.stop->ns;
  });
  CHECK(expected.size() > 100);
  CHECK(ticks.read(request) == expected);
}

}  // namespace otolith
