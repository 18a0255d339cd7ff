// Random programs of append, delete and replace under each duplicates policy, against a plain list
// of rows for each commit.
#include <algorithm>
#include <map>
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

struct Tick {
  std::string symbol;
  std::int64_t time = 0;
  std::int64_t number = 0;
  bool operator==(const Tick&) const = default;
};
using Ticks = std::vector<Tick>;  // in the order they were added; equal times stay in it

constexpr std::int64_t kStep = 3'600'000'000'000;
constexpr std::int64_t kTimes = 60;

Schema ticks_schema(Duplicates duplicates) {
  Schema schema;
  schema.duplicates = duplicates;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                    {.name = "number", .type = {TypeKind::int64}}};
  schema.keys = {"symbol"};
  return schema;
}

// In the order of what `key` gives; rows of equal keys stay as they are.
template <typename Key>
Ticks ordered(const Ticks& rows, Key key) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple(key(rows[i]), i); });
  Ticks out;
  for (const std::size_t i : order) out.push_back(rows[i]);
  return out;
}

// In stored order.
Ticks stored(const Ticks& rows) {
  return ordered(rows, [](const Tick& row) {
    return std::tuple(row.time / (24 * kStep), row.symbol, row.time);
  });
}

bool duplicates(const Tick& a, const Tick& b) { return a.time == b.time && a.symbol == b.symbol; }

bool hides(Duplicates policy) { return policy == Duplicates::last || policy == Duplicates::first; }

// What reading shows, in stored order.
Ticks shown(const Ticks& rows, Duplicates policy) {
  Ticks out;
  for (const Tick& row : stored(rows)) {
    if (!hides(policy) || out.empty() || !duplicates(out.back(), row))
      out.push_back(row);
    else if (policy == Duplicates::last)
      out.back() = row;
  }
  return out;
}

bool any_duplicates(const Ticks& rows) {
  const Ticks sorted = stored(rows);
  return std::ranges::adjacent_find(sorted, duplicates) != sorted.end();
}

// A delete in both worlds.
struct Choice {
  DeleteRequest asked;
  std::optional<std::int64_t> below_number;  // of the condition

  bool keys_and_time(const Tick& row) const {
    if (asked.start && row.time < asked.start->ns) return false;
    if (asked.stop && row.time >= asked.stop->ns) return false;
    return std::ranges::all_of(asked.keys, [&](const KeyFilter& filter) {
      return std::ranges::find(filter.values, KeyValue(row.symbol)) != filter.values.end();
    });
  }
  bool matches(const Tick& row) const {
    return keys_and_time(row) &&
           (!below_number || row.number % 10 < *below_number || row.number < *below_number * 100);
  }

  // A row goes with the one that is shown in its place.
  void apply(Ticks& rows, Duplicates policy) const {
    std::map<std::pair<std::string, std::int64_t>, Tick> instead;
    if (hides(policy)) {
      for (const Tick& row : shown(rows, policy)) instead[{row.symbol, row.time}] = row;
    }
    std::erase_if(rows, [&](const Tick& row) {
      return matches(hides(policy) ? instead.at({row.symbol, row.time}) : row);
    });
  }
};

// One table in a folder that lives on, the model of each of its commits, and a program.
struct Program {
  Random random;
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  std::optional<Database> db;
  std::map<std::uint64_t, Ticks> commits;
  Ticks now;
  std::int64_t number = 0;
  Duplicates policy = static_cast<Duplicates>(below(random, 4));

  explicit Program(std::uint64_t seed) : random(seed) {
    open();
    db->create_table("ticks", ticks_schema(policy));
    commits[1] = {};
  }

  void open() {
    history::HistoryOptions options;
    options.tail_commits_max = 1 + below(random, 12);  // seals in the middle of things
    options.inline_bytes_max = below(random, 3) == 0 ? 200 : kInlineBytesMax;
    db.reset();
    db = db::Door::open(disk.attach(), environment, {.threads = 2}, options);
  }

