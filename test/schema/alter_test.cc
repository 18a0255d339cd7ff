// Changes of schemas, verb by verb: what each commit shows, and what is refused.
#include <doctest/doctest.h>

#include <thread>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr Type kText{TypeKind::string};
constexpr Type kLong{TypeKind::int64};
constexpr Type kDouble{TypeKind::float64};

template <typename Work>
void refused(ErrorCode code, const std::vector<std::string>& words, const Work& work) {
  try {
    work();
    FAIL("was not refused");
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(error.code() == code);
    for (const std::string& word : words) {
      INFO("expected word: ", word);
      CHECK(error.message().find(word) != std::string::npos);
    }
  }
}

Row row(std::int64_t time, const std::string& sensor, double value, std::int64_t count) {
  return {time, sensor, value, count};
}

void append(const Table& table, const std::vector<Row>& rows) {
  table.append(batch_of(table.schema(), rows));
}

/// A database that seals the tail behind so many commits of a dataset.
struct Ground {
  std::uint64_t tail_commits;
  std::uint64_t inline_bytes = 1 << 20;
  io::SimDisk disk{};
  std::shared_ptr<io::Vfs> vfs = disk.attach();
  std::optional<Database> db{};

  explicit Ground(std::uint64_t commits, std::uint64_t bytes = 1 << 20)
      : tail_commits(commits), inline_bytes(bytes) {
    open();
  }
  void open() {
    db.reset();
    history::HistoryOptions options;
    options.tail_commits_max = tail_commits;
    options.inline_bytes_max = inline_bytes;
    db = db::Door::open(vfs, io::simulated_environment(7), {}, options);
  }
};

constexpr std::uint64_t kNever = 1000;

}  // namespace

TEST_CASE("alter: added, dropped and renamed columns at HEAD, and every old commit as it was") {
  for (const std::uint64_t tail : {std::uint64_t{1}, std::uint64_t{3}, kNever}) {
    for (const std::uint64_t inline_bytes : {std::uint64_t{0}, std::uint64_t{1} << 20}) {
      CAPTURE(tail);
      CAPTURE(inline_bytes);
      Ground ground(tail, inline_bytes);
      const Table table = ground.db->create_table("t", sensors());
      append(table, {row(1, "a", 1.5, 10), row(2, "b", 2.5, 20)});
      const Commit added = table.alter({.add = {{.name = "venue", .type = kText}}},
                                       {.author = "ana", .message = "a venue each", .extra = "{}"});
      CHECK(added.number == CommitNumber{3});
      CHECK(added.author == "ana");
      CHECK(added.changes.at("t") == ChangeCount{0, 0});
      table.append(batch_of(table.schema(), {{3, "c", 3.5, 30, "XNYS"}}));
      table.alter({.drop = {"count"}, .rename = {{"value", "best"}, {"sensor", "station"}}});
      table.append(batch_of(table.schema(), {{4, "d", 4.5, "XNAS"}}));
      table.alter({.add = {{.name = "count", .type = kText}}});  // another column of that name
      table.append(batch_of(table.schema(), {{5, "e", 5.5, kNull, "five"}}));
      for (int opened = 0; opened < 2; ++opened) {
        const Database& db = *ground.db;
        const auto at = [&](std::uint64_t n) {
          return text_of(db.at(CommitNumber{n}).table("t").read());
        };
        CHECK(at(2) == "1 a 1.5 10\n2 b 2.5 20\n");
        CHECK(at(3) == "1 a 1.5 10 -\n2 b 2.5 20 -\n");
        CHECK(at(4) == "1 a 1.5 10 -\n2 b 2.5 20 -\n3 c 3.5 30 XNYS\n");
        CHECK(at(5) == "1 a 1.5 -\n2 b 2.5 -\n3 c 3.5 XNYS\n");
        CHECK(at(8) ==
              "1 a 1.5 - -\n2 b 2.5 - -\n3 c 3.5 XNYS -\n4 d 4.5 XNAS -\n5 e 5.5 - five\n");
        CHECK(db.table("t").schema()->names() ==
              std::vector<std::string>{"time", "station", "best", "venue", "count"});
        CHECK(db.table("t").schema()->keys == std::vector<std::string>{"station"});
        CHECK(text_of(db.table("t").read({.keys = {{"station", {"a", "d"}}}})) ==
              "1 a 1.5 - -\n4 d 4.5 XNAS -\n");
        CHECK(text_of(db.table("t").read({.where = col("venue").is_null(), .reverse = true})) ==
              "5 e 5.5 - five\n2 b 2.5 - -\n1 a 1.5 - -\n");
        CHECK(text_of(db.table("t").read({.where = col("venue") == "XNAS"})) == "4 d 4.5 XNAS -\n");
        CHECK(db.at("5").table("t").time_range() == std::pair{Timestamp{1}, Timestamp{3}});
        CHECK(db.verify().ok());
        ground.open();
      }
    }
  }
}

