// Random programs within recorders of little memory, against a plain list of rows: what a recorder
// shows at each step, and what its commit makes of it.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
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
using test::Random;

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr std::int64_t kHours = 60;

struct Note {
  std::int64_t time = 0;
  std::string symbol;
  std::int64_t number = 0;
  bool operator==(const Note&) const = default;
};
using Notes = std::vector<Note>;  // in the order they were added

// The text makes rows so large that a mebibyte of memory holds few of them.
Schema notes_schema() {
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                    {.name = "number", .type = {TypeKind::int64}},
                    {.name = "text", .type = {TypeKind::string}}};
  schema.keys = {"symbol"};
  return schema;
}

std::string text_of(std::int64_t number) {
  return std::string(4000 + static_cast<std::size_t>(number % 3) * 2000,
                     static_cast<char>('a' + number % 26));
}

// Rows of equal keys of the order stay as they are.
template <typename Key>
Notes ordered(const Notes& rows, Key key) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple(key(rows[i]), i); });
  Notes out;
  for (const std::size_t i : order) out.push_back(rows[i]);
  return out;
}

Notes stored(const Notes& rows) {
  return ordered(rows, [](const Note& row) {
    return std::tuple(row.time / (24 * kHour), row.symbol, row.time);
  });
}

Notes by_time(const Notes& rows) {
  return ordered(stored(rows), [](const Note& row) { return row.time; });
}

// What is asked for, in both worlds.
struct Choice {
  std::optional<Timestamp> start{};
  std::optional<Timestamp> stop{};
  std::vector<KeyFilter> keys{};
  std::optional<std::int64_t> least{};  // number, of a condition
  std::optional<std::int64_t> below{};

  bool keys_and_time(const Note& row) const {
    if (start && row.time < start->ns) return false;
    if (stop && row.time >= stop->ns) return false;
    return std::ranges::all_of(keys, [&](const KeyFilter& filter) {
      return std::ranges::find(filter.values, KeyValue(row.symbol)) != filter.values.end();
    });
  }
  bool matches(const Note& row) const {
    return keys_and_time(row) && (!least || row.number >= *least) &&
           (!below || row.number < *below);
  }
  void take_out(Notes& rows) const {
    std::erase_if(rows, [&](const Note& row) { return matches(row); });
  }
  Notes of(const Notes& rows) const {
    Notes out;
    std::ranges::copy_if(rows, std::back_inserter(out),
                         [&](const Note& row) { return matches(row); });
    return out;
  }
  std::optional<Expression> where() const {
    if (!least) return std::nullopt;
    return col("number") >= *least && col("number") < *below;
  }
  DeleteRequest rows() const {
    const bool all = !start && !stop && keys.empty() && !least;
    return {.start = start, .stop = stop, .keys = keys, .where = where(), .all = all};
  }
};

Notes notes_of(const Data& data) {
  Notes out;
  for (std::uint64_t row = 0; row < data.rows(); ++row) {
    out.push_back({data.column(0).value<std::int64_t>(row), std::string(data.column(1).text(row)),
                   data.column(2).value<std::int64_t>(row)});
    REQUIRE(data.column(3).text(row) == text_of(out.back().number));
  }
  return out;
}

struct Program {
  Random random;
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  std::shared_ptr<io::Vfs> vfs = disk.attach();
  Database db;
  Notes committed;
  Notes staged;
  std::vector<Choice> choices;  // what is to be deleted of what is committed
  std::int64_t number = 0;

  // Of little memory, and of plenty: then nothing is spilled, and parts in memory are sorted.
  explicit Program(std::uint64_t seed)
      : random(seed),
        db(db::Door::open(
            vfs, io::simulated_environment(1),
            {.threads = 2, .memory_bytes = seed % 3 == 0 ? 1ull << 30 : kMemoryBytesMin}, {})) {
    db.create_table("notes", notes_schema());
  }

  Timestamp time() { return {static_cast<std::int64_t>(below(random, kHours)) * kHour}; }
  std::string symbol() { return std::string(1, static_cast<char>('a' + below(random, 4))); }

