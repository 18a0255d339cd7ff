// The first hour with Otolith, verb by verb, on a real directory and in memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

const std::vector<Row> kMorning{{std::int64_t{3000}, "b", 1.5, std::int64_t{1}},
                                {std::int64_t{1000}, "a", 2.5, kNull},
                                {std::int64_t{2000}, "a", kNull, std::int64_t{7}}};

void append(const Table& table, const std::vector<Row>& rows, const char* message) {
  table.append(batch_of(table.schema(), rows), {.author = "ana", .message = message});
}

}  // namespace

TEST_CASE("tour: rows of any order come back in time order, and in stored order by key") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  append(table, kMorning, "morning");
  CHECK(text_of(table.read()) == "1000 a 2.5 -\n2000 a - 7\n3000 b 1.5 1\n");
  append(table, {{std::int64_t{1500}, "b", 9.0, std::int64_t{2}}}, "late");
  CHECK(text_of(table.read()) == "1000 a 2.5 -\n1500 b 9 2\n2000 a - 7\n3000 b 1.5 1\n");
  CHECK(text_of(table.read({.order = Order::stored})) ==
        "1000 a 2.5 -\n2000 a - 7\n1500 b 9 2\n3000 b 1.5 1\n");
}

TEST_CASE("tour: a read takes a half-open time range, keys, columns, a limit, and goes backward") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  append(table, kMorning, "morning");
  CHECK(text_of(table.read({.start = Timestamp{1000}, .stop = Timestamp{3000}})) ==
        "1000 a 2.5 -\n2000 a - 7\n");
  CHECK(text_of(table.read({.columns = {{"count", "time"}}, .keys = {{"sensor", {"a"}}}})) ==
        "- 1000\n7 2000\n");
  CHECK(text_of(table.read({.columns = {{"time"}}, .limit = 2, .reverse = true})) ==
        "3000\n2000\n");
  CHECK(text_of(table.head(1)) == "1000 a 2.5 -\n");
  CHECK(text_of(table.tail(2)) == "2000 a - 7\n3000 b 1.5 1\n");
  CHECK(table.rows() == 3);
  CHECK(table.time_range() == std::pair{Timestamp{1000}, Timestamp{3000}});
}

TEST_CASE("tour: every old state is read as it was, by number, by HEAD~n, by hash and by tag") {
  Folder folder;
  Database db = Database::open(folder.path("market.oto"));
  const Table table = db.create_table("t", sensors());
  append(table, kMorning, "morning");
  db.tag("opening");
  append(table, {{std::int64_t{4000}, "c", 1.0, kNull}}, "noon");
  const std::string hash = "#" + db.at("2").commit().hash.substr(0, 12);
  for (const std::string& reference :
       {std::string("2"), std::string("HEAD~1"), hash, std::string("opening")}) {
    CHECK(db.at(reference).table("t").rows() == 3);
  }
  CHECK(db.at("HEAD").table("t").rows() == 4);
  CHECK(db.at("1").table("t").rows() == 0);
  CHECK(db.at("0").datasets().empty());
}

TEST_CASE("tour: the log tells who did what, newest first") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors(), {.commit = {.author = "bo"}});
  append(table, kMorning, "morning");
  const auto log = db.log();
  REQUIRE(log.size() == 2);
  CHECK(log[0].message == "morning");
  CHECK(log[0].author == "ana");
  CHECK(log[0].changes.at("t") == ChangeCount{3, 0});
  CHECK(log[0].parent == log[1].hash);
  CHECK(db.log({.author = "bo"}).size() == 1);
  CHECK(db.head().hash == log[0].hash);
}

TEST_CASE("tour: a recorder commits many tables at once, or nothing") {
  Database db = Database::open(":memory:");
  const Table a = db.create_table("a", sensors());
  const Table b = db.create_table("b", sensors());
  Recorder recorder = db.recorder({.author = "ana", .message = "both"});
  recorder.append("a", batch_of(a.schema(), kMorning));
  recorder.append("b", batch_of(b.schema(), kMorning));
  recorder.append("a", batch_of(a.schema(), kMorning));
  CHECK(a.rows() == 0);
  const Commit commit = recorder.commit();
  CHECK(commit.changes.at("a") == ChangeCount{6, 0});
  CHECK(commit.changes.at("b") == ChangeCount{3, 0});
  CHECK(a.rows() == 6);
  CHECK_FALSE(recorder.open());
  {
    Recorder dropped = db.recorder();
    dropped.append("a", batch_of(a.schema(), kMorning));
  }
  CHECK(db.head().number == commit.number);
}

TEST_CASE("tour: what was committed is there after opening again, and verifies") {
  Folder folder;
  const std::string path = folder.path("again.oto");
  std::string hash;
  {
    Database db = Database::open(path);
    append(db.create_table("t", sensors()), kMorning, "morning");
    hash = db.head().hash;
    db.close();
  }
  const Database db = Database::open(path, {.create = false});
  CHECK(db.head().hash == hash);
  CHECK(text_of(db.table("t").read()) == "1000 a 2.5 -\n2000 a - 7\n3000 b 1.5 1\n");
  CHECK(db.verify().problems.empty());
  CHECK(db.status().datasets.at("t").rows == 3);
}

TEST_CASE("tour: two handles see each other's commits at once") {
  Folder folder;
  Database one = Database::open(folder.path("two.oto"));
  Database two = Database::open(folder.path("two.oto"));
  const Table table = one.create_table("t", sensors());
  CHECK(two.contains("t"));
  append(two.table("t"), kMorning, "from two");
  CHECK(table.rows() == 3);
  append(table, kMorning, "from one");
  CHECK(two.table("t").rows() == 6);
}