TEST_CASE("alter: names may be swapped, and the time column renamed") {
  Ground ground(2);
  const Table table = ground.db->create_table("t", sensors());
  append(table, {row(1, "a", 1.5, 10)});
  table.alter({.rename = {{"time", "at"}, {"value", "count"}, {"count", "value"}}});
  append(table, {row(2, "b", 2.5, 20)});
  append(table, {row(3, "c", 3.5, 30)});
  CHECK(table.schema()->time == "at");
  CHECK(table.schema()->names() == std::vector<std::string>{"at", "sensor", "count", "value"});
  CHECK(text_of(table.read({.columns = {{"value"}}, .where = col("count") > 2.0})) == "20\n30\n");
  CHECK(text_of(ground.db->at("2").table("t").read({.columns = {{"value"}}})) == "1.5\n");
  table.alter({.rename = {{"at", "count"}, {"count", "sensor"}, {"sensor", "at"}}});
  CHECK(table.schema()->time == "count");
  CHECK(table.schema()->keys == std::vector<std::string>{"at"});
  CHECK(text_of(table.read({.stop = Timestamp{3}, .keys = {{"at", {"b", "c"}}}})) ==
        "2 b 2.5 20\n");
  CHECK(ground.db->verify().ok());
}

TEST_CASE(
    "alter: a key that takes the name of a dropped column is still the key of what is sealed") {
  Ground ground(2);
  Schema schema = sensors();
  std::ranges::reverse(schema.columns);  // what is dropped comes before time and key
  const Table table = ground.db->create_table("t", schema);
  append(table, {{10, 1.5, "b", 1}});
  table.alter({.drop = {"value", "count"}});
  table.alter({.rename = {{"time", "count"}, {"sensor", "value"}}});
  table.append(batch_of(table.schema(), {{"a", 2}}));
  table.append(batch_of(table.schema(), {{"b", 3}}));
  ground.open();
  CHECK(ground.db->status().datasets.at("t").segments > 0);
  CHECK(text_of(ground.db->table("t").read({.order = Order::stored})) == "a 2\nb 1\nb 3\n");
  CHECK(text_of(ground.db->at("2").table("t").read()) == "10 1.5 b 1\n");
  CHECK(ground.db->verify().ok());
}