  Notes some_notes(std::uint64_t most) {
    Notes rows;
    for (std::uint64_t i = below(random, most) + 1; i > 0; --i)
      rows.push_back({time().ns, symbol(), number++});
    return rows;
  }
  Batch batch(const Notes& rows) {
    std::vector<test::Row> out;
    for (const Note& row : rows)
      out.push_back({row.time, row.symbol, row.number, text_of(row.number)});
    return test::batch_of(db.table("notes").schema(), out);
  }
  Choice some_choice(bool conditions) {
    Choice out;
    if (below(random, 2) == 0) out.start = time();
    if (below(random, 2) == 0) out.stop = time();
    if (below(random, 2) == 0) out.keys = {{"symbol", {symbol(), symbol()}}};
    if (conditions && below(random, 2) == 0) {
      out.least = static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(number) + 1));
      out.below = *out.least + static_cast<std::int64_t>(below(random, 200));
    }
    return out;
  }

  void append(Recorder& recorder) {
    const Notes rows = some_notes(below(random, 3) == 0 ? 80 : 12);
    recorder.append("notes", batch(rows));
    staged.insert(staged.end(), rows.begin(), rows.end());
  }
  void remove(Recorder& recorder) {
    const Choice choice = some_choice(true);
    recorder.remove("notes", choice.rows());
    choice.take_out(staged);
    choices.push_back(choice);
  }
  void replace(Recorder& recorder) {
    const Choice choice = some_choice(false);
    Notes rows = some_notes(40);
    std::erase_if(rows, [&](const Note& row) { return !choice.keys_and_time(row); });
    recorder.replace("notes", {choice.start, choice.stop, choice.keys}, batch(rows));
    choice.take_out(staged);
    choices.push_back(choice);
    staged.insert(staged.end(), rows.begin(), rows.end());
  }
  // Another one's commit, which the recorder sees and its deletes touch.
  void commit_beside() {
    const Notes rows = some_notes(10);
    db.table("notes").append(batch(rows));
    committed.insert(committed.end(), rows.begin(), rows.end());
  }

  Notes seen() const {
    Notes out = committed;
    for (const Choice& choice : choices) choice.take_out(out);
    out.insert(out.end(), staged.begin(), staged.end());
    return out;
  }

  void check(const Table& table) {
    const Notes rows = seen();
    REQUIRE(table.rows() == rows.size());
    const auto range = table.time_range();
    REQUIRE(range.has_value() == !rows.empty());
    const Notes in_time = by_time(rows);
    if (range) REQUIRE(range->first.ns == in_time.front().time);
    if (range) REQUIRE(range->second.ns == in_time.back().time);
    REQUIRE(notes_of(table.read({.order = Order::stored})) == stored(rows));
    const Choice choice = some_choice(true);
    ReadRequest request{
        .start = choice.start, .stop = choice.stop, .keys = choice.keys, .where = choice.where()};
    request.limit = below(random, 40);
    request.reverse = below(random, 2) == 0;
    Notes found = choice.of(in_time);
    if (request.reverse) std::ranges::reverse(found);
    found.resize(std::min<std::size_t>(found.size(), *request.limit));
    REQUIRE(notes_of(table.read(request)) == found);
  }

  void record() {
    Recorder recorder = db.recorder();
    std::optional<std::pair<Table, Notes>> earlier;
    for (std::uint64_t step = 1 + below(random, 24); step > 0; --step) {
      switch (below(random, 10)) {
        case 0:
          commit_beside();
          break;
        case 1:
          remove(recorder);
          break;
        case 2:
          replace(recorder);
          break;
        case 3:
          check(recorder.table("notes"));
          earlier.emplace(recorder.table("notes"), stored(seen()));
          break;
        default:
          append(recorder);
      }
    }
    recorder.commit();
    committed = seen();
    staged.clear();
    choices.clear();
    check(db.table("notes"));
    if (earlier)
      REQUIRE(notes_of(earlier->first.read({.order = Order::stored})) == earlier->second);
  }
};

void run(std::uint64_t seed) {
  CAPTURE(seed);
  Program program(seed);
  for (int i = 0; i < 4; ++i) program.record();
  const VerifyReport report = program.db.verify();
  for (const Problem& problem : report.problems) FAIL(problem.what);
  REQUIRE(program.db.status().unnamed_files == 0);
}

}  // namespace

namespace {

Database of_little_memory() {
  Database db = Database::open(":memory:", {.memory_bytes = kMemoryBytesMin});
  db.create_table("notes", notes_schema());
  return db;
}

Batch batch_of(const Database& db, const Notes& rows) {
  std::vector<test::Row> out;
  for (const Note& row : rows)
    out.push_back({row.time, row.symbol, row.number, text_of(row.number)});
  return test::batch_of(db.table("notes").schema(), out);
}

}  // namespace

TEST_CASE("recorder: rows of equal keys and times keep the order in which they came") {
  Database db = of_little_memory();
  Notes rows;
  Recorder recorder = db.recorder();
  for (std::int64_t i = 0; i < 200; ++i) {  // some spilled, some not
    rows.push_back({(i / 50) * kHour, "a", i});
    recorder.append("notes", batch_of(db, {rows.back()}));
    if (i % 60 == 0) CHECK(notes_of(recorder.table("notes").read()) == by_time(rows));
  }
  CHECK(notes_of(recorder.table("notes").read()) == by_time(rows));
  recorder.commit();
  db.table("notes").append(batch_of(db, {{0, "a", 200}, {0, "a", 201}}));
  rows.push_back({0, "a", 200});
  rows.push_back({0, "a", 201});
  CHECK(notes_of(db.table("notes").read()) == by_time(rows));
}

