// What an error of a commit says has become of it: failed, or unknown; each way it can come about.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

Row row_of(std::int64_t time) { return {time, "a", 1.0, kNull}; }

struct Refusal {
  ErrorCode code;
  Outcome outcome;
  std::string message;
  bool operator==(const Refusal& other) const {
    return code == other.code && outcome == other.outcome;
  }
};

std::optional<Refusal> refusal_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return Refusal{error.code(), error.outcome(), error.message()};
  }
  return std::nullopt;
}

bool is(const std::optional<Refusal>& refusal, ErrorCode code, Outcome outcome) {
  return refusal && *refusal == Refusal{code, outcome, {}};
}

// A database on a disk that fails when it is told to.
struct Ground {
  io::SimDisk disk;
  history::HistoryOptions sizes;
  std::uint64_t processes = 0;
  Database db;
  Table table;

  Ground() : sizes(small()), db(open()), table(db.create_table("t", sensors())) {}

  static history::HistoryOptions small() {
    history::HistoryOptions out;
    out.log.preallocate_bytes = 4 << 10;
    out.log.reserve_bytes = 4 << 10;
    return out;
  }
  Database open() {
    const std::uint64_t number = ++processes;
    return db::Door::open(disk.attach(), io::simulated_environment(number, {.process = number}), {},
                          sizes);
  }
  void append(std::uint64_t rows) const {
    table.append(batch_of(table.schema(), std::vector<Row>(rows, row_of(7))));
  }
};

constexpr std::uint64_t kManyRows = 100'000;  // they go into a segment

std::int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

TEST_CASE("outcomes: a conflict says failed, and nothing was committed") {
  Ground ground;
  const std::string id(32, 'a');
  ground.table.append(batch_of(ground.table.schema(), {row_of(1)}), {.change_id = id});
  Recorder staged = ground.db.recorder();
  staged.append("t", batch_of(ground.table.schema(), {row_of(2)}));
  ground.table.alter({.add = {{.name = "more", .type = {TypeKind::int8}}}});
  const CommitNumber head = ground.db.head().number;
  CHECK(is(refusal_of([&] { staged.commit(); }), ErrorCode::conflict, Outcome::failed));
  CHECK(is(refusal_of([&] {
             ground.table.append(batch_of(ground.table.schema(), {}), {.change_id = id});
             ground.table.remove({.all = true}, {.change_id = id});
           }),
           ErrorCode::conflict, Outcome::failed));
  CHECK(is(refusal_of([&] { ground.db.create_table("t", sensors()); }), ErrorCode::conflict,
           Outcome::failed));
  CHECK(ground.db.head().number == head);
  CHECK(ground.table.rows() == 1);
}

TEST_CASE("outcomes: a full disk says failed, for rows in the log and in a segment") {
  for (const std::uint64_t rows : {std::uint64_t{200}, kManyRows}) {
    Ground ground;
    ground.append(1);
    ground.disk.set_space_limit(ground.disk.bytes_used() + (rows == kManyRows ? 20'000 : 0));
    std::optional<Refusal> refusal;
    for (int i = 0; i < 400 && !refusal; ++i) refusal = refusal_of([&] { ground.append(rows); });
    CHECK(is(refusal, ErrorCode::no_space, Outcome::failed));
    const std::uint64_t there = ground.table.rows();
    ground.disk.set_space_limit(0);
    ground.append(1);
    CHECK(ground.open().table("t").rows() == there + 1);
  }
}

TEST_CASE("outcomes: a recorder that finds the disk full when it commits says failed") {
  Ground ground;
  Recorder recorder = ground.db.recorder();
  recorder.append("t", batch_of(ground.table.schema(), std::vector<Row>(kManyRows, row_of(1))));
  ground.disk.set_space_limit(ground.disk.bytes_used() + 4096);
  CHECK(is(refusal_of([&] { recorder.commit(); }), ErrorCode::no_space, Outcome::failed));
  ground.disk.set_space_limit(0);
  CHECK(ground.table.rows() == 0);
  CHECK(ground.db.status().unnamed_files == 0);
}

TEST_CASE("outcomes: a segment that cannot be synced says failed, and the log never hears of it") {
  Ground ground;
  ground.append(1);
  ground.disk.inject({.operation = io::Operation::sync});
  CHECK(is(refusal_of([&] { ground.append(kManyRows); }), ErrorCode::io, Outcome::failed));
  ground.disk.clear_faults();
  CHECK(ground.open().table("t").rows() == 1);
  ground.append(kManyRows);
  CHECK(ground.table.rows() == kManyRows + 1);
}

TEST_CASE("outcomes: a sync of the log that fails says unknown, and the next writer settles it") {
  Ground ground;
  ground.append(1);
  ground.disk.inject({.operation = io::Operation::sync});
  CHECK(is(refusal_of([&] { ground.append(1); }), ErrorCode::io, Outcome::unknown));
  ground.disk.clear_faults();
  CHECK(ground.table.rows() == 1);  // nobody is shown what may not be there
  Database other = ground.open();
  const Table table = other.table("t");
  table.append(batch_of(table.schema(), {row_of(3)}));
  const std::uint64_t rows = table.rows();
  CHECK((rows == 2 || rows == 3));
  CHECK(ground.table.rows() == rows);
  CHECK(ground.open().table("t").rows() == rows);
  CHECK(other.verify().problems.empty());
}

TEST_CASE(
    "outcomes: who waits for a stopped holder gives up after lock_wait, names it, and failed") {
  Folder folder;
  const std::string path = folder.path("held.oto");
  Database::open(path).create_table("t", sensors());
  constexpr std::uint64_t wait_ns = 150'000'000;
  std::optional<Refusal> refusal;
  std::int64_t waited_ns = 0;
  std::uint64_t went_through = 0;
  // Stopped until it was in the middle of a commit, where it spends nearly all of its time.
  for (int tries = 0; tries < 200 && !refusal; ++tries) {
    Child writer([&](int pipe) {
      say(pipe, ::getpid());
      const Database db = Database::open(path);
      const Table table = db.table("t");
      for (std::int64_t i = 0;; ++i) {
        table.append(batch_of(table.schema(), {row_of(i)}));
        if (i == 0) say(pipe, 1);
      }
    });
    const std::int64_t pid = writer.next().value();
    REQUIRE(writer.next());
    writer.signal(SIGSTOP);
    const Database db = Database::open(path, {.lock_wait_ns = wait_ns});
    const Table table = db.table("t");
    const std::uint64_t before = table.rows();  // reading waits for nobody
    const std::int64_t begin = monotonic_ns();
    refusal = refusal_of([&] { table.append(batch_of(table.schema(), {row_of(-1)})); });
    waited_ns = monotonic_ns() - begin;
    if (!refusal) ++went_through;
    if (!refusal) continue;
    INFO(refusal->message);
    CHECK(refusal->message.find(std::to_string(pid)) != std::string::npos);
    CHECK(table.rows() == before);
    writer.signal(SIGCONT);
  }
  CHECK(is(refusal, ErrorCode::locked, Outcome::failed));
  CHECK(waited_ns >= static_cast<std::int64_t>(wait_ns));
  CHECK(waited_ns < 5'000'000'000);  // of a machine that has much else to do
  const Database db = Database::open(path);
  CHECK(db.table("t").read({.stop = Timestamp{0}}).rows() == went_through);
}

}  // namespace otolith::test