TEST_CASE("alter: what is widened is cast while reading, both ways where a seal has joined types") {
  for (const std::uint64_t tail : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, kNever}) {
    CAPTURE(tail);
    Ground ground(tail);
    Schema schema = sensors();
    schema.columns.push_back({.name = "n", .type = {TypeKind::int8}});
    schema.columns.push_back({.name = "x", .type = {TypeKind::float32}});
    schema.columns.push_back({.name = "sum", .type = {TypeKind::decimal, 4, 1}});
    const Table table = ground.db->create_table("t", schema);
    const auto put = [&](std::int64_t time, std::int64_t n, double x, std::int64_t sum) {
      table.append(batch_of(table.schema(), {{time, "a", kNull, kNull, n, x, decimal_of(sum)}}));
    };
    put(1, -5, 0.5, 999);
    put(4, 7, double(0.1f), -1);
    table.alter(
        {.widen = {{"n", {TypeKind::int16}}, {"x", kDouble}, {"sum", {TypeKind::decimal, 38, 1}}}});
    put(2, 300, 0.1, 1'000'000);
    table.alter({.widen = {{"n", kLong}}});
    put(3, 1ll << 40, 1e300, 5);
    for (int opened = 0; opened < 2; ++opened) {
      const Database& db = *ground.db;
      const std::vector<std::string> columns{"n", "sum"};
      const auto at = [&](std::uint64_t n, ReadRequest request = {}) {
        request.columns = columns;
        return text_of(db.at(CommitNumber{n}).table("t").read(request));
      };
      CHECK(db.at("3").table("t").schema()->columns[4].type == Type{TypeKind::int8});
      CHECK(at(3) == "-5 999\n7 -1\n");
      CHECK(at(3, {.reverse = true}) == "7 -1\n-5 999\n");
      CHECK(at(3, {.where = col("n") > 0}) == "7 -1\n");
      CHECK(at(3, {.where = col("x") == double(0.1f)}) == "7 -1\n");
      CHECK(at(5, {.limit = 2}) == "-5 999\n300 1000000\n");
      CHECK(at(5, {.where = col("n") != 300, .reverse = true}) == "7 -1\n-5 999\n");
      CHECK(at(7) == "-5 999\n300 1000000\n1099511627776 5\n7 -1\n");
      CHECK(at(7, {.where = col("x") == 0.1}) == "300 1000000\n");
      CHECK(at(7, {.where = col("n").between(-5, 7)}) == "-5 999\n7 -1\n");
      CHECK(db.verify().ok());
      ground.open();
    }
  }
}

TEST_CASE(
    "alter: what cannot be is refused, names the column and the remedy, and makes no commit") {
  Ground ground(kNever);
  Database& db = *ground.db;
  const Table table = db.create_table("t", sensors());
  append(table, {row(1, "a", 1.5, 10)});
  const auto alter = [&](const SchemaChange& change) {
    return [&table, change] { table.alter(change); };
  };
  using enum ErrorCode;
  refused(invalid_argument, {"\"time\" is the time column"}, alter({.drop = {"time"}}));
  refused(invalid_argument, {"\"sensor\" is a key", "stays"}, alter({.drop = {"sensor"}}));
  refused(invalid_argument, {"\"valu\"", "did you mean \"value\""}, alter({.drop = {"valu"}}));
  refused(invalid_argument, {"rename", "\"x\""}, alter({.rename = {{"x", "y"}}}));
  refused(invalid_argument, {"widen", "\"x\""}, alter({.widen = {{"x", kLong}}}));
  refused(invalid_argument, {"column_metadata", "\"x\""},
          alter({.column_metadata = {{"x", {{"unit", "s"}}}}}));
  refused(invalid_argument, {"named twice"}, alter({.drop = {"value", "value"}}));
  refused(invalid_argument, {"drop it or change it"},
          alter({.drop = {"value"}, .rename = {{"value", "v"}}}));
  refused(conflict, {"\"value\" exists"}, alter({.add = {{.name = "value", .type = kLong}}}));
  refused(conflict, {"\"value\" exists"}, alter({.rename = {{"count", "value"}}}));
  refused(conflict, {"\"v\" exists"}, alter({.add = {{.name = "v"}}, .rename = {{"count", "v"}}}));
  refused(invalid_argument, {"must take nulls"},
          alter({.add = {{.name = "must", .type = kLong, .nullable = false}}}));
  for (const Type narrow : {Type{TypeKind::int16}, Type{TypeKind::uint64}, kDouble, kText,
                            Type{TypeKind::decimal, 12, 0}, Type{TypeKind::timestamp}}) {
    refused(invalid_argument, {"\"count\" is int32", "add a column"},
            alter({.widen = {{"count", narrow}}}));
  }
  for (const std::string& name :
       {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("\xff")}) {
    refused(invalid_argument, {"column name"}, alter({.add = {{.name = name}}}));
    refused(invalid_argument, {"column name"}, alter({.rename = {{"value", name}}}));
    refused(invalid_argument, {"dataset name"}, [&] { db.rename("t", name); });
  }
  refused(invalid_argument, {"as of commit 2"},
          [&] { db.at("2").table("t").alter({.drop = {"value"}}); });
  CHECK(db.head().number == CommitNumber{2});
  CHECK(*table.schema() == *db.at("1").table("t").schema());
}

