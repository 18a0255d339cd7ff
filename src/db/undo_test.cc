// Rolling back, reverting, comparing and blaming, of tables as users have them.
#include <doctest/doctest.h>

#include <functional>
#include <set>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/refusal.h"
#include "test/rows.h"

namespace otolith {

namespace {

using test::code_of;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kRounds = 60;  // of random histories

using Numbers = std::vector<std::int64_t>;

Schema schema_of(Duplicates duplicates) {
  Schema schema;
  schema.duplicates = duplicates;
  schema.partition = Partition::hour;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                    {.name = "n", .type = {TypeKind::int64}}};
  schema.keys = {"symbol"};
  return schema;
}

struct Place {
  std::int64_t second = 0;
  std::int64_t n = 0;
  std::string symbol = "a";
};

struct Handle {
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  Database db;

  explicit Handle(history::HistoryOptions sizes = {}) : db(open(std::move(sizes))) {}
  Database open(history::HistoryOptions sizes = {}) {
    return db::Door::open(disk.attach(), environment, {.threads = 1}, sizes);
  }
  Table create(const std::string& name, Duplicates duplicates = Duplicates::keep) {
    return db.create_table(name, schema_of(duplicates));
  }
};

Batch batch(const Table& table, const std::vector<Place>& places) {
  std::vector<test::Row> rows;
  for (const Place& place : places) rows.push_back({place.second * kSecond, place.symbol, place.n});
  return test::batch_of(table.schema(), rows);
}

std::uint64_t append(const Table& table, const std::vector<Place>& places) {
  return static_cast<std::uint64_t>(table.append(batch(table, places)).number);
}

// The values of n, by time.
Numbers numbers(const Table& table) {
  Numbers out;
  for (const Batch& piece : table.read({.columns = {{"n"}}}).batches()) {
    for (const test::Row& row : test::rows_of(piece))
      out.push_back(row[0] ? std::get<std::int64_t>(*row[0]) : -1);
  }
  return out;
}

std::optional<Error> refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

std::string ref(std::uint64_t number) { return std::to_string(number); }
std::uint64_t head(const Database& db) { return static_cast<std::uint64_t>(db.head().number); }

}  // namespace

TEST_CASE("undo: a rollback shows the old state in all tables, and the rollback can be reverted") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const Table b = handle.create("b");
  const std::uint64_t then = append(a, {{1, 1}, {2, 2}});
  append(b, {{1, 10}});
  a.remove({.all = true});
  const Commit back = db.rollback(ref(then), {}, {.author = "ana", .message = "back"});
  CHECK(back.author == "ana");
  CHECK(value_of(back.number) == then + 3);
  CHECK(numbers(a) == Numbers{1, 2});
  CHECK(numbers(b).empty());
  append(a, {{3, 3}});
  CHECK(numbers(a) == Numbers{1, 2, 3});
  db.revert(ref(then + 3));
  CHECK(numbers(a) == Numbers{3});
  CHECK(numbers(b) == Numbers{10});
  CHECK(numbers(handle.open().table("b")) == Numbers{10});
  CHECK(db.verify().ok());
}

TEST_CASE("undo: of one dataset others stay as they are") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const Table b = handle.create("b");
  append(a, {{1, 1}});
  Recorder recorder = db.recorder();
  recorder.append("a", batch(a, {{2, 2}}));
  recorder.append("b", batch(b, {{1, 10}}));
  const auto both = static_cast<std::uint64_t>(recorder.commit().number);
  db.revert(ref(both), {.dataset = "a"});
  CHECK(numbers(a) == Numbers{1});
  CHECK(numbers(b) == Numbers{10});
  db.rollback(ref(both), {.dataset = "a"});
  CHECK(numbers(a) == Numbers{1, 2});
  db.rollback(ref(2), {.dataset = "b"});
  CHECK(numbers(b).empty());
  CHECK(numbers(a) == Numbers{1, 2});
}

