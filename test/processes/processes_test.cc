// Several processes on one database: killed, stopped and forked at any moment.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <random>
#include <thread>

#include "base/ids.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

// Cycles that a second of budget gives at least; fewer: the test runs, but tests little.
constexpr double kKillsPerSecondMin = 2;
constexpr double kStopsPerSecondMin = 1;

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Commits rows of one sensor for ever and says each value once its commit was acknowledged.
void commit_for_ever(const std::string& path, const std::string& sensor, std::int64_t first,
                     int pipe) {
  const Database db = Database::open(path);
  const Table table = db.table("t");
  for (std::int64_t i = first;; ++i) {
    table.append(batch_of(table.schema(), {{i, sensor, static_cast<double>(i), kNull}}));
    say(pipe, i);
  }
}

std::uint64_t rows_of_sensor(const Table& table, const std::string& sensor) {
  return table.read({.columns = {{"time"}}, .keys = {{"sensor", {sensor}}}}).rows();
}

std::string new_database(const Folder& folder) {
  const std::string path = folder.path("shared.oto");
  Database db = Database::open(path);
  db.create_table("t", sensors());
  return path;
}

}  // namespace

TEST_SUITE_BEGIN("long");

TEST_CASE("processes: every commit acknowledged before kill -9 is there, and work goes on") {
  Folder folder;
  const std::string path = new_database(folder);
  std::mt19937_64 random(seed());
  std::int64_t acknowledged[2] = {0, 0};
  std::int64_t next[2] = {1, 1};
  int cycles = 0;
  for (const Budget budget; budget.left(); ++cycles) {
    Child one([&](int pipe) { commit_for_ever(path, "one", next[0], pipe); });
    Child two([&](int pipe) { commit_for_ever(path, "two", next[1], pipe); });
    ::usleep(static_cast<useconds_t>(random() % 20'000));
    Child* const both[2] = {&one, &two};
    for (Child* child : both) child->signal(SIGKILL);
    for (int i = 0; i < 2; ++i) {
      while (const auto value = both[i]->next()) {
        ++acknowledged[i];
        next[i] = *value + 1;
      }
      CHECK(both[i]->finish() == -SIGKILL);
    }
    Database db = Database::open(path);
    db.sync();  // adopts what the killed had in flight, which would turn up a cycle later
    const Table table = db.table("t");
    for (int i = 0; i < 2; ++i) {
      const auto rows = static_cast<std::int64_t>(rows_of_sensor(table, i == 0 ? "one" : "two"));
      INFO("cycle ", cycles, " seed ", seed());
      // A commit whose acknowledgement the kill swallowed may be there as well.
      REQUIRE(rows >= acknowledged[i]);
      REQUIRE(rows <= acknowledged[i] + 1);
      acknowledged[i] = rows;
      next[i] += 1;  // never the same time twice, whether or not the last one made it
    }
  }
  MESSAGE(cycles, " cycles of kill -9");
  CHECK(cycles >= kKillsPerSecondMin * budget_s());
  CHECK(Database::open(path).verify().problems.empty());
}

TEST_CASE(
    "processes: a stopped writer holds up no reader, and other writers only until it goes on") {
  Folder folder;
  const std::string path = new_database(folder);
  std::mt19937_64 random(seed());
  int locked = 0;
  int cycles = 0;
  for (const Budget budget; budget.left(); ++cycles) {
    Child writer(
        [&](int pipe) { commit_for_ever(path, "writer", 1'000'000 * (cycles + 1), pipe); });
    REQUIRE(writer.next());
    ::usleep(static_cast<useconds_t>(random() % 2'000));
    writer.signal(SIGSTOP);
    Database db = Database::open(path, {.lock_wait_ns = 20'000'000});
    const Table table = db.table("t");
    CHECK(rows_of_sensor(table, "writer") >= 1);
    try {
      table.append(batch_of(table.schema(), {{std::int64_t{cycles}, "other", 1.0, kNull}}));
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::locked);
      CHECK(error.message().find("process") != std::string::npos);
      ++locked;
    }
    writer.signal(SIGCONT);
    CHECK(writer.finish(SIGKILL) == -SIGKILL);
    table.append(batch_of(table.schema(), {{std::int64_t{cycles}, "after", 1.0, kNull}}));
  }
  MESSAGE(cycles, " cycles of SIGSTOP, the writer held the lock in ", locked);
  CHECK(cycles >= kStopsPerSecondMin * budget_s());
  CHECK(rows_of_sensor(Database::open(path).table("t"), "after") ==
        static_cast<std::uint64_t>(cycles));
}

TEST_SUITE_END();

TEST_CASE("processes: who waits for commits of another process meets each of them once, in time") {
  Folder folder;
  const std::string path = new_database(folder);
  const Database db = Database::open(path, {.read_only = true});
  CommitNumber seen = db.head().number;
  constexpr int commits = 50;
  Child writer([&](int pipe) {
    const Database own = Database::open(path);
    const Table table = own.table("t");
    for (std::int64_t i = 0; i < commits; ++i) {
      ::usleep(static_cast<useconds_t>(i * 200));
      table.append(batch_of(table.schema(), {{i, "a", 1.0, kNull}}));
      say(pipe, monotonic_ns());
    }
  });
  std::vector<std::int64_t> late_ns;
  for (int i = 0; i < commits; ++i) {
    const auto next = db.wait({.after = seen, .timeout_ns = 10'000'000'000});
    const std::int64_t met = monotonic_ns();
    REQUIRE(next);
    REQUIRE(value_of(next->number) == value_of(seen) + 1);
    CHECK(next->durable);
    seen = next->number;
    late_ns.push_back(met - *writer.next());
  }
  CHECK(writer.finish() == 0);
  std::ranges::sort(late_ns);
  MESSAGE("met a commit after ", static_cast<double>(late_ns[commits / 2]) / 1e6, " ms, at most ",
          static_cast<double>(late_ns.back()) / 1e6);
  CHECK(late_ns[commits / 2] < 10'000'000);  // one may wait for a core
}

TEST_CASE("processes: an idle wait costs next to nothing") {
  Folder folder;
  const Database db = Database::open(new_database(folder));
  const std::clock_t begin = std::clock();
  CHECK_FALSE(db.wait({.timeout_ns = 1'000'000'000}));
  const double share = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  MESSAGE("an idle wait takes ", share * 100, " % of a core");
  CHECK(share < 0.05);
}

TEST_CASE("processes: a wait meets a relaxed commit once it is on the disk, not before") {
  Folder folder;
  const std::string path = new_database(folder);
  const Database relaxed = Database::open(path, {.durability = Durability::relaxed});
  const Table table = relaxed.table("t");
  for (const Database& waiting : {relaxed, Database::open(path, {.read_only = true})}) {
    const CommitNumber before = relaxed.head().number;
    const Commit commit =
        table.append(batch_of(table.schema(), {{std::int64_t{1}, "a", 1.0, kNull}}));
    REQUIRE_FALSE(commit.durable);
    CHECK_FALSE(waiting.wait({.after = before, .timeout_ns = 0}));
    const auto met = waiting.wait({.after = before, .timeout_ns = 10'000'000'000});
    REQUIRE(met);
    CHECK(met->number == commit.number);
    CHECK(met->durable);
  }
}

TEST_CASE("processes: a wait ends where its handle is closed, or its caller has enough") {
  Folder folder;
  Database db = Database::open(new_database(folder));
  std::jthread closing([&] {
    ::usleep(20'000);
    db.close();
  });
  const auto ends = [](const auto& wait) {
    try {
      wait();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::corrupt;
  };
  CHECK(ends([&] { (void)db.wait(); }) == ErrorCode::invalid_argument);
  closing.join();
  const Database other = Database::open(":memory:");
  const auto enough = [] { throw Error(ErrorCode::cancelled, "enough"); };
  CHECK(ends([&] { (void)other.wait({.now_and_then = enough}); }) == ErrorCode::cancelled);
}

TEST_CASE("processes: closing in a forked child is no error and takes nothing from the parent") {
  Folder folder;
  const std::string path = new_database(folder);
  for (const bool in_memory : {false, true}) {
    CAPTURE(in_memory);
    Database db = in_memory ? Database::open(":memory:") : Database::open(path);
    if (in_memory) db.create_table("t", sensors());
    const Table table = db.table("t");
    const auto rows = table.rows();
    Child child([&](int pipe) {
      db.close();
      say(pipe, 1);
    });
    CHECK(child.next() == 1);
    CHECK(child.finish() == 0);
    table.append(batch_of(table.schema(), {{std::int64_t{1}, "a", 1.0, kNull}}));
    CHECK(table.rows() == rows + 1);
    db.close();
  }
}

TEST_CASE("processes: a forked child's handle reads, and refuses to write; its recorder raises") {
  Folder folder;
  const std::string path = new_database(folder);
  Database db = Database::open(path);
  const Table table = db.table("t");
  table.append(batch_of(table.schema(), {{std::int64_t{1}, "a", 1.0, kNull}}));
  Recorder recorder = db.recorder();
  recorder.append("t", batch_of(table.schema(), {{std::int64_t{2}, "a", 1.0, kNull}}));
  const Table staged = recorder.table("t");
  Child child([&](int pipe) {
    say(pipe, static_cast<std::int64_t>(table.rows()));
    const auto refused = [&](const std::function<void()>& work) -> std::int64_t {
      try {
        work();
      } catch (const Error& error) {
        return error.code() == ErrorCode::invalid_argument ? 1 : 2;
      }
      return 0;
    };
    say(pipe, refused([&] {
          table.append(batch_of(table.schema(), {{std::int64_t{3}, "a", 1.0, kNull}}));
        }));
    say(pipe, refused([&] { recorder.commit(); }));
    say(pipe, refused([&] { (void)recorder.table("t"); }));
    say(pipe, refused([&] { (void)staged.rows(); }));
    Database own = Database::open(path);
    own.table("t").append(batch_of(table.schema(), {{std::int64_t{4}, "a", 1.0, kNull}}));
    say(pipe, static_cast<std::int64_t>(table.rows()));
  });
  CHECK(child.next() == 1);
  CHECK(child.next() == 1);
  CHECK(child.next() == 1);
  CHECK(child.next() == 1);
  CHECK(child.next() == 1);
  CHECK(child.next() == 2);
  CHECK(child.finish() == 0);
  recorder.commit();
  CHECK(table.rows() == 3);
}

TEST_CASE("processes: a child reads a snapshot of before the fork, whatever threads were doing") {
  Folder folder;
  const std::string path = new_database(folder);
  Database db = Database::open(path);
  const Table live = db.table("t");
  for (std::int64_t i = 0; i < 20; ++i) {
    live.append(batch_of(live.schema(), {{i, "a", 1.0, kNull}}));
  }
  const Snapshot at = db.at("HEAD~5");
  const Table pinned = at.table("t");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)(pinned.rows() + live.rows());
    });
  }
  int ended = 0;
  for (int cycle = 0; cycle < 150 && ended == 0; ++cycle) {
    Child child([&](int) {
      ::alarm(10);
      if (pinned.rows() != 15 || at.table("t").rows() != 15 || live.rows() != 20) ::_exit(7);
    });
    ended = child.finish();
  }
  CHECK(ended == 0);
}

TEST_CASE("processes: two that create the same database at once both open the same one") {
  Folder folder;
  const std::string path = folder.path("raced.oto");
  const auto create = [&](int pipe) {
    Database db = Database::open(path);
    db.create_table("t", sensors(), {.exist_ok = true});
    const Table table = db.table("t");
    table.append(batch_of(table.schema(), {{std::int64_t{1}, "a", 1.0, kNull}}));
    say(pipe, 1);
  };
  Child one(create);
  Child two(create);
  CHECK(one.finish() == 0);
  CHECK(two.finish() == 0);
  CHECK(Database::open(path).table("t").rows() == 2);
}

}  // namespace otolith::test