TEST_CASE("tour: a snapshot stays as it is while commits go on") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  append(table, kMorning, "morning");
  const Snapshot before = db.at("HEAD");
  append(table, kMorning, "again");
  CHECK(before.table("t").rows() == 3);
  CHECK_THROWS_AS(append(before.table("t"), kMorning, "into the past"), Error);
}

TEST_CASE("tour: a change id is applied once, and refused for another request") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  const CommitOptions options{.message = "once", .change_id = std::string(32, 'a')};
  const Commit first = table.append(batch_of(table.schema(), kMorning), options);
  const Commit again = table.append(batch_of(table.schema(), kMorning), options);
  CHECK(again.number == first.number);
  CHECK(table.rows() == 3);
  CHECK_THROWS_AS(table.append(batch_of(table.schema(), {kMorning[0]}), options), Error);
}

TEST_CASE("tour: an empty append is no commit") {
  Database db = Database::open(":memory:");
  const Table table = db.create_table("t", sensors());
  const Commit head = db.head();
  const Commit same = table.append(batch_of(table.schema(), {}));
  CHECK(same.number == head.number);
  CHECK(same.hash == head.hash);
  CHECK(same.changes.empty());
}

TEST_CASE("tour: rows that were sealed are read once, from their segment") {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 3;
  Database db = db::Door::open(io::memory_vfs(), io::system_environment(), {}, sizes);
  const Table table = db.create_table("t", sensors());
  std::string wanted;
  for (std::int64_t i = 1; i <= 9; ++i) {
    append(table, {{i, "a", 1.0, kNull}}, "one row");
    wanted += std::to_string(i) + " a 1 -\n";
    CHECK(text_of(table.read()) == wanted);
  }
  CHECK(db.status().datasets.at("t").segments >= 2);
  CHECK(text_of(db.at("HEAD~2").table("t").read()) == wanted.substr(0, wanted.find("8 a")));
}

TEST_CASE("tour: no commit's state digest changes by a seal, opening again, or a lost index") {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 3;
  sizes.checkpoint_commits = 4;
  sizes.inline_bytes_max = 400;
  const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  const auto open = [&] { return db::Door::open(vfs, io::system_environment(), {}, sizes); };
  std::vector<std::map<std::string, model::StateDigest>> digests{{}};
  const auto unchanged = [&](const Database& db) {
    for (std::size_t n = 0; n < digests.size(); ++n) {
      CAPTURE(n);
      CHECK(db::Door::digests(db, CommitNumber{n}) == digests[n]);
    }
  };
  {
    Database db = open();
    db.create_table("t", sensors());
    db.create_table("other", sensors());
    digests.resize(3);
    digests[1] = {{"t", {}}};
    digests[2] = {{"other", {}}, {"t", {}}};
    for (std::int64_t i = 0; i < 11; ++i) {
      const std::vector<Row> rows(i % 4 == 0 ? 20 : 1, {i * 1000, "a", 0.5, kNull});
      append(db.table(i % 3 == 0 ? "other" : "t"), rows, "rows");
      digests.push_back(db::Door::digests(db, CommitNumber{digests.size()}));
      CHECK(digests.back() != digests[digests.size() - 2]);
    }
    model::StateDigest read;
    for (const Batch& batch : db.table("t").read().batches()) read.add(batch);
    CHECK(digests.back().at("t") == read);
    CHECK(read.rows() == db.table("t").rows());
    CHECK(db.status().datasets.at("t").segments >= 2);
    unchanged(db);
    db.close();
  }
  unchanged(open());
  for (const std::string& name : vfs->list("index")) vfs->remove("index/" + name);
  unchanged(open());
}

TEST_CASE("tour: rows of every type are the same in the tail, in segments, sealed and reopened") {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 3;
  sizes.inline_bytes_max = 20'000;
  const std::shared_ptr<io::Vfs> vfs = io::memory_vfs();
  const auto open = [&] { return db::Door::open(vfs, io::system_environment(), {}, sizes); };
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}}};
  for (const Type type : kAllTypes) {
    schema.columns.push_back({.name = type_name(type), .type = type});
    if (type.kind == TypeKind::decimal || type.kind == TypeKind::boolean)
      schema.keys.push_back(type_name(type));
  }
  Random random(20260101);
  std::vector<Row> all;
  {
    Database db = open();
    const Table table = db.create_table("t", schema);
    for (std::int64_t commit = 0; commit < 12; ++commit) {
      std::vector<Row> rows;
      for (int i = 0; i < (commit % 5 == 2 ? 300 : 9); ++i) {
        rows.emplace_back();
        for (const Column& column : table.schema()->columns)
          rows.back().push_back(random_cell(random, column));
        rows.back()[0] = static_cast<std::int64_t>(all.size());
        all.push_back(rows.back());
      }
      append(table, rows, "rows");
    }
    CHECK(db.status().datasets.at("t").segments >= 2);
    CHECK(db.verify().ok());
    db.close();
  }
  const Database db = open();
  std::vector<Row> read;
  for (const Batch& batch : db.table("t").read().batches())
    for (Row& row : rows_of(batch)) read.push_back(std::move(row));
  CHECK(same_rows(read, all));
  const Data yes = db.table("t").read({.keys = {{"bool", {1}}, {"decimal(6,2)", {"0.07"}}}});
  const auto expected = std::ranges::count_if(all, [](const Row& row) {
    return row[1] == Value(std::uint64_t{1}) && row[12] == Value(decimal_of(7));
  });
  CHECK(expected > 0);
  CHECK(yes.rows() == static_cast<std::uint64_t>(expected));
  CHECK(yes.column("decimal(6,2)").value<Decimal>(0) ==
        decimal_parse("0.07", {TypeKind::decimal, 6, 2}));
}

}  // namespace otolith::test
