// Seals behind the back of who commits.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include "base/limits.h"
#include "base/log.h"
#include "db/hall.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/halves_codec.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

history::HistoryOptions sealed_every(std::uint64_t commits) {
  history::HistoryOptions sizes;
  sizes.tail_commits_max = commits;
  sizes.log.file_bytes = 16 << 10;  // so that there are files to be stripped
  sizes.sweep_after_ns = 0;         // of what was joined
  return sizes;
}

// Encodes when it may: a seal stands still meanwhile. A commit into the log does not ask it.
class Gate final : public UserCodec {
 public:
  std::uint16_t id() const noexcept override { return kUserCodecFirst + 50; }
  std::uint16_t version() const noexcept override { return 1; }
  std::string_view name() const noexcept override { return "gate"; }
  bool fits(Type) const noexcept override { return true; }
  std::vector<std::byte> encode(const Array& page) const override {
    waits = true;
    waits.notify_all();
    open.wait(false);
    waits = false;
    if (breaks) throw Error(ErrorCode::io, "the disk of the gate is gone");
    return halves_.encode(page);
  }
  Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const override {
    return halves_.decode(bytes, type, rows);
  }

  static inline std::atomic<bool> open{true};
  static inline std::atomic<bool> waits{false};
  static inline std::atomic<bool> breaks{false};

  static void shut() {
    open = false;
    waits = false;
  }
  static void let() {
    open = true;
    open.notify_all();
  }

 private:
  HalvesCodec halves_;
};

Schema gated() {
  static const bool once = [] {
    codec_register(std::make_unique<Gate>());
    return true;
  }();
  (void)once;
  Schema schema = sensors();
  schema.columns[2].codec = "codec:gate";
  return schema;
}

void append(const Table& table, std::int64_t i) {
  table.append(batch_of(table.schema(), {{i, "a", 1.0, kNull}}));
}

std::atomic<int> complaints{0};
void complain(LogLevel, std::string_view line) {
  if (line.find("could not be sealed") != std::string_view::npos) ++complaints;
}

// `limit` commits, of a row each, fill the tail.
void check_waits(const std::string& path, const history::HistoryOptions& sizes,
                 std::int64_t limit) {
  const auto twice = static_cast<std::uint64_t>(2 * limit);
  Database db = db::Door::open(path, {}, sizes);
  const Table table = db.create_table("t", gated());
  Gate::shut();
  std::int64_t i = 0;
  for (; i <= limit; ++i) append(table, i);  // the last is one too many
  Gate::waits.wait(false);
  for (; i < 2 * limit; ++i) append(table, i);  // beside the seal
  CHECK(table.rows() == twice);
  CHECK(db.status().datasets.at("t").segments == 0);
  std::atomic<bool> returned{false};
  std::jthread waiting([&] {
    append(table, i);
    returned = true;
  });
  while (table.rows() <= twice) std::this_thread::yield();  // it stands, and is not told yet
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(returned);
  Gate::let();
  waiting.join();
  CHECK(returned);
  CHECK(db.status().datasets.at("t").segments >= 1);
  CHECK(table.read().rows() == twice + 1);
}

}  // namespace

TEST_CASE(
    "seal behind: commits go on beside a seal, and wait for it where the tail is twice full") {
  check_waits(":memory:", sealed_every(10), 10);
  check_waits(":memory:", {}, static_cast<std::int64_t>(kTailCommitsMax));
}

TEST_CASE("seal behind: on a real directory too, commits wait at twice the tail and no earlier") {
  Folder folder;
  check_waits(folder.path("waits.oto"), sealed_every(10), 10);
}

TEST_CASE("seal behind: closing waits for the seal that was asked for") {
  Folder folder;
  const std::string path = folder.path("closed.oto");
  {
    Database db = db::Door::open(path, {}, sealed_every(10));
    const Table table = db.create_table("t", gated());
    Gate::shut();
    for (std::int64_t i = 0; i < 11; ++i) append(table, i);
    std::jthread letting([] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      Gate::let();
    });
    db.close();
  }
  const Database db = Database::open(path, {.read_only = true});
  CHECK(db.status().datasets.at("t").segments == 1);
  CHECK(db.status().datasets.at("t").tail_rows == 0);
  CHECK(db.status().unnamed_files == 0);
  CHECK(db.table("t").rows() == 11);
}