TEST_CASE("recorder: a replace and a delete see what others committed since they were asked") {
  Database db = of_little_memory();
  db.table("notes").append(batch_of(db, {{1, "a", 1}}));
  Recorder recorder = db.recorder();
  recorder.replace("notes", {.stop = Timestamp{10}}, batch_of(db, {{5, "a", 2}}));
  recorder.remove("notes", {.start = Timestamp{20}});
  db.table("notes").append(batch_of(db, {{2, "b", 3}, {15, "a", 4}, {25, "a", 5}}));
  CHECK(notes_of(recorder.table("notes").read()) == Notes{{5, "a", 2}, {15, "a", 4}});
  db.table("notes").append(batch_of(db, {{3, "b", 6}}));
  const Commit commit = recorder.commit();
  CHECK(commit.changes.at("notes").added == 1);
  CHECK(commit.changes.at("notes").ended == 4);
  CHECK(notes_of(db.table("notes").read()) == Notes{{5, "a", 2}, {15, "a", 4}});
}

TEST_CASE("recorder: a duplicates policy judges staged rows behind those that are committed") {
  for (const Duplicates policy : {Duplicates::last, Duplicates::first}) {
    Database db = Database::open(":memory:", {.memory_bytes = kMemoryBytesMin});
    Schema schema = notes_schema();
    schema.duplicates = policy;
    db.create_table("notes", schema);
    db.table("notes").append(batch_of(db, {{1, "a", 1}, {2, "a", 2}}));
    Recorder recorder = db.recorder();
    for (std::int64_t n = 3; n < 200; ++n) recorder.append("notes", batch_of(db, {{1, "a", n}}));
    const Notes shown{{1, "a", policy == Duplicates::last ? 199 : 1}, {2, "a", 2}};
    CHECK(notes_of(recorder.table("notes").read()) == shown);
    CHECK(recorder.table("notes").rows() == 2);
    recorder.commit();
    CHECK(notes_of(db.table("notes").read()) == shown);
  }
}

TEST_CASE("recorder: a commit that failed ends it, and every later call says so") {
  Database db = of_little_memory();
  Recorder recorder = db.recorder();
  recorder.append("notes", batch_of(db, {{1, "a", 1}}));
  db.table("notes").alter({.drop = {"number"}});
  const auto message_of = [](const auto& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  const std::string why = message_of([&] { recorder.commit(); });
  CHECK(why.find("changed since") != std::string::npos);
  CHECK_FALSE(recorder.open());
  CHECK(message_of([&] { recorder.commit(); }) == why);
  for (const std::string& later : {message_of([&] { recorder.append("notes", {}); }),
                                   message_of([&] { recorder.remove("notes", {.all = true}); }),
                                   message_of([&] { (void)recorder.table("notes"); })}) {
    CHECK(later.find("ended by an error") != std::string::npos);
    CHECK(later.find(why) != std::string::npos);
  }
  recorder.discard();
  CHECK(db.table("notes").rows() == 0);
}

TEST_CASE("recorder: operations on one row are netted, and what it adds and ends is not written") {
  Database db = of_little_memory();
  db.table("notes").append(batch_of(db, {{1, "a", 1}, {2, "a", 2}}));
  Recorder recorder = db.recorder();
  recorder.remove("notes", {.keys = {{"symbol", {"a"}}}});
  recorder.remove("notes", {.stop = Timestamp{2}});  // a row once more
  recorder.append("notes", batch_of(db, {{3, "b", 3}}));
  recorder.remove("notes", {.keys = {{"symbol", {"b"}}}});
  recorder.append("notes", batch_of(db, {{1, "a", 1}}));  // alike, and another row
  const Commit commit = recorder.commit();
  CHECK(commit.changes.at("notes").added == 1);
  CHECK(commit.changes.at("notes").ended == 2);
  CHECK(notes_of(db.table("notes").read()) == Notes{{1, "a", 1}});
}

TEST_SUITE("long") {
  TEST_CASE("recorder: random appends, deletes and replaces show at each step what a list says") {
    test::Budget budget;
    std::uint64_t seed = test::seed();
    std::uint64_t programs = 0;
    do {
      run(seed++);
      ++programs;
    } while (budget.left());
    MESSAGE(programs << " programs");
  }
}

}  // namespace otolith
