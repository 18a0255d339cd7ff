// Rows set value by value are those that batches of them would be.
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith {

namespace {

using test::below;
using test::Cell;
using test::Random;
using test::Row;

// Sets a column from cells.
using Setter = std::function<void(const Cell&)>;

template <typename T, typename Kept>
Setter setter(RowAppender& rows, const std::string& name) {
  return [column = rows.column<T>(name)](const Cell& cell) mutable {
    if (!cell)
      column = std::nullopt;
    else if constexpr (std::same_as<T, Timestamp>)
      column = Timestamp{std::get<std::int64_t>(*cell)};
    else
      column = static_cast<T>(std::get<Kept>(*cell));
  };
}

Setter setter_of(RowAppender& rows, const Column& column) {
  if (model::is_text(column.type)) return setter<std::string_view, std::string>(rows, column.name);
  if (column.type.kind == TypeKind::decimal) return setter<Decimal, Decimal>(rows, column.name);
  if (column.type.kind == TypeKind::timestamp)
    return setter<Timestamp, std::int64_t>(rows, column.name);
  if (column.type.kind == TypeKind::boolean) return setter<bool, std::uint64_t>(rows, column.name);
  return test::dispatch(column.type.kind, [&](auto stored, auto kept) {
    return setter<decltype(stored), decltype(kept)>(rows, column.name);
  });
}

// A column of each type, some of them twice, so that more than 64 are reached now and then.
Schema random_schema(Random& random) {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  const std::uint64_t times = below(random, 6) == 0 ? 5 : 1;
  for (std::uint64_t i = 0; i < times; ++i) {
    for (const Type type : test::kAllTypes) {
      schema.columns.push_back({.name = "c" + std::to_string(schema.columns.size()),
                                .type = type,
                                .nullable = below(random, 2) == 0});
    }
  }
  return schema;
}

Row random_row(Random& random, const Schema& schema) {
  Row row;
  for (const Column& column : schema.columns) row.push_back(test::random_cell(random, column));
  return row;
}

struct Handle {
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1), {.threads = 1}, {});
};

struct Quotes : Handle {
  Quotes() {
    db.create_table("quotes",
                    {.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                 {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                                 {.name = "bid", .type = {TypeKind::float64}},
                                 {.name = "size", .type = {TypeKind::int32}, .nullable = false},
                                 {.name = "raw", .type = {TypeKind::binary}},
                                 {.name = "price", .type = {TypeKind::decimal, 4, 2}}}});
  }
  std::vector<Row> all() const {
    std::vector<Row> out;
    for (const Batch& batch : db.table("quotes").read().batches()) {
      for (Row& row : test::rows_of(batch)) out.push_back(std::move(row));
    }
    return out;
  }
};

// The columns of Quotes that are never null.
struct Feed {
  RowAppender rows;
  RowColumn<Timestamp> time;
  RowColumn<std::string_view> symbol;
  RowColumn<std::int32_t> size;

  explicit Feed(Recorder& recorder)
      : rows(recorder.rows("quotes")),
        time(rows.column<Timestamp>("time")),
        symbol(rows.column<std::string_view>("symbol")),
        size(rows.column<std::int32_t>("size")) {}
  void set(std::int64_t at) {
    time = Timestamp{at};
    symbol = "AAPL";
    size = static_cast<std::int32_t>(at);
  }
  void append(std::int64_t at) {
    set(at);
    rows.append();
  }
};

template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    return error.message();
  }
  return {};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Both sides of a table: rows one by one between batches and deletes, and all as batches.