  Timestamp time() { return {static_cast<std::int64_t>(below(random, kTimes)) * kStep}; }
  std::string symbol() { return std::string(1, static_cast<char>('a' + below(random, 4))); }

  Ticks some_rows() {
    Ticks rows;
    const std::uint64_t count = below(random, 8) == 0 ? 300 : 1 + below(random, 12);
    for (std::uint64_t i = 0; i < count; ++i) rows.push_back({symbol(), time().ns, number++});
    if (policy == Duplicates::error && below(random, 3) != 0) thin(rows);
    return rows;
  }
  // Leaves rows that meet no other, but those of what a delete may still end.
  void thin(Ticks& rows) {
    Ticks all = now;
    std::erase_if(rows, [&](const Tick& row) {
      all.push_back(row);
      const bool again = any_duplicates(all);
      if (again) all.pop_back();
      return again && below(random, 10) != 0;
    });
  }
  Batch batch(const Ticks& rows) {
    std::vector<test::Row> out;
    for (const Tick& row : rows) out.push_back({row.time, row.symbol, row.number});
    return test::batch_of(db->table("ticks").schema(), out);
  }

  Choice some_choice(bool conditions) {
    Choice out;
    if (below(random, 2) == 0) out.asked.start = time();
    if (below(random, 2) == 0) out.asked.stop = time();
    if (below(random, 3) == 0) out.asked.keys = {{"symbol", {symbol(), symbol()}}};
    if (conditions && below(random, 2) == 0) {
      const auto bound = static_cast<std::int64_t>(1 + below(random, 9));
      std::vector<Constant> values;
      for (std::int64_t tens = 0; tens < number + 2000; tens += 10) {  // also of rows to come
        for (std::int64_t digit = 0; digit < bound; ++digit) values.emplace_back(tens + digit);
      }
      out.below_number = bound;
      out.asked.where = col("number").isin(values) || col("number") < bound * 100;
    }
    const DeleteRequest& asked = out.asked;
    out.asked.all = !asked.start && !asked.stop && asked.keys.empty() && !asked.where;
    return out;
  }

  // Rows of a choice's range and keys.
  Ticks rows_within(const Choice& choice) {
    Ticks rows = some_rows();
    std::erase_if(rows, [&](const Tick& row) { return !choice.keys_and_time(row); });
    return rows;
  }
  static ReplaceRequest range_of(const Choice& choice) {
    return {choice.asked.start, choice.asked.stop, choice.asked.keys};
  }

