// A table that takes each key and time once, where several hands write to it.
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/otolith.h"
#include "test/rows.h"

namespace otolith {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

Schema once_schema() {
  Schema schema;
  schema.duplicates = Duplicates::error;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false},
                    {.name = "symbol", .type = {TypeKind::string}, .nullable = false},
                    {.name = "number", .type = {TypeKind::int64}}};
  schema.keys = {"symbol"};
  return schema;
}

struct Handle {
  io::SimDisk disk{io::SimDiskOptions{.seed = 1}};
  std::shared_ptr<io::Environment> environment = io::simulated_environment(1);
  Database db = open();

  Handle() { db.create_table("once", once_schema()); }
  Database open(history::HistoryOptions sizes = {}, OpenOptions options = {.threads = 2}) {
    return db::Door::open(disk.attach(), environment, options, sizes);
  }
};

Batch batch(const Database& db, const std::vector<std::int64_t>& seconds,
            const std::string& symbol = "a") {
  std::vector<test::Row> rows;
  for (const std::int64_t second : seconds) rows.push_back({second * kSecond, symbol, second});
  return test::batch_of(db.table("once").schema(), rows);
}

// What the error of a refused write says; empty where it was taken.
template <typename Write>
std::string refusal(Write write) {
  try {
    write();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.outcome() == Outcome::failed);
    return error.message();
  }
  return {};
}

std::vector<std::int64_t> counted(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = first; i < end; ++i) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE(
    "duplicates: a row that is there already is named, and nothing of the commit is written") {
  Handle handle;
  Database& db = handle.db;
  db.create_table("other", once_schema());
  db.table("once").append(batch(db, {1, 2, 3}));
  Recorder recorder = db.recorder();
  recorder.append("other", batch(db, {9}));
  recorder.append("once", batch(db, {4, 2}));
  const std::string said = refusal([&] { recorder.commit(); });
  CHECK(said.find("\"once\" has a row of \"symbol\" \"a\" at 1970-01-01T00:00:02") == 0);
  CHECK(said.find("from commit 3") != std::string::npos);
  CHECK(db.table("other").rows() == 0);
  CHECK(db.table("once").rows() == 3);
  CHECK(db.head().number == CommitNumber{3});
  CHECK_FALSE(recorder.open());
  CHECK(refusal([&] { db.table("once").append(batch(db, {2}, "b")); }).empty());
}