void run(std::uint64_t seed) {
  CAPTURE(seed);
  Random random(seed);
  Handle handle;
  const Schema schema = random_schema(random);
  handle.db.create_table("singly", schema);
  handle.db.create_table("batches", schema);
  const auto stored = handle.db.table("singly").schema();
  Recorder recorder = handle.db.recorder();
  RowAppender rows = recorder.rows("singly");
  std::vector<Setter> setters;
  for (const Column& column : stored->columns) setters.push_back(setter_of(rows, column));
  for (std::uint64_t i = 0, count = below(random, 3000); i < count; ++i) {
    const Row row = random_row(random, *stored);
    const std::uint64_t half = below(random, stored->columns.size());
    for (std::size_t c = 0; c < setters.size(); ++c) {
      if (c == half && below(random, 100) == 0) {  // in the middle of a row
        const std::vector<Row> other{random_row(random, *stored)};
        for (const char* table : {"singly", "batches"})
          recorder.append(table, test::batch_of(stored, other));
      }
      if (below(random, 8) == 0) setters[c](random_row(random, *stored)[c]);  // set again below
      if (row[c] || below(random, 2) == 0 || below(random, 8) == 0) setters[c](row[c]);
      if (!row[c]) setters[c](std::nullopt);
    }
    rows.append();
    recorder.append("batches", test::batch_of(stored, {row}));
    if (below(random, 400) == 0) {
      const DeleteRequest some{.start = Timestamp{static_cast<std::int64_t>(below(random, 900))}};
      for (const char* table : {"singly", "batches"}) recorder.remove(table, some);
    }
  }
  recorder.commit();
  const auto read = [&](const char* table) {
    std::vector<Row> out;
    for (const Batch& batch : handle.db.table(table).read().batches()) {
      for (Row& row : test::rows_of(batch)) out.push_back(std::move(row));
    }
    return out;
  };
  REQUIRE(test::same_rows(read("singly"), read("batches")));
}

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("rows: of random types, nulls among them, they are what batches of them are") {
    test::Budget budget;
    std::uint64_t seed = test::seed();
    do run(seed++);
    while (budget.left());
  }
}

TEST_CASE("rows: a row without a value that it needs is refused by name and appends nothing") {
  Quotes quotes;
  Recorder recorder = quotes.db.recorder();
  Feed feed(recorder);
  auto bid = feed.rows.column<double>("bid");
  feed.append(1);
  feed.time = Timestamp{2};
  feed.symbol = "MSFT";
  bid = 2.5;
  CHECK(
      contains(refusal([&] { feed.rows.append(); }), "column \"size\" of \"quotes\" has no value"));
  feed.size = 7;  // the row begins anew
  CHECK(contains(refusal([&] { feed.rows.append(); }), "column \"time\""));
  feed.set(3);
  feed.size.set_null();
  CHECK(contains(refusal([&] { feed.rows.append(); }), "column \"size\""));
  feed.append(4);
  recorder.commit();
  const std::vector<Row> all = quotes.all();
  REQUIRE(all.size() == 2);
  CHECK(all[1][0] == Cell(std::int64_t{4}));
  CHECK_FALSE(all[1][2]);  // no bid of the row that was refused
}

TEST_CASE("rows: a recorder reads the rows that were appended, not the one that is being set") {
  Quotes quotes;
  Recorder recorder = quotes.db.recorder();
  Feed feed(recorder);
  feed.append(1);
  feed.set(2);
  CHECK(recorder.table("quotes").rows() == 1);
  feed.rows.append();
  CHECK(recorder.table("quotes").rows() == 2);
  recorder.commit();
  CHECK(quotes.all().size() == 2);
}

