#include <algorithm>
#include <optional>
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

// Rows of two appends whose times overlap, in partitions of more than a row group: a late row
// stands between those that came before it. Every seventh number and note is null.
struct Late {
  struct Row {
    std::int64_t time = 0;
    std::string symbol;
    std::optional<std::int64_t> number;
    std::optional<std::string> note;
    std::size_t arrival = 0;
    bool operator==(const Row&) const = default;
  };

  Database db;
  std::vector<Row> rows;  // in stored order

  explicit Late(unsigned threads) : db(Database::open(":memory:", {.threads = threads})) {
    Schema schema = ticks_schema();
    schema.columns.push_back({.name = "note", .type = {TypeKind::string}});
    const Table table = db.create_table("late", schema);
    test::Random random(test::seed());
    for (const std::size_t count : {140'000u, 60'000u}) {
      const std::size_t first = rows.size();
      for (std::size_t i = 0; i < count; ++i) add(random);
      table.append(batch(table.schema(), first));
    }
    std::ranges::sort(rows, {}, [](const Row& row) {
      return std::tuple(row.time / Ticks::kDayNs, row.symbol, row.time, row.arrival);
    });
  }

  void add(test::Random& random) {
    const std::size_t arrival = rows.size();
    rows.push_back({static_cast<std::int64_t>(test::below(random, 40'000)) * Ticks::kDayNs / 20'000,
                    "s" + std::to_string(test::below(random, 40)),
                    {},
                    {},
                    arrival});
    if (arrival % 7 == 0) return;
    rows.back().number = static_cast<std::int64_t>(arrival);
    rows.back().note = std::string(arrival % 11, 'n') + std::to_string(arrival % 101);
  }

  Batch batch(std::shared_ptr<const Schema> schema, std::size_t first) const {
    const auto cell = [](const auto& value) { return value ? test::Cell(*value) : std::nullopt; };
    std::vector<test::Row> out;
    for (std::size_t i = first; i < rows.size(); ++i)
      out.push_back({rows[i].time, rows[i].symbol, cell(rows[i].number), cell(rows[i].note)});
    return test::batch_of(std::move(schema), out);
  }

  std::vector<Row> expected(const ReadRequest& request) const {
    std::vector<Row> out = rows;
    if (request.order == Order::time) {
      std::ranges::sort(
          out, {}, [](const Row& row) { return std::tuple(row.time, row.symbol, row.arrival); });
    }
    if (request.reverse) std::ranges::reverse(out);
    if (request.limit) out.resize(std::min<std::size_t>(*request.limit, out.size()));
    for (Row& row : out) row.arrival = 0;
    return out;
  }

  std::vector<Row> read(const ReadRequest& request) const {
    const Data data = db.table("late").read(request);
    std::vector<Row> out;
    for (std::uint64_t row = 0; row < data.rows(); ++row) {
      const Array& numbers = data.column(2);
      const Array& notes = data.column(3);
      out.push_back({data.column(0).value<std::int64_t>(row),
                     std::string(data.column(1).text(row)),
                     {},
                     {},
                     0});
      if (!numbers.is_null(row)) out.back().number = numbers.value<std::int64_t>(row);
      if (!notes.is_null(row)) out.back().note = std::string(notes.text(row));
    }
    return out;
  }
};

}  // namespace

TEST_CASE("read: late rows of partitions of many row groups come where their order has them") {
  for (const unsigned threads : {1u, 2u}) {
    CAPTURE(threads);
    const Late late(threads);
    for (const Order order : {Order::time, Order::stored}) {
      for (const bool reverse : {false, true}) {
        for (const std::optional<std::uint64_t> limit :
             {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(3),
              std::optional<std::uint64_t>(70'000), std::optional<std::uint64_t>(150'000)}) {
          const ReadRequest request{.limit = limit, .reverse = reverse, .order = order};
          CHECK(late.read(request) == late.expected(request));
        }
      }
    }
  }
}

TEST_CASE("read: columns of fixed width of rows in order lie in one stretch of memory") {
  const Late late(2);
  for (const Order order : {Order::time, Order::stored}) {
    const Data data = late.db.table("late").read({.order = order});
    REQUIRE(data.batches().size() > 3);
    const std::byte* end = data.batches().front().columns[0].values.bytes.data();
    for (const Batch& batch : data.batches()) {
      CHECK(batch.columns[0].values.bytes.data() == end);
      end += batch.columns[0].values.bytes.size();
    }
  }
}

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

TEST_CASE("read: the last row of each key as of a time, of many and of none") {
  Ticks ticks;
  const std::int64_t at = 250 * Ticks::kStepNs;
  std::vector<Tick> expected;
  for (const Tick& row : ticks.rows) {  // in stored order: days, then symbols, then times
    if (row.time > at) continue;
    std::erase_if(expected, [&](const Tick& other) { return other.symbol == row.symbol; });
    expected.push_back(row);
  }
  std::ranges::sort(expected, {}, &Tick::symbol);
  const auto rows_of = [](const Data& data) {
    std::vector<Tick> out;
    for (std::uint64_t row = 0; row < data.rows(); ++row) {
      out.push_back({std::string(data.column("symbol").text(row)),
                     data.column("time").value<std::int64_t>(row),
                     data.column("number").value<std::int64_t>(row)});
    }
    return out;
  };
  CHECK(expected.size() == 50);
  CHECK(rows_of(ticks.table().asof({.at = {at}})) == expected);
  const Data none = ticks.table().asof({.at = {-1}, .columns = {{"number"}}});
  CHECK(none.rows() == 0);
  CHECK(none.schema().columns.size() == 1);
  const Data some = ticks.table().asof({.at = {at}, .keys = {{"symbol", {"s7", "none"}}}});
  REQUIRE(some.rows() == 1);
  CHECK(rows_of(some).front().symbol == "s7");
}

}  // namespace otolith