TEST_CASE("undo: what is so already is no commit, and HEAD comes back without changes") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const std::uint64_t one = append(a, {{1, 1}});
  handle.create("b");
  const std::uint64_t now = head(db);
  CHECK(value_of(db.rollback("HEAD").number) == now);
  CHECK(value_of(db.rollback(ref(one), {.dataset = "a"}).number) == now);
  CHECK(value_of(db.revert(ref(one), {.dataset = "b"}).number) == now);
  CHECK(value_of(db.rollback(ref(one), {.dataset = "a", .start = Timestamp{0}}).number) == now);
  CHECK(db.rollback("HEAD").changes.empty());
  CHECK(head(db) == now);
}

TEST_CASE("undo: a reference that names no commit, and a dataset that was not there, are refused") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  append(a, {{1, 1}});
  handle.create("late");
  const std::uint64_t now = head(db);
  CHECK(code_of([&] { db.rollback("99"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.rollback("no-tag"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.rollback("#12"); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { db.revert("99"); }) == ErrorCode::not_found);
  const auto zero = refusal([&] { db.revert("0"); });
  REQUIRE(zero);
  CHECK(zero->code() == ErrorCode::invalid_argument);
  CHECK(zero->message().find("name a commit from 1 to 3") != std::string::npos);
  const auto late = refusal([&] { db.rollback("2", {.dataset = "late"}); });
  REQUIRE(late);
  CHECK(late->code() == ErrorCode::not_found);
  CHECK(late->message().find("commit 3 created it") != std::string::npos);
  CHECK(code_of([&] { db.rollback("2", {.dataset = "lat"}); }) == ErrorCode::not_found);
  CHECK(code_of([&] { db.rollback("2", {.start = Timestamp{0}}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { db.rollback("2", {.dataset = "a", .keys = {{"sym", {"a"}}}}); }) ==
        ErrorCode::invalid_argument);
  CHECK(head(db) == now);
}

TEST_CASE("undo: a revert under later commits of the same rows is a conflict that lists them") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const std::uint64_t put = append(a, {{1, 1}, {2, 2}});
  const auto gone = value_of(a.remove({.stop = Timestamp{2 * kSecond}}).number);
  append(a, {{3, 3}});
  const auto error = refusal([&] { db.revert(ref(put)); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::conflict);
  CHECK(error->where().commits == std::vector<std::uint64_t>{gone});
  REQUIRE(error->differences().size() == 1);
  CHECK(error->differences()[0] ==
        "1 row of \"a\" begun by commit 2 were changed by commit 2 and "
        "again by commit 3");
  CHECK(error->message().find(error->differences()[0]) != std::string::npos);
  CHECK(numbers(a) == Numbers{2, 3});
  db.rollback(ref(1));
  const auto not_in_effect = refusal([&] { db.revert(ref(put)); });
  REQUIRE(not_in_effect);
  CHECK(not_in_effect->differences().at(0).find("no longer in effect") != std::string::npos);
}

TEST_CASE("undo: where keys are unique, a revert looks up only the rows that it brings back") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a", Duplicates::error);
  append(a, {{1, 1}, {5000, 2}});
  const auto first = value_of(a.remove({.stop = Timestamp{2 * kSecond}}).number);
  append(a, {{2, 3}, {1, 4, "b"}});
  SUBCASE("nobody came in between") {
    db.revert(ref(first));
    CHECK(numbers(a) == Numbers{1, 4, 3, 2});
    CHECK(code_of([&] { append(a, {{1, 9}}); }) == ErrorCode::conflict);
  }
  SUBCASE("another row has the key and time by now") {
    const std::uint64_t taken = append(a, {{1, 9}});
    const auto error = refusal([&] { db.revert(ref(first)); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::conflict);
    CHECK(error->where().commits == std::vector<std::uint64_t>{taken});
    CHECK(error->differences().at(0).find("would come back beside one of the same") !=
          std::string::npos);
    CHECK(error->with_outcome(Outcome::failed).differences().size() == 1);
    CHECK(numbers(a) == Numbers{9, 4, 3, 2});
    a.remove({.stop = Timestamp{2 * kSecond}, .keys = {{"symbol", {"a"}}}});
    db.revert(ref(first));
    CHECK(numbers(a) == Numbers{1, 4, 3, 2});
  }
  SUBCASE("in segments of many commits") {
    db.compact();
    db.revert(ref(first));
    CHECK(numbers(a) == Numbers{1, 4, 3, 2});
  }
}

TEST_CASE(
    "undo: a name that another dataset took stands against a rollback, but for replace_name") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const std::uint64_t then = append(a, {{1, 1}});
  db.drop("a");
  const Table other = handle.create("a");
  append(other, {{7, 7}});
  const auto error = refusal([&] { db.rollback(ref(then), {.dataset = "a"}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::conflict);
  CHECK(error->differences().at(0).find("is held by another dataset") != std::string::npos);
  CHECK(numbers(db.table("a")) == Numbers{7});
  const Diff would = db.rollback_diff(ref(then), {.dataset = "a", .replace_name = true});
  CHECK(would.datasets.size() == 2);
  db.rollback(ref(then), {.dataset = "a", .replace_name = true});
  CHECK(db.datasets() == std::vector<std::string>{"a"});
  CHECK(numbers(db.table("a")) == Numbers{1});
  db.rollback("HEAD~1");
  CHECK(numbers(db.table("a")) == Numbers{7});
}

TEST_CASE("undo: a change of columns under later rows that carry them is a conflict, no loss") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  append(a, {{1, 1}});
  const auto altered =
      value_of(a.alter({.add = {{.name = "venue", .type = {TypeKind::string}}}}).number);
  a.append(test::batch_of(a.schema(),
                          {{2 * kSecond, std::string("a"), std::int64_t{2}, std::string("x")}}));
  const auto error = refusal([&] { db.revert(ref(altered)); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::conflict);
  CHECK(a.schema()->find("venue"));
  a.remove({.start = Timestamp{2 * kSecond}});
  db.revert(ref(altered));
  CHECK_FALSE(a.schema()->find("venue"));
  CHECK(numbers(a) == Numbers{1});
}

TEST_CASE("undo: tags stay where they are, and a change id is applied once") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  append(a, {{1, 1}});
  append(a, {{2, 2}});
  db.tag("late", "HEAD");
  const CommitOptions once{.change_id = std::string(32, 'a')};
  const Commit back = db.rollback("HEAD~1", {}, once);
  CHECK(db.rollback("HEAD~1", {}, once).number == back.number);
  CHECK(code_of([&] { db.rollback("HEAD~2", {}, once); }) == ErrorCode::conflict);
  CHECK(value_of(db.tags().at("late").number) == 3);
  CHECK(numbers(db.at("late").table("a")) == Numbers{1, 2});
  CHECK(numbers(a) == Numbers{1});
  db.rollback("late");
  CHECK(numbers(a) == Numbers{1, 2});
}

TEST_CASE("undo: undo and redo pressed a thousand times stay as cheap as once") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  append(a, {{1, 1}});
  append(a, {{2, 2}});
  db.revert("HEAD");
  for (int i = 0; i < 1000; ++i) db.revert("HEAD");
  CHECK(numbers(a) == (head(db) % 2 == 0 ? Numbers{1} : Numbers{1, 2}));
  const Diff last = db.diff("HEAD~1", "HEAD");
  REQUIRE(last.datasets.size() == 1);
  CHECK(last.datasets[0].added.rows + last.datasets[0].removed.rows == 1);
  CHECK(db.diff("HEAD~2", "HEAD").empty());
  CHECK(numbers(handle.open().table("a")) == numbers(a));
}

TEST_CASE("undo: some rows of a table go back, by range and keys, under the present columns") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  append(a, {{1, 1}, {2, 2}, {4000, 3}, {1, 4, "b"}});
  const std::uint64_t then = head(db);
  a.remove({.all = true});
  append(a, {{1, 5}, {4000, 6}});
  a.alter({.add = {{.name = "venue", .type = {TypeKind::string}}}});
  const RollbackOptions early{.dataset = "a", .stop = Timestamp{60 * kSecond}};
  SUBCASE("by range") {
    const Commit back = db.rollback(ref(then), early);
    CHECK(numbers(a) == Numbers{1, 4, 2, 6});
    CHECK(back.changes.at("a") == ChangeCount{3, 1});
    CHECK(a.schema()->find("venue"));
    db.revert("HEAD");
    CHECK(numbers(a) == Numbers{5, 6});
  }
  SUBCASE("by keys") {
    db.rollback(ref(then), {.dataset = "a", .keys = {{"symbol", {"b"}}}});
    CHECK(numbers(a) == Numbers{5, 4, 6});
  }
  SUBCASE("a dry run says the same and writes nothing") {
    const std::uint64_t now = head(db);
    const Diff would = db.rollback_diff(ref(then), early);
    CHECK_FALSE(would.to);
    REQUIRE(would.datasets.size() == 1);
    CHECK(numbers(would.datasets[0].added.table) == Numbers{1, 4, 2});
    CHECK(numbers(would.datasets[0].removed.table) == Numbers{5});
    CHECK(head(db) == now);
  }
  SUBCASE("in segments of many commits, and again after reopening") {
    db.compact();
    db.rollback(ref(then), early);
    CHECK(numbers(handle.open().table("a")) == Numbers{1, 4, 2, 6});
  }
  SUBCASE("rows that do not fit the present columns are a conflict") {
    a.remove({.all = true});
    db.rollback("1", {.dataset = "a"});  // a column without nulls comes where no row is
    CHECK(numbers(a).empty());
    a.alter({.drop = {"n"}});
    db.rollback(ref(then), early);
    CHECK(a.rows() == 3);  // without the column that it has no more
  }
  CHECK(db.verify().ok());
}

TEST_CASE("undo: a scope follows what others commit before it is decided") {
  history::HistoryOptions sizes;
  Handle handle(sizes);
  Database& db = handle.db;
  const Table a = handle.create("a", Duplicates::error);
  append(a, {{1, 1}, {2, 2}});
  const std::uint64_t then = head(db);
  a.remove({.stop = Timestamp{2 * kSecond}});
  append(a, {{1, 3}});
  Database other = handle.open();
  append(other.table("a"), {{3, 4}});
  db.rollback(ref(then), {.dataset = "a", .start = Timestamp{0}});
  CHECK(numbers(a) == Numbers{1, 2});
  CHECK(code_of([&] { append(a, {{1, 9}}); }) == ErrorCode::conflict);
}

TEST_CASE("diff: datasets that come, go and change their name or columns, and what is noted") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const Table b = handle.create("b");
  append(a, {{1, 1}});
  append(b, {{1, 1}, {2, 2}});
  const std::uint64_t then = head(db);
  db.rename("a", "c");
  a.alter({.add = {{.name = "venue", .type = {TypeKind::string}}},
           .drop = {"n"},
           .rename = {{"symbol", "key"}}});
  db.drop("b");
  append(handle.create("d"), {{5, 5}});
  db.alter({{"owner", "ana"}});
  const Diff diff = db.diff(ref(then), "HEAD");
  CHECK(diff.metadata == MetadataChange{{"owner", "ana"}});
  REQUIRE(diff.datasets.size() == 3);
  const DatasetDiff& dropped = diff.datasets[0];
  CHECK((dropped.name == "b" && dropped.dropped() && dropped.removed.rows == 2));
  CHECK(numbers(dropped.removed.table) == Numbers{1, 2});
  const DatasetDiff& renamed = diff.datasets[1];
  CHECK((renamed.name == "c" && renamed.renamed() && renamed.before == "a"));
  CHECK((renamed.added.rows == 0 && renamed.removed.rows == 0));
  CHECK(renamed.schema.add.at(0).name == "venue");
  CHECK(renamed.schema.drop == std::vector<std::string>{"n"});
  CHECK(renamed.schema.rename == std::map<std::string, std::string>{{"symbol", "key"}});
  const DatasetDiff& created = diff.datasets[2];
  CHECK((created.name == "d" && created.created() && created.added.rows == 1));
  const Diff back = db.diff("HEAD", ref(then), "b");
  REQUIRE(back.datasets.size() == 1);
  CHECK(back.datasets[0].created());
  CHECK(db.diff("HEAD", "HEAD").empty());
  CHECK(db.diff(ref(then), "HEAD").find("a") == nullptr);
}

TEST_CASE("diff: under a policy rows of one key and time are one row that changed") {
  for (const Duplicates policy : {Duplicates::last, Duplicates::first, Duplicates::error}) {
    Handle handle;
    Database& db = handle.db;
    const Table a = handle.create("a", policy);
    append(a, {{1, 1}, {2, 2}, {4000, 3}});
    const bool error = policy == Duplicates::error;
    if (error)
      a.replace({.stop = Timestamp{2 * kSecond}}, batch(a, {{1, 10}}));
    else
      append(a, {{1, 10}, {3, 11}});
    const Diff diff = db.diff("HEAD~1", "HEAD");
    REQUIRE(diff.datasets.size() == 1);
    const DatasetDiff& of = diff.datasets[0];
    const bool changes = policy != Duplicates::first;
    CHECK(numbers(of.added.table) == (error ? Numbers{} : Numbers{11}));
    CHECK(of.removed.rows == 0);
    CHECK(numbers(of.changed_before.table) == (changes ? Numbers{1} : Numbers{}));
    CHECK(numbers(of.changed_after.table) == (changes ? Numbers{10} : Numbers{}));
    CHECK(of.changed_after.rows == (changes ? 1 : 0));
  }
}

TEST_CASE("diff: a dry run of a revert gives what the revert then makes") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a");
  const std::uint64_t put = append(a, {{1, 1}});
  append(a, {{2, 2}});
  db.drop("a");
  const Diff undrop = db.revert_diff("HEAD");
  REQUIRE(undrop.datasets.size() == 1);
  CHECK(undrop.datasets[0].created());
  CHECK(numbers(undrop.datasets[0].added.table) == Numbers{1, 2});
  CHECK_FALSE(db.contains("a"));
  db.revert("HEAD");
  const Diff would = db.revert_diff(ref(put));
  CHECK(numbers(would.datasets.at(0).removed.table) == Numbers{1});
  CHECK(code_of([&] { (void)db.revert_diff("0"); }) == ErrorCode::invalid_argument);
  a.remove({.all = true});
  const auto error = refusal([&] { (void)db.revert_diff(ref(put)); });
  REQUIRE(error);
  CHECK(error->differences().size() == 1);
}