TEST_CASE("rows: names, types and values are judged where they are given") {
  Quotes quotes;
  Recorder recorder = quotes.db.recorder();
  Feed feed(recorder);
  CHECK(contains(refusal([&] { feed.rows.column<double>("bit"); }),
                 "no column \"bit\" in \"quotes\" (did you mean \"bid\"?)"));
  CHECK(contains(refusal([&] { feed.rows.column<float>("bid"); }),
                 "column \"bid\" is float64; take it as column<double>"));
  CHECK(contains(refusal([&] { feed.rows.column<std::int64_t>("time"); }), "column<Timestamp>"));
  CHECK(contains(refusal([&] { feed.rows.column<std::uint32_t>("size"); }), "std::int32_t"));
  CHECK(contains(refusal([&] { feed.time = Timestamp{kNotATime}; }), "\"time\": -2^63 is no time"));
  CHECK(
      contains(refusal([&] { feed.symbol = "\xff"; }), "\"symbol\": the text is not valid UTF-8"));
  auto price = feed.rows.column<Decimal>("price");
  CHECK(contains(refusal([&] { price = decimal_of(123456); }), "1234.56 has more digits"));
  auto raw = feed.rows.column<std::string_view>("raw");
  raw = "\xff";
  price = decimal_of(1234);
  feed.append(1);
  CHECK_THROWS_AS(recorder.rows("quotse"), Error);
  recorder.commit();
  CHECK(quotes.all().at(0).at(4) == Cell("\xff"));
  CHECK(quotes.all().at(0).at(5) == Cell(decimal_of(1234)));
}

TEST_CASE("rows: an appender that outlives its recorder or its database is refused") {
  Quotes quotes;
  std::optional<Recorder> recorder = quotes.db.recorder();
  Feed feed(*recorder);
  feed.append(1);
  const auto refused = [&] { return refusal([&] { feed.append(2); }); };
  SUBCASE("committed") {
    recorder->commit();
    CHECK(contains(refused(), "has committed or discarded"));
    CHECK(quotes.all().size() == 1);
    CHECK_THROWS_AS(recorder->rows("quotes"), Error);
  }
  SUBCASE("discarded") {
    recorder->discard();
    CHECK(contains(refused(), "has committed or discarded"));
  }
  SUBCASE("destroyed") {
    recorder.reset();
    CHECK(contains(refused(), "has committed or discarded"));
    CHECK(quotes.all().empty());
  }
  SUBCASE("the database closed") {
    quotes.db.close();
    CHECK(contains(refused(), "closed"));
    CHECK(contains(refused(), "closed"));
  }
  SUBCASE("the commit refused") {
    quotes.db.drop("quotes");
    CHECK_THROWS_AS(recorder->commit(), Error);
    CHECK(contains(refused(), "has committed or discarded"));
  }
}

TEST_CASE("rows: a chunk that the recorder cannot take now is no loss") {
  Quotes quotes;
  Recorder recorder = quotes.db.recorder();
  Feed feed(recorder);
  std::int64_t at = 0;
  while (at < 255) feed.append(at++);
  // The 256th row hands the chunk over, while a schema is asked for by another thread again and
  // again.
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) (void)refusal([&] { (void)recorder.schema("quotes"); });
  });
  std::uint64_t refused = 0;
  for (int i = 0; i < 20'000 && refused < 3; ++i) {
    const std::string said = refusal([&] { feed.append(at); });
    if (said.empty())
      ++at;
    else
      ++refused;
    if (!said.empty()) CHECK(contains(said, "in use by another thread"));
  }
  stop = true;
  other.join();
  recorder.commit();
  CHECK(quotes.db.table("quotes").rows() == static_cast<std::uint64_t>(at));
}

TEST_CASE("rows: a table altered meanwhile is a conflict, and a long text ends a chunk") {
  Quotes quotes;
  Recorder recorder = quotes.db.recorder();
  Feed feed(recorder);
  auto raw = feed.rows.column<std::string_view>("raw");
  const std::string megabyte(1 << 20, 'x');
  for (std::int64_t at = 0; at < 20; ++at) {
    raw = megabyte;
    feed.append(at);
  }
  SUBCASE("taken") {
    recorder.commit();
    CHECK(quotes.all().at(19).at(4) == Cell(megabyte));
  }
  SUBCASE("altered") {
    quotes.db.table("quotes").alter({.drop = {"bid"}});
    try {
      recorder.commit();
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::conflict);
    }
  }
}

}  // namespace otolith