  // Commits what makes these the visible rows, unless the policy forbids them.
  template <typename Write>
  void commit_as(Ticks rows, Write write) {
    if (policy != Duplicates::error || !any_duplicates(rows)) {
      write();
      now = std::move(rows);
      return;
    }
    const CommitNumber head = db->head().number;
    try {
      write();
      FAIL("rows of one key and time were taken");
    } catch (const Error& error) {
      REQUIRE(error.code() == ErrorCode::conflict);
      REQUIRE(error.outcome() == Outcome::failed);
      REQUIRE(error.message().find("\"ticks\"") != std::string::npos);
      REQUIRE(error.message().find("\"symbol\"") != std::string::npos);
    }
    REQUIRE(db->head().number == head);
  }
  static Ticks both(Ticks a, const Ticks& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  void append() {
    const Ticks rows = some_rows();
    commit_as(both(now, rows), [&] { db->table("ticks").append(batch(rows)); });
  }
  void remove() {
    const Choice choice = some_choice(true);
    const std::size_t before = now.size();
    choice.apply(now, policy);
    const Commit commit = db->table("ticks").remove(choice.asked);
    const auto change = commit.changes.find("ticks");
    const std::uint64_t ended = change == commit.changes.end() ? 0 : change->second.ended;
    REQUIRE(ended == before - now.size());
  }
  void replace() {
    const Choice choice = some_choice(false);
    const Ticks rows = rows_within(choice);
    Ticks left = now;
    choice.apply(left, policy);
    commit_as(both(left, rows), [&] { db->table("ticks").replace(range_of(choice), batch(rows)); });
  }

  // What others commit while a recorder is open counts as if it had come before.
  void record() {
    Recorder recorder = db->recorder();
    std::vector<Choice> choices;
    Ticks staged;
    for (std::uint64_t step = 1 + below(random, 5); step > 0; --step) {
      if (below(random, 2) == 0) {
        const Ticks rows = some_rows();
        recorder.append("ticks", batch(rows));
        staged.insert(staged.end(), rows.begin(), rows.end());
        continue;
      }
      const Choice choice = some_choice(!hides(policy) || staged.empty());
      choice.apply(staged, Duplicates::keep);
      choices.push_back(choice);
      if (choice.below_number || below(random, 2) == 0) {
        recorder.remove("ticks", choice.asked);
        continue;
      }
      const Ticks rows = rows_within(choice);
      recorder.replace("ticks", range_of(choice), batch(rows));
      staged.insert(staged.end(), rows.begin(), rows.end());
    }
    if (below(random, 2) == 0) {
      append();
      keep();
    }
    Ticks left = now;
    for (const Choice& choice : choices) choice.apply(left, policy);
    commit_as(both(left, staged), [&] { recorder.commit(); });
  }

  void keep() { commits[std::to_underlying(db->head().number)] = now; }

  void step() {
    switch (below(random, 8)) {
      case 0:
      case 1:
      case 2:
        append();
        break;
      case 3:
      case 4:
        remove();
        break;
      case 5:
        replace();
        break;
      case 6:
        record();
        break;
      default:
        if (below(random, 3) == 0) open();
    }
    keep();
  }

  static Ticks rows_of(const Data& data) {
    Ticks out;
    for (std::uint64_t row = 0; row < data.rows(); ++row) {
      out.push_back({std::string(data.column(1).text(row)), data.column(0).value<std::int64_t>(row),
                     data.column(2).value<std::int64_t>(row)});
    }
    return out;
  }

  void check(std::uint64_t commit, const Ticks& rows) {
    const Table table = db->at(CommitNumber{commit}).table("ticks");
    const Ticks stored = shown(rows, policy);
    REQUIRE(rows_of(table.read({.order = Order::stored})) == stored);
    REQUIRE(table.rows() == stored.size());
    const Ticks by_time = ordered(stored, [](const Tick& row) { return row.time; });
    const auto range = table.time_range();
    REQUIRE(range.has_value() == !stored.empty());
    if (range) {
      REQUIRE(range->first.ns == by_time.front().time);
      REQUIRE(range->second.ns == by_time.back().time);
    }
    Ticks first = by_time;
    std::erase_if(first, [&](const Tick& row) { return row.number % 3 == 0 || row.number > 900; });
    first.resize(std::min<std::size_t>(first.size(), 5));
    std::vector<Constant> values;
    for (std::int64_t n = 0; n <= 900; ++n) {
      if (n % 3 != 0) values.emplace_back(n);
    }
    REQUIRE(rows_of(table.read({.where = col("number").isin(values), .limit = 5})) == first);
  }

  void check_all() {
    for (const auto& [commit, rows] : commits) check(commit, rows);
    const VerifyReport report = db->verify();
    for (const Problem& problem : report.problems) FAIL(problem.what);
  }
};

void run(std::uint64_t seed) {
  CAPTURE(seed);
  Program program(seed);
  for (int step = 0; step < 40; ++step) program.step();
  program.check_all();
  program.open();
  program.check_all();
}

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("policies: every commit of a random program shows what a list of its rows says") {
    test::Budget budget;
    std::uint64_t seed = test::seed();
    do run(seed++);
    while (budget.left());
  }
}

}  // namespace otolith