namespace {

// One random commit of a table or of the database; what is refused is left out.
void change_somehow(Database& db, test::Random& random) {
  const Table a = db.table("a");
  const auto tick = [&] { return static_cast<std::int64_t>(test::below(random, 12)) * 900; };
  const std::uint64_t way = test::below(random, 10);
  const std::uint64_t newest = head(db);  // the first made the table
  const std::string past = ref(newest < 2 ? 1 : 2 + test::below(random, newest - 1));
  if (way < 4 || newest < 2) {
    std::vector<Place> places;
    for (std::uint64_t i = 0; i < 1 + test::below(random, 4); ++i)
      places.push_back({tick(), static_cast<std::int64_t>(test::below(random, 1000)),
                        test::below(random, 2) == 0 ? "a" : "b"});
    append(a, places);
  } else if (way < 6) {
    a.remove({.start = Timestamp{tick() * kSecond}, .stop = Timestamp{tick() * kSecond}});
  } else if (way == 6) {
    db.rollback(past, {.dataset = "a"});
  } else if (way == 7) {
    db.revert(past);
  } else if (way == 8) {
    db.compact();
  } else {
    db.rollback(past, {.dataset = "a", .start = Timestamp{tick() * kSecond}});
  }
}

using Shown = std::multiset<std::pair<std::string, std::string>>;

// Each row that is shown as text: what identifies it under a policy, and the rest.
Shown shown(const Table& table) {
  Shown out;
  for (const Batch& piece : table.read().batches()) {
    for (const test::Row& row : test::rows_of(piece)) {
      out.emplace(
          fmt::format("{} {}", std::get<std::int64_t>(*row[0]), std::get<std::string>(*row[1])),
          row[2] ? std::to_string(std::get<std::int64_t>(*row[2])) : "null");
    }
  }
  return out;
}

void take_out(Shown& from, const Shown& rows) {
  for (const auto& row : rows) {
    const auto found = from.find(row);
    REQUIRE(found != from.end());
    from.erase(found);
  }
}

// What the first state shows, with the difference carried out, is what the second shows.
void check_difference(Database& db, const std::string& from, const std::string& to) {
  CAPTURE(from);
  CAPTURE(to);
  Shown rows = shown(db.at(from).table("a"));
  const Diff diff = db.diff(from, to);
  if (const DatasetDiff* of = diff.find("a")) {
    take_out(rows, shown(of->removed.table));
    take_out(rows, shown(of->changed_before.table));
    rows.merge(shown(of->added.table));
    rows.merge(shown(of->changed_after.table));
    CHECK(of->added.rows == of->added.table.rows());
    CHECK(of->removed.rows == of->removed.table.rows());
    CHECK(of->changed_before.rows == of->changed_after.table.rows());
  }
  CHECK(rows == shown(db.at(to).table("a")));
}

}  // namespace