TEST_CASE("alter: what changes nothing is no commit") {
  Ground ground(kNever);
  Database& db = *ground.db;
  const Table table = db.create_table("t", sensors());
  for (const SchemaChange& change :
       {SchemaChange{}, SchemaChange{.rename = {{"value", "value"}}},
        SchemaChange{.widen = {{"value", kDouble}}}, SchemaChange{.metadata = {{"x", {}}}}}) {
    const Commit commit = table.alter(change);
    CHECK(commit.number == CommitNumber{1});
    CHECK(commit.changes.empty());
  }
  CHECK(db.rename("t", "t").number == CommitNumber{1});
}

TEST_CASE("alter: a required column may be added as long as no commit ever had rows") {
  Ground ground(kNever);
  const Table table = ground.db->create_table("t", sensors());
  table.alter({.add = {{.name = "must", .type = kLong, .nullable = false}}});
  refused(ErrorCode::invalid_argument, {"\"must\""},
          [&] { table.append(batch_of(table.schema(), {{1, "a", kNull, kNull, kNull}})); });
  table.append(batch_of(table.schema(), {{1, "a", kNull, kNull, 7}}));
  refused(ErrorCode::invalid_argument, {"must take nulls"},
          [&] { table.alter({.add = {{.name = "more", .nullable = false}}}); });
}

TEST_CASE("alter: metadata of tables and columns is set, replaced and taken away by key") {
  Ground ground(kNever);
  Schema schema = sensors();
  schema.metadata = {{"source", "feed A"}, {"owner", "ana"}};
  const Table table = ground.db->create_table("t", schema);
  table.alter({.metadata = {{"source", "feed B"}, {"owner", std::nullopt}},
               .column_metadata = {{"value", {{"unit", "m/s"}}}}});
  CHECK(table.schema()->metadata == std::map<std::string, std::string>{{"source", "feed B"}});
  CHECK(table.schema()->columns[2].metadata.at("unit") == "m/s");
  table.alter({.column_metadata = {{"value", {{"unit", std::nullopt}}}}});
  CHECK(table.schema()->columns[2].metadata.empty());
  ground.open();
  CHECK(ground.db->at("2").table("t").schema()->columns[2].metadata.at("unit") == "m/s");
  CHECK(ground.db->at("1").table("t").schema()->metadata == schema.metadata);
}

TEST_CASE("alter: a retry with the same change id is one commit, whatever has changed since") {
  Ground ground(kNever);
  Database& db = *ground.db;
  const Table table = db.create_table("t", sensors());
  const CommitOptions first{.change_id = std::string(32, '1')};
  const SchemaChange change{.drop = {"count"}, .rename = {{"value", "best"}}};
  CHECK(table.alter(change, first).number == CommitNumber{2});
  CHECK(table.alter(change, first).number == CommitNumber{2});
  refused(ErrorCode::conflict, {"change id"}, [&] { table.alter({.drop = {"best"}}, first); });
  const CommitOptions second{.change_id = std::string(32, '2')};
  CHECK(db.rename("t", "u", second).number == CommitNumber{3});
  CHECK(db.rename("t", "u", second).number == CommitNumber{3});
  const CommitOptions third{.change_id = std::string(32, '3')};
  CHECK(db.drop("u", third).number == CommitNumber{4});
  CHECK(db.drop("u", third).number == CommitNumber{4});
  CHECK(table.alter(change, first).number == CommitNumber{2});
  CHECK(db.head().number == CommitNumber{4});
}