TEST_CASE("duplicates: two rows of one commit are refused, however they are staged") {
  Handle handle;
  const std::string twice = "two rows for \"once\" of \"symbol\" \"a\" at 1970-01-01T00:00:05";
  SUBCASE("in one batch") {
    CHECK(refusal([&] {
            handle.db.table("once").append(batch(handle.db, {5, 6, 5}));
          }).find(twice) == 0);
  }
  SUBCASE("in two appends of a recorder") {
    Recorder recorder = handle.db.recorder();
    recorder.append("once", batch(handle.db, {5}));
    recorder.append("once", batch(handle.db, {6, 5}));
    CHECK(refusal([&] { recorder.commit(); }).find(twice) == 0);
  }
  SUBCASE("in a segment") {
    history::HistoryOptions sizes;
    sizes.inline_bytes_max = 16;
    Database db = handle.open(sizes);
    CHECK(refusal([&] { db.table("once").append(batch(db, {5, 6, 5})); }).find(twice) == 0);
  }
  SUBCASE("in runs that were spilled to a file") {
    Database db = handle.open({}, {.threads = 2, .memory_bytes = kMemoryBytesMin});
    const auto write = [&](std::int64_t again) {
      Recorder recorder = db.recorder();
      for (std::int64_t part = 0; part < 3; ++part) {  // each has more than one run's rows
        std::vector<std::int64_t> seconds;
        for (std::int64_t i = 0; i < 40'000; ++i) seconds.push_back(100 + i * 3 + part);
        if (part != 1) seconds.push_back(part == 0 ? 5 : again);
        recorder.append("once", batch(db, seconds));
      }
      recorder.commit();
    };
    CHECK(refusal([&] { write(5); }).find(twice) == 0);
    CHECK(db.table("once").rows() == 0);
    CHECK(refusal([&] { write(6); }).empty());
    CHECK(db.table("once").rows() == 120'002);
    CHECK(db.status().unnamed_files == 0);
  }
}

TEST_CASE("duplicates: many rows among many are refused for one, in the middle of them") {
  Handle handle;
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 1024;
  Database db = handle.open(sizes);
  std::vector<std::int64_t> even;
  std::vector<std::int64_t> odd;
  for (std::int64_t i = 0; i < 20'000; ++i) (i % 2 == 0 ? even : odd).push_back(i);
  db.table("once").append(batch(db, even));
  odd.push_back(9'876);
  CHECK(refusal([&] { db.table("once").append(batch(db, odd)); }).find("1970-01-01T02:44:36") !=
        std::string::npos);
  odd.pop_back();
  CHECK(refusal([&] { db.table("once").append(batch(db, odd)); }).empty());
}

TEST_CASE("duplicates: rows that the commit ends make room for others of their keys and times") {
  Handle handle;
  Database& db = handle.db;
  db.table("once").append(batch(db, counted(0, 50)));
  CHECK(refusal([&] {
          db.table("once").replace({.stop = Timestamp{20 * kSecond}}, batch(db, counted(5, 15)));
        }).empty());
  CHECK(db.table("once").rows() == 40);
  Recorder recorder = db.recorder();
  recorder.remove("once", {.start = Timestamp{30 * kSecond}});
  recorder.append("once", batch(db, counted(29, 40)));
  CHECK(refusal([&] { recorder.commit(); }).find("00:00:29") != std::string::npos);
  Recorder again = db.recorder();
  again.append("once", batch(db, {60, 61}));
  again.remove("once", {.start = Timestamp{30 * kSecond}});
  again.append("once", batch(db, counted(30, 62)));
  CHECK(refusal([&] { again.commit(); }).empty());
  CHECK(db.table("once").rows() == 10 + 10 + 32);
  // Nor do those that were ended before, nor what a rollback-free past shows.
  db.table("once").remove({.all = true});
  CHECK(refusal([&] { db.table("once").append(batch(db, counted(0, 50))); }).empty());
}

TEST_CASE("duplicates: of rows that many hands append each is taken once") {
  Handle handle;
  history::HistoryOptions sizes;
  sizes.tail_commits_max = 20;  // seals in between
  Database first = handle.open(sizes);
  Database second = handle.open(sizes);  // as another process
  constexpr std::int64_t kRows = 60;
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> refused{0};
  const auto write = [&](Database db) {
    for (std::int64_t second_of = 0; second_of < kRows; ++second_of) {
      try {
        db.table("once").append(batch(db, {second_of, 1000 + second_of}));
        ++taken;
      } catch (const Error& error) {
        if (error.code() == ErrorCode::conflict) ++refused;
        if (error.code() == ErrorCode::locked) --second_of;  // the clock of this disk runs fast
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(write, i % 2 == 0 ? first : second);
  for (std::thread& thread : threads) thread.join();
  CHECK(taken == kRows);
  CHECK(refused == 3 * kRows);
  const Data data = first.table("once").read();
  std::set<std::int64_t> times;
  for (std::uint64_t row = 0; row < data.rows(); ++row)
    times.insert(data.column("time").value<std::int64_t>(row));
  CHECK(data.rows() == 2 * kRows);
  CHECK(times.size() == 2 * kRows);
}

TEST_CASE("duplicates: a retry under its change id is no duplicate of itself") {
  Handle handle;
  Database& db = handle.db;
  CommitOptions options;
  options.change_id = "00000000000000000000000000000009";
  const Commit won = db.table("once").append(batch(db, {1, 2}), options);
  CHECK(db.table("once").append(batch(db, {1, 2}), options).number == won.number);
  CHECK(db.table("once").rows() == 2);
}

}  // namespace otolith