TEST_CASE("diff: random histories: the difference leads from any state to any other") {
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::uint64_t seed = test::seed() + round;
    CAPTURE(seed);
    test::Random random(seed);
    history::HistoryOptions sizes;
    sizes.inline_bytes_max = test::below(random, 2) == 0 ? 64 : 4096;
    Handle handle(sizes);
    const Duplicates policies[] = {Duplicates::keep, Duplicates::last, Duplicates::first,
                                   Duplicates::error};
    handle.create("a", policies[test::below(random, 4)]);
    for (int step = 0; step < 14; ++step) {
      const auto error = refusal([&] { change_somehow(handle.db, random); });
      if (error) REQUIRE(error->code() == ErrorCode::conflict);
    }
    for (int pair = 0; pair < 4; ++pair) {
      const std::uint64_t newest = head(handle.db);
      check_difference(handle.db, ref(1 + test::below(random, newest)),
                       ref(1 + test::below(random, newest)));
    }
  }
}

TEST_CASE("blame: rows that are shown are told by the commits that added them, newest first") {
  Handle handle;
  Database& db = handle.db;
  const Table a = handle.create("a", Duplicates::last);
  append(a, {{1, 1}, {2, 2}, {2, 3, "b"}});
  const std::uint64_t second = append(a, {{1, 10}, {3, 30}});
  const std::vector<Blamed> all = a.blame();
  REQUIRE(all.size() == 2);
  CHECK(value_of(all[0].commit.number) == second);
  CHECK(all[0].added.rows == 2);
  CHECK(numbers(all[0].added.table) == Numbers{10, 30});
  CHECK(numbers(all[1].added.table) == Numbers{2, 3});
  const std::vector<Blamed> some =
      a.blame({.stop = Timestamp{3 * kSecond}, .keys = {{"symbol", {"b"}}}});
  REQUIRE(some.size() == 1);
  CHECK(numbers(some[0].added.table) == Numbers{3});
  CHECK(numbers(db.at("HEAD~1").table("a").blame().at(0).added.table) == Numbers{1, 2, 3});
}

}  // namespace otolith