TEST_CASE("alter: of two at once that saw the same schema one is a conflict") {
  Ground ground(kNever);
  const Table table = ground.db->create_table("t", sensors());
  std::atomic<int> done{0};
  std::atomic<int> refusals{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 25; ++n) {
        try {
          table.alter({.add = {{.name = "c" + std::to_string(i) + "_" + std::to_string(n)}}});
          ++done;
        } catch (const Error& error) {
          if (error.code() == ErrorCode::conflict) ++refusals;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done + refusals == 100);
  CHECK(table.schema()->columns.size() == 4 + static_cast<std::size_t>(done));
}

TEST_CASE(
    "alter: rows staged before an alter are a conflict at the commit, never lost in silence") {
  Ground ground(kNever);
  Database& db = *ground.db;
  const Table table = db.create_table("t", sensors());
  const auto old = table.schema();
  Recorder staged = db.recorder();
  staged.append("t", batch_of(old, {row(1, "a", 1.5, 10)}));
  Recorder waiting = db.recorder();  // no rows yet: it takes the table as it is when they come
  table.alter({.drop = {"count"}});
  CHECK(*staged.schema("t") == *old);
  staged.append("t", batch_of(old, {row(2, "a", 1.5, 10)}));
  refused(ErrorCode::conflict, {"\"t\"", "append again"}, [&] { staged.commit(); });
  CHECK(table.rows() == 0);
  waiting.append("t", batch_of(table.schema(), {{3, "c", 3.5}}));
  table.alter({.column_metadata = {{"value", {{"unit", "m/s"}}}}});  // of no matter to rows
  db.rename("t", "u");
  waiting.append("t", batch_of(table.schema(), {{4, "d", 4.5}}));
  waiting.commit();
  CHECK(text_of(db.table("u").read()) == "3 c 3.5\n4 d 4.5\n");
  Recorder late = db.recorder();
  late.append("u", batch_of(table.schema(), {{5, "e", 5.5}}));
  db.drop("u");
  refused(ErrorCode::conflict, {"\"u\"", "does not exist any more"}, [&] { late.commit(); });
}

TEST_CASE("drop: a name is free again, old commits keep what it named, and handles tell") {
  for (const std::uint64_t tail : {std::uint64_t{1}, kNever}) {
    CAPTURE(tail);
    Ground ground(tail);
    Database& db = *ground.db;
    const Table first = db.create_table("t", sensors());
    append(first, {row(1, "a", 1.5, 10)});
    const Commit dropped = db.drop("t", {.author = "bo", .message = "no longer fed"});
    CHECK(dropped.author == "bo");
    CHECK(dropped.changes.at("t") == ChangeCount{0, 0});
    CHECK(db.datasets().empty());
    refused(ErrorCode::not_found, {"\"t\""}, [&] { first.read(); });
    refused(ErrorCode::not_found, {"\"t\""}, [&] { db.drop("t"); });
    Schema other = sensors();
    other.columns.pop_back();
    const Table second = db.create_table("t", other);
    refused(ErrorCode::not_found, {"was dropped", "another has its name"}, [&] { first.read(); });
    append(second, {{2, "b", 2.5}});
    CHECK(db.log({.dataset = "t"}).size() == 2);  // of the dataset that has the name now
    ground.open();
    CHECK(text_of(ground.db->table("t").read()) == "2 b 2.5\n");
    CHECK(text_of(ground.db->at("2").table("t").read()) == "1 a 1.5 10\n");
    CHECK_FALSE(ground.db->at("3").contains("t"));
    CHECK(ground.db->table("t").rows() == 1);
    CHECK(ground.db->verify().ok());
  }
}

TEST_CASE("rename: a dataset keeps its rows and handles; taken and unknown names are refused") {
  Ground ground(kNever);
  Database& db = *ground.db;
  const Table table = db.create_table("quotes", sensors());
  db.create_table("other", sensors());
  append(table, {row(1, "a", 1.5, 10)});
  CHECK(db.rename("quotes", "ticks", {.message = "a better name"}).message == "a better name");
  CHECK(table.name() == "ticks");
  append(table, {row(2, "b", 2.5, 20)});
  CHECK(db.at("3").table("quotes").rows() == 1);
  CHECK(db.table("ticks").rows() == 2);
  refused(ErrorCode::conflict, {"\"other\" exists"}, [&] { db.rename("ticks", "other"); });
  refused(ErrorCode::not_found, {"\"tick\"", "did you mean \"ticks\""},
          [&] { db.rename("tick", "x"); });
  db.create_table("quotes", sensors());
  CHECK(db.datasets() == std::vector<std::string>{"other", "quotes", "ticks"});
}

}  // namespace otolith::test
