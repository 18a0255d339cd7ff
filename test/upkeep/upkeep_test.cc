// Sweep and compact: what nobody needs goes, what somebody may come to need stays.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/limits.h"
#include "cli/command_line.h"
#include "db/hall.h"
#include "ingest/segment_file.h"
#include "io/posix.h"
#include "io/sim_disk.h"
#include "segment/path.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

const OpenOptions kSpilling{.memory_bytes = 1 << 20};

std::string new_database(const Folder& folder, const char* name = "kept.oto") {
  const std::string path = folder.path(name);
  Database db = Database::open(path);
  db.create_table("t", sensors());
  return path;
}

Batch batch_at(const Table& table, std::int64_t first, std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = first; i < first + count; ++i) rows.push_back({i, "a", 0.5, kNull});
  return batch_of(table.schema(), rows);
}

// Enough that rows go into a file of their own before the commit.
void spill(Recorder& recorder, const Database& db) {
  recorder.append("t", batch_at(db.table("t"), 0, 30'000));
}

std::vector<std::string> segment_files(const std::string& path) {
  const auto vfs = io::posix_vfs(path, {.read_only = true});
  std::vector<std::string> out;
  for (const std::string& folder : vfs->list("segments")) {
    for (const std::string& name : vfs->list("segments/" + folder)) {
      out.push_back("segments/" + folder + "/" + name);
    }
  }
  return out;
}

void leave_killed_recorder(const std::string& path) {
  Child killed([&](int pipe) {
    Database db = Database::open(path, kSpilling);
    Recorder recorder = db.recorder();
    spill(recorder, db);
    say(pipe, 1);
    ::pause();
  });
  REQUIRE(killed.next() == 1);
  CHECK(killed.finish(SIGKILL) == -SIGKILL);
}

Database sweeping_at_once(const std::string& path) {
  history::HistoryOptions sizes;
  sizes.sweep_after_ns = 0;  // of what was joined
  return db::Door::open(path, {}, sizes);
}

ErrorCode refused(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  FAIL("it was not refused");
  return ErrorCode::io;
}

}  // namespace

TEST_CASE("upkeep: what a killed recorder left is told by status and goes with compact") {
  Folder folder;
  const std::string path = new_database(folder);
  leave_killed_recorder(path);
  REQUIRE(segment_files(path).size() == 1);
  Database db = Database::open(path);
  CHECK(db.status().unnamed_files == 1);
  CHECK(db.status().unnamed_bytes > 0);
  CHECK(db.status().foreign.empty());
  const std::uint64_t bytes = db.status().unnamed_bytes;
  const CompactReport done = db.compact();
  CHECK(done.swept_files == 1);
  CHECK(done.swept_bytes == bytes);
  CHECK(segment_files(path).empty());
  CHECK(db.status().unnamed_files == 0);
}

TEST_CASE(
    "upkeep: of more killed recorders than a sweep holds the locks of, all files go at once") {
  io::SimDisk disk;
  constexpr std::uint64_t killed = kSweepOwnersMax + 6;
  const auto open = [&](const std::shared_ptr<io::Vfs>& vfs, std::uint64_t process) {
    return db::Door::open(vfs, io::simulated_environment(process, {.process = process}), kSpilling,
                          {});
  };
  open(disk.attach(), 1000).create_table("t", sensors());
  for (std::uint64_t i = 0; i < killed; ++i) {
    const std::shared_ptr<io::Vfs> vfs = disk.attach();
    const Database db = open(vfs, 1 + i);
    Recorder recorder = Database(db).recorder();
    spill(recorder, db);
    disk.kill(*vfs);
  }
  Database db = open(disk.attach(), 2000);
  CHECK(db.status().unnamed_files == killed);
  CHECK(db.compact().swept_files == killed);
  CHECK(db.status().unnamed_files == 0);
}

TEST_CASE("upkeep: the file of an open recorder stays, also of a stopped one, and is committed") {
  Folder folder;
  const std::string path = new_database(folder);
  Child other([&](int pipe) {
    Database db = Database::open(path, kSpilling);
    Recorder recorder = db.recorder();
    spill(recorder, db);
    say(pipe, 1);
    ::raise(SIGSTOP);
    recorder.commit();
    say(pipe, 2);
  });
  REQUIRE(other.next() == 1);
  Database db = Database::open(path, kSpilling);
  Recorder own = db.recorder();
  spill(own, db);
  CHECK(db.status().unnamed_files == 2);
  CHECK(db.compact().swept_files == 0);
  CHECK(segment_files(path).size() == 2);
  own.commit();
  CHECK(db.compact().swept_files == 0);
  other.signal(SIGCONT);
  CHECK(other.next() == 2);
  CHECK(other.finish() == 0);
  CHECK(db.compact().swept_files == 0);
  CHECK(db.table("t").rows() == 60'000);
  CHECK(db.verify().problems.empty());
}

TEST_CASE("upkeep: what a killed recorder left goes behind the first commit, without a seal") {
  Folder folder;
  const std::string path = new_database(folder);
  leave_killed_recorder(path);
  Child other([&](int pipe) {
    Database db = Database::open(path, kSpilling);
    Recorder recorder = db.recorder();
    spill(recorder, db);
    say(pipe, 1);
    ::raise(SIGSTOP);
    recorder.commit();
  });
  REQUIRE(other.next() == 1);
  {
    Database reading = Database::open(path);
    CHECK(reading.table("t").rows() == 0);
  }
  CHECK(segment_files(path).size() == 2);  // who only reads sweeps nothing
  {
    Database db = Database::open(path);
    db.table("t").append(batch_at(db.table("t"), 0, 1));
  }
  CHECK(segment_files(path).size() == 1);  // that of the recorder which stands
  other.signal(SIGCONT);
  CHECK(other.finish() == 0);
  Database db = Database::open(path);
  CHECK(db.table("t").rows() == 30'001);
  CHECK(db.verify().problems.empty());
}

TEST_CASE("upkeep: a file without a header goes once no recorder stands that may have made it") {
  Folder folder;
  const std::string path = new_database(folder);
  leave_killed_recorder(path);
  const std::string file = segment_files(path).at(0);
  io::posix_vfs(path)->open(file, io::OpenMode::read_write)->truncate(100);  // as power loss may
  Database db = Database::open(path, kSpilling);
  {
    Recorder open = db.recorder();
    spill(open, db);
    CHECK(db.compact().swept_files == 0);
    CHECK(segment_files(path).size() == 2);
  }
  CHECK(db.compact().swept_files == 1);
  CHECK(segment_files(path).empty());
}

TEST_CASE("upkeep: files of other databases and of other names are never touched") {
  Folder folder;
  const std::string path = new_database(folder);
  const std::string other = new_database(folder, "other.oto");
  leave_killed_recorder(other);
  const std::string file = segment_files(other).at(0);
  const auto vfs = io::posix_vfs(path);
  vfs->make_dir("segments");
  vfs->make_dir(file.substr(0, file.rfind('/')));
  const auto from = io::posix_vfs(other)->open(file, io::OpenMode::read);
  Bytes bytes(from->stat().size);
  from->read_at(0, bytes);
  vfs->open(file, io::OpenMode::create)->write_at(0, bytes);
  vfs->open(file + ".mine", io::OpenMode::create);
  Database db = Database::open(path);
  CHECK(db.compact().swept_files == 0);
  CHECK(segment_files(path).size() == 2);
}

TEST_CASE("upkeep: what commits need stays, however it was committed, and where damage hides it") {
  Folder folder;
  const std::string path = new_database(folder);
  {
    Database db = Database::open(path, {.durability = Durability::relaxed});
    const Table table = db.table("t");
    table.append(batch_at(table, 0, 60'000));
    table.append(batch_at(table, 0, 10));
    CHECK(db.compact().swept_files == 0);
    CHECK(db.head().durable);
    CHECK(table.rows() == 60'010);
  }
  leave_killed_recorder(path);
  const auto vfs = io::posix_vfs(path);
  for (const std::string& name : vfs->list("index")) vfs->remove("index/" + name);
  vfs->remove("lock");
  const auto log = vfs->open("log/00000001.log", io::OpenMode::read_write);
  std::byte byte{};
  log->read_at(700, {&byte, 1});
  byte ^= std::byte{1};
  log->write_at(700, {&byte, 1});
  Database db = Database::open(path);
  CHECK(refused([&] { db.compact(); }) == ErrorCode::corrupt);
  CHECK(segment_files(path).size() == 3);
}

TEST_CASE("upkeep: a database that is open read-only refuses to compact, and sweeps nothing") {
  Folder folder;
  const std::string path = new_database(folder);
  leave_killed_recorder(path);
  Database db = Database::open(path, {.read_only = true});
  CHECK(db.status().unnamed_files == 1);
  CHECK(refused([&] { db.compact(); }) == ErrorCode::invalid_argument);
  CHECK(segment_files(path).size() == 1);
}

TEST_CASE("upkeep: compact seals every row, tells how far it is, and changes no answer") {
  for (const char* const kind : {"durable", "relaxed"}) {
    CAPTURE(kind);
    const bool relaxed = std::string_view(kind) == "relaxed";
    Database db = Database::open(
        ":memory:", {.durability = relaxed ? Durability::relaxed : Durability::durable});
    const Table t = db.create_table("t", sensors());
    const Table u = db.create_table("u", sensors());
    for (std::int64_t i = 0; i < 20; ++i) (i % 3 == 0 ? u : t).append(batch_at(t, i * 10, 10));
    const auto head = db.head();
    const auto digests = db::Door::digests(db, head.number);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
    const CompactReport done =
        db.compact([&](std::uint64_t at, std::uint64_t all) { told.emplace_back(at, all); });
    CHECK(done.sealed_rows == 200);
    CHECK(db.status().tail_commits == 0);
    CHECK(db.status().datasets.at("t").segments == 1);
    CHECK(db.head().hash == head.hash);
    CHECK(db::Door::digests(db, head.number) == digests);
    REQUIRE(told.size() == 3);
    CHECK(told.front().first == 0);
    CHECK(told.back().first == told.back().second);
    CHECK(std::ranges::is_sorted(told));
    CHECK(db.compact().sealed_rows == 0);
    CHECK(db.status().datasets.at("t").segments == 1);
  }
}

TEST_CASE("upkeep: a compact that its caller stops has sealed nothing and left no file") {
  Folder folder;
  const std::string path = new_database(folder);
  Database db = Database::open(path);
  db.table("t").append(batch_at(db.table("t"), 0, 10));
  const auto stop = [](std::uint64_t, std::uint64_t) { throw Error(ErrorCode::cancelled, "stop"); };
  CHECK(refused([&] { db.compact(stop); }) == ErrorCode::cancelled);
  CHECK(db.status().datasets.at("t").segments == 0);
  CHECK(segment_files(path).empty());
  CHECK(db.compact().sealed_rows == 10);
}

TEST_CASE("upkeep: otolith compact says what it did, and what it could not") {
  Folder folder;
  const std::string path = new_database(folder);
  {
    Database db = Database::open(path);
    db.table("t").append(batch_at(db.table("t"), 0, 10));
  }
  leave_killed_recorder(path);
  std::string out;
  std::string err;
  const auto run = [&](const std::vector<std::string>& words) {
    out.clear();
    err.clear();
    return cli::run(words, {[&](std::string_view text) { out += text; },
                            [&](std::string_view text) { err += text; }});
  };
  CHECK(run({"compact", path}) == cli::kDone);
  CHECK(out.find(": 10 rows sealed; 0 segments of 0 B joined; 1 unneeded file of ") !=
        std::string::npos);
  CHECK(run({"compact", path, "--json"}) == cli::kDone);
  CHECK(out ==
        "{\"sealed_rows\": 0, \"joined_segments\": 0, \"joined_rows\": 0, \"joined_bytes\": 0, "
        "\"present_segments\": 0, \"present_rows\": 0, \"past_segments\": 0, \"past_rows\": 0, "
        "\"swept_files\": 0, \"swept_bytes\": 0, \"stripped_files\": 0, \"stripped_bytes\": 0}\n");
  {
    Database db = Database::open(path);
    const Table t = db.table("t");
    for (int i = 0; i < 4; ++i) t.replace({}, batch_at(t, 0, 10));
  }
  CHECK(run({"compact", path, "--bytes-per-second", "1000000000"}) == cli::kDone);
  CHECK(out.find(" joined into 1 of 10 present rows and 1 of 40 past rows; ") != std::string::npos);
  CHECK(run({"compact", folder.path("none.oto")}) == cli::kError);
  CHECK(err.find("otolith compact: ") == 0);
  CHECK(run({"compact"}) == cli::kUsage);
}

TEST_SUITE_BEGIN("long");

TEST_CASE("upkeep: beside sweeps and kills every acknowledged commit keeps its segments") {
  Folder folder;
  const std::string path = new_database(folder);
  Random random(seed());
  std::uint64_t acknowledged = 0;
  std::uint64_t swept = 0;
  std::int64_t next = 0;
  int cycles = 0;
  constexpr std::int64_t rows = 15'000;  // more than a frame takes
  for (const Budget budget; budget.left(); ++cycles) {
    const auto append = [&](int pipe) {
      Database db = Database::open(path, kSpilling);
      const Table table = db.table("t");
      const std::int64_t kind = next;
      for (std::int64_t i = 0;; ++i) {
        Recorder recorder = db.recorder();
        recorder.append("t", batch_at(table, (kind * 1000 + i) * rows, rows));
        recorder.append("t", batch_at(table, (kind * 1000 + i) * rows, rows));
        recorder.commit();
        say(pipe, i);
      }
    };
    Child one(append);
    ++next;
    Child two(append);
    ++next;
    Child sweeping([&](int) {
      for (Database db = sweeping_at_once(path); true;) db.compact();
    });
    ::usleep(static_cast<useconds_t>(random() % 60'000));
    for (Child* child : {&one, &two, &sweeping}) child->signal(SIGKILL);
    for (Child* child : {&one, &two}) {
      while (child->next()) ++acknowledged;
    }
    for (Child* child : {&one, &two, &sweeping}) CHECK(child->finish() == -SIGKILL);
    Database db = sweeping_at_once(path);
    INFO("cycle ", cycles, " seed ", seed());
    swept += db.compact().swept_files;
    CHECK(db.status().unnamed_files == 0);
    const std::uint64_t commits = db.table("t").rows() / (2 * rows);
    REQUIRE(commits >= acknowledged);
    acknowledged = commits;
    if (cycles % 16 == 0) REQUIRE(db.verify().problems.empty());
  }
  MESSAGE(cycles, " cycles of kill -9, ", acknowledged, " commits with segments, ", swept,
          " files swept");
  CHECK(Database::open(path).verify().problems.empty());
}

TEST_SUITE_END();

}  // namespace otolith::test