TEST_CASE("seal behind: a seal that fails is logged, fails no commit, and is tried again") {
  Database db = db::Door::open(":memory:", {}, sealed_every(4));
  const Table table = db.create_table("t", gated());
  complaints = 0;
  const LogSink before = log_sink_set(&complain);
  Gate::breaks = true;
  for (std::int64_t i = 0; i < 20; ++i) append(table, i);
  CHECK(complaints >= 1);
  CHECK(db.status().datasets.at("t").segments == 0);
  Gate::breaks = false;
  append(table, 20);  // beyond twice the tail: it waits
  CHECK(db.status().datasets.at("t").segments == 1);
  CHECK(table.read().rows() == 21);
  log_sink_set(before);
}

TEST_CASE("seal behind: a child of a fork made during a seal reads, and takes nothing away") {
  Folder folder;
  const std::string path = folder.path("forked.oto");
  Database db = db::Door::open(path, {}, sealed_every(10));
  const Table table = db.create_table("t", gated());
  Gate::shut();
  for (std::int64_t i = 0; i < 11; ++i) append(table, i);
  Gate::waits.wait(false);
  Child child([&](int pipe) {
    say(pipe, static_cast<std::int64_t>(table.rows()));
    db.close();
  });
  CHECK(child.next() == 11);
  CHECK(child.finish() == 0);
  Gate::let();
  db.close();
  const Database again = Database::open(path, {.read_only = true});
  CHECK(again.status().datasets.at("t").segments == 1);
  CHECK(again.table("t").rows() == 11);
}

TEST_CASE("seal behind: threads that commit, read and compact see every row once") {
  Folder folder;
  const std::string path = folder.path("threads.oto");
  constexpr std::int64_t writers = 3;
  constexpr std::int64_t commits = 150;
  {
    Database db = db::Door::open(path, {}, sealed_every(8));
    const Table table = db.create_table("t", sensors());
    std::vector<std::jthread> threads;
    std::atomic<std::uint64_t> acknowledged{0};
    std::atomic<int> wrong{0};
    for (std::int64_t w = 0; w < writers; ++w) {
      threads.emplace_back([&, w] {
        for (std::int64_t i = 0; i < commits; ++i) {
          append(table, w * commits + i);
          ++acknowledged;
        }
      });
    }
    threads.emplace_back([&] {
      while (acknowledged < writers * commits) {
        const std::uint64_t least = acknowledged;
        if (table.read().rows() < least) ++wrong;
      }
    });
    threads.emplace_back([&] {
      while (acknowledged < writers * commits) db.compact();
    });
    threads.clear();
    CHECK(wrong == 0);
    db.close();
  }
  Database db = Database::open(path);
  CHECK(db.table("t").rows() == writers * commits);
  CHECK(db.status().tail_commits <= 8);
  CHECK(db.status().unnamed_files == 0);
  CHECK(db.verify().problems.empty());
}

TEST_SUITE_BEGIN("long");

TEST_CASE("seal behind: killed at any moment of a seal, every acknowledged commit is there") {
  Folder folder;
  const std::string path = folder.path("killed.oto");
  const history::HistoryOptions sizes = sealed_every(20);
  db::Door::open(path, {}, sizes).create_table("t", sensors());
  Random random(seed());
  std::uint64_t acknowledged = 0;
  int cycles = 0;
  for (const Budget budget; budget.left(); ++cycles) {
    Child writer([&](int pipe) {
      Database db = db::Door::open(path, {}, sizes);
      const Table table = db.table("t");
      for (std::int64_t i = 0;; ++i) {
        append(table, cycles * 100'000 + i);
        say(pipe, i);
      }
    });
    REQUIRE(writer.next());
    ::usleep(static_cast<useconds_t>(random() % 30'000));
    if (cycles % 4 == 0) {
      writer.signal(SIGSTOP);
      CHECK(Database::open(path, {.read_only = true}).table("t").rows() >= acknowledged);
      writer.signal(SIGCONT);
    }
    writer.signal(SIGKILL);
    ++acknowledged;
    while (writer.next()) ++acknowledged;
    CHECK(writer.finish() == -SIGKILL);
    Database db = db::Door::open(path, {}, sizes);
    db.sync();  // adopts what the killed had in flight, which would turn up a cycle later
    INFO("cycle ", cycles, " seed ", seed());
    const std::uint64_t rows = db.table("t").rows();
    REQUIRE(rows >= acknowledged);
    REQUIRE(rows <= acknowledged + 1);
    acknowledged = rows;
    if (cycles % 8 == 0) REQUIRE(db.verify().problems.empty());
  }
  MESSAGE(cycles, " cycles of kill -9 beside seals, ", acknowledged, " commits, ",
          Database::open(path).status().datasets.at("t").segments, " segments");
  CHECK(Database::open(path).verify().problems.empty());
}

TEST_SUITE_END();

}  // namespace otolith::test
