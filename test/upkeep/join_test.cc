// Joins of small segments: few are left, and nothing that can be asked gives another answer, to
// whoever reads meanwhile, whatever stops it.
#include <doctest/doctest.h>

#include <algorithm>

#include "db/hall.h"
#include "io/posix.h"
#include "io/sim_disk.h"
#include "test/budget.h"
#include "test/child.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::int64_t kDayNs = 86'400'000'000'000;

// Every commit gets a segment; nothing is sealed by itself.
history::HistoryOptions sizes_of(std::uint64_t sweep_after_ns = kSweepAfterNs) {
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 0;
  sizes.sweep_after_ns = sweep_after_ns;
  return sizes;
}

Batch batch_at(const Table& table, std::int64_t first, std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = first; i < first + count; ++i)
    rows.push_back({i, std::string(1, static_cast<char>('a' + i % 3)), 0.5, kNull});
  return batch_of(table.schema(), rows);
}

// Commits of a day each, out of order now and then.
void load(const Table& table, std::int64_t commits, std::int64_t rows = 10) {
  for (std::int64_t i = 0; i < commits; ++i)
    table.append(batch_at(table, (i % 7 == 3 ? i - 2 : i) * kDayNs, rows));
}

std::size_t files_of(io::Vfs& vfs) {
  std::size_t count = 0;
  if (!vfs.exists("segments")) return 0;
  for (const std::string& folder : vfs.list("segments"))
    count += vfs.list("segments/" + folder).size();
  return count;
}

// What each commit shows.
using Digests = std::vector<std::map<std::string, model::StateDigest>>;
Digests digests_of(const Database& db) {
  Digests out;
  for (std::uint64_t n = 0; n <= value_of(db.head().number); ++n)
    out.push_back(db::Door::digests(db, CommitNumber{n}));
  return out;
}

std::vector<std::string> hashes_of(const Database& db) {
  std::vector<std::string> out;
  for (const Commit& commit : db.log({})) out.push_back(commit.hash);
  return out;
}

void check_sound(const Database& db) {
  for (const Problem& problem : db.verify().problems) FAIL_CHECK(problem.what);
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

TEST_CASE("join: hundreds of commits end up in few segments, and a second compact finds nothing") {
  Database db = db::Door::open(":memory:", {}, sizes_of());
  Schema by_day = sensors();
  by_day.partition = Partition::day;
  const Table t = db.create_table("t", by_day);
  load(t, 300);
  REQUIRE(db.status().datasets.at("t").segments == 300);
  const Digests digests = digests_of(db);
  const auto hashes = hashes_of(db);
  const std::string rows = text_of(t.read());
  const CompactReport done = db.compact();
  CHECK(done.joined_segments >= 290);
  CHECK(done.joined_rows >= 2900);
  CHECK(done.joined_bytes > 0);
  CHECK(db.status().datasets.at("t").segments <= 4);
  CHECK(db.status().datasets.at("t").rows == 3000);
  const CompactReport again = db.compact();
  CHECK(again.joined_segments == 0);
  CHECK(again.joined_rows == 0);
  CHECK(digests_of(db) == digests);
  CHECK(hashes_of(db) == hashes);
  CHECK(text_of(t.read()) == rows);
  check_sound(db);
}

TEST_CASE(
    "join: what was sealed and what commits brought are joined, at every old commit the same") {
  io::SimDisk disk;
  auto sizes = sizes_of();
  sizes.inline_bytes_max = 400;
  auto open = [&, n = 1u]() mutable {
    return db::Door::open(disk.attach(), io::simulated_environment(n++), {}, sizes);
  };
  std::optional<Database> db = open();
  Table t = db->create_table("t", sensors());
  for (int i = 0; i < 3; ++i) {
    t.append(batch_at(t, i * 100, 40));
    t.append(batch_at(t, i * 100 + 20, 2));
    if (i == 1) db->compact();
  }
  t.remove({.start = Timestamp{110}, .stop = Timestamp{125}});
  t.alter({.drop = {"value"}, .widen = {{"count", {TypeKind::int64}}}});
  t.append(batch_of(t.schema(), {{std::int64_t{1}, "a", std::int64_t{1} << 40}}));
  const Digests digests = digests_of(*db);
  db->compact();
  CHECK(digests_of(*db) == digests);
  db = open();
  CHECK(digests_of(*db) == digests);
  check_sound(*db);
}

TEST_CASE("join: replaced files stay for those who read, then go; at once where space is short") {
  io::SimDisk disk;
  const auto vfs = disk.attach();
  auto open = [&, n = 1u](std::uint64_t sweep_after_ns) mutable {
    return db::Door::open(disk.attach(), io::simulated_environment(n++), {},
                          sizes_of(sweep_after_ns));
  };
  {
    Database db = open(kSweepAfterNs);
    load(db.create_table("t", sensors()), 16);
    CHECK(db.compact().joined_segments == 16);
    CHECK(db.compact().swept_files == 0);
    CHECK(files_of(*vfs) == 17);
    CHECK(db.status().unnamed_files == 16);
  }
  CHECK(open(kSweepAfterNs).compact().swept_files == 0);  // whoever asks
  Database db = open(0);
  CHECK(db.compact().swept_files == 16);
  CHECK(files_of(*vfs) == 1);
  check_sound(db);
}

TEST_CASE("join: a full disk keeps what there is, and gives replaced files back at once") {
  io::SimDisk disk;
  const auto vfs = disk.attach();
  auto sizes = sizes_of();
  sizes.log.reserve_bytes = 0;
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1), {}, sizes);
  const Table t = db.create_table("t", sensors());
  load(t, 16, 3000);
  CHECK(db.compact().joined_segments == 16);
  load(t, 2, 6000);
  const Digests digests = digests_of(db);
  // No room for the next join, but for the files that the one before left.
  std::uint64_t used = 0;
  for (const char* folder : {"log", "index"}) {
    for (const std::string& name : vfs->list(folder))
      used += vfs->stat(std::string(folder) + "/" + name)->size;
  }
  const Status status = db.status();
  const std::uint64_t joined = status.segment_bytes + status.unnamed_bytes;
  CHECK(status.unnamed_files == 16);
  disk.set_space_limit(used + joined);
  const CompactReport done = db.compact();
  CHECK(done.joined_segments == 2);
  CHECK(done.swept_files == 16);
  // Nor for the next one at all: nothing changes, and it says so.
  disk.set_space_limit(0);
  load(t, 2, 3000);
  const Digests more = digests_of(db);
  disk.set_space_limit(1);
  CHECK(refused([&] { db.compact(); }) == ErrorCode::no_space);
  disk.set_space_limit(0);
  CHECK(digests_of(db) == more);
  CHECK(std::equal(digests.begin(), digests.end(), more.begin()));
  CHECK(db.compact().joined_segments > 0);
  check_sound(db);
}

TEST_CASE("join: snapshots taken before read on, here and in another process, their files gone") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  Database db = db::Door::open(path, {}, sizes_of(0));
  const Table t = db.create_table("t", sensors());
  load(t, 20);
  const auto digest = db::Door::digests(db, CommitNumber{11}).at("t");
  const Snapshot here = db.at(CommitNumber{11});
  Child other([&](int pipe) {
    Database reading = db::Door::open(path, {.read_only = true}, sizes_of());
    const Table old = reading.at(CommitNumber{11}).table("t");
    const Table live = reading.table("t");
    say(pipe, static_cast<std::int64_t>(old.rows()));
    ::raise(SIGSTOP);
    const bool same = old.rows() == 100 && old.read().rows() == 100 && old.time_range() &&
                      live.rows() == 200 && live.read().rows() == 200;
    say(pipe, same ? 1 : 0);
  });
  REQUIRE(other.next() == 100);
  CHECK(db.compact().joined_segments == 20);
  const auto vfs = io::posix_vfs(path, {.read_only = true});
  REQUIRE(files_of(*vfs) <= 4);
  other.signal(SIGCONT);
  CHECK(other.next() == 1);
  CHECK(other.finish() == 0);
  CHECK(here.table("t").rows() == 100);
  CHECK(here.table("t").read().rows() == 100);
  CHECK(db::Door::digests(db, CommitNumber{11}).at("t") == digest);
}

TEST_CASE("join: what a recorder sees stays whole when the files below it are joined and swept") {
  Folder folder;
  const std::string path = folder.path("staged.oto");
  Database db = db::Door::open(path, {}, sizes_of(0));
  const Table t = db.create_table("t", sensors());
  load(t, 20);
  Recorder recorder = db.recorder();
  recorder.append("t", batch_at(t, 100 * kDayNs, 5));
  recorder.remove("t", {.stop = Timestamp{kDayNs}});
  const Table seen = recorder.table("t");
  const std::uint64_t rows = seen.rows();
  load(t, 20);  // behind the look, and joined with what is below it
  REQUIRE(db.compact().joined_segments == 40);
  const auto vfs = io::posix_vfs(path, {.read_only = true});
  REQUIRE(files_of(*vfs) <= 3);
  Database other = db::Door::open(path, {}, sizes_of());  // opens nothing that is gone
  CHECK(rows == 20 * 10 - 10 + 5);
  CHECK(seen.read().rows() == rows);
  CHECK(seen.rows() == rows);
  CHECK(seen.read({.start = Timestamp{100 * kDayNs}}).rows() == 5);
}

TEST_CASE("join: a segment that is missing without having been joined is damage, as ever") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  {
    Database db = db::Door::open(path, {}, sizes_of());
    load(db.create_table("t", sensors()), 2);
  }
  const auto vfs = io::posix_vfs(path);
  for (const std::string& name : vfs->list("segments")) {
    const std::string file = "segments/" + name + "/" + vfs->list("segments/" + name).front();
    vfs->remove(file);
    break;
  }
  Database db = db::Door::open(path, {}, sizes_of());
  const Table t = db.table("t");
  CHECK(refused([&] { (void)t.read(); }) == ErrorCode::corrupt);
  CHECK(refused([&] { t.remove({.all = true}); }) == ErrorCode::corrupt);
  CHECK_FALSE(db.verify().problems.empty());
  CHECK(refused([&] { db.compact(); }) == ErrorCode::corrupt);
}

TEST_CASE(
    "join: a dataset that cannot be joined is left as it is, others are joined, and it says so") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  {
    Database db = db::Door::open(path, {}, sizes_of());
    load(db.create_table("bad", sensors()), 8);
  }
  const auto vfs = io::posix_vfs(path);
  const std::string name = vfs->list("segments").front();
  const std::string file = "segments/" + name + "/" + vfs->list("segments/" + name).front();
  const auto segment = vfs->open(file, io::OpenMode::read_write);
  std::byte byte{};
  segment->read_at(300, {&byte, 1});
  byte ^= std::byte{1};
  segment->write_at(300, {&byte, 1});
  Database db = db::Door::open(path, {}, sizes_of());
  load(db.create_table("good", sensors()), 8);
  CHECK(refused([&] { db.compact(); }) == ErrorCode::corrupt);
  CHECK(db.status().datasets.at("bad").segments == 8);
  CHECK(db.status().datasets.at("good").segments == 1);
  CHECK(db.status().unnamed_files == 8);  // those of good, and no half of bad's
}

TEST_CASE(
    "join: compact tells how far it is, seal and joins together, and stops where it is told to") {
  auto sizes = sizes_of();
  sizes.inline_bytes_max = 400;
  Database db = db::Door::open(":memory:", {}, sizes);
  const Table t = db.create_table("t", sensors());
  load(t, 10, 40);
  load(t, 3, 2);
  using Told = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  Told told;
  CHECK(refused([&] {
          db.compact([&](std::uint64_t done, std::uint64_t total) {
            told.emplace_back(done, total);
            if (told.size() == 3) throw Error(ErrorCode::cancelled, "stop");
          });
        }) == ErrorCode::cancelled);
  CHECK(db.status().tail_commits == 0);  // what was sealed stays sealed
  const Told before = told;
  told.clear();
  db.compact([&](std::uint64_t done, std::uint64_t total) { told.emplace_back(done, total); });
  for (const Told& each : {before, told}) {
    CHECK(std::ranges::is_sorted(each));
    for (const auto& [done, total] : each) CHECK(done <= total);
  }
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().first == told.back().second);
  CHECK(db.status().datasets.at("t").segments <= 2);
}

TEST_CASE("join: two processes that compact at once, beside one that appends, all succeed") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  {
    Database db = db::Door::open(path, {}, sizes_of(0));
    load(db.create_table("t", sensors()), 30);
  }
  const auto compacting = [&](int) {
    Database db = db::Door::open(path, {}, sizes_of(0));
    for (int i = 0; i < 12; ++i) db.compact();
    db.close();
  };
  Child one(compacting);
  Child two(compacting);
  Child appending([&](int) {
    Database db = db::Door::open(path, {}, sizes_of(0));
    load(db.table("t"), 30);
    db.close();
  });
  Database db = db::Door::open(path, {}, sizes_of(0));
  const Snapshot old = db.at(CommitNumber{21});
  const Table t = db.table("t");
  for (int i = 0; i < 30; ++i) {
    CHECK(t.read().rows() % 10 == 0);
    CHECK(old.table("t").read().rows() == 200);
  }
  for (Child* child : {&one, &two, &appending}) CHECK(child->finish() == 0);
  db.compact();
  CHECK(db.table("t").rows() == 600);
  CHECK(db.status().datasets.at("t").segments <= 4);
  CHECK(db.status().unnamed_files == 0);
  check_sound(db);
}

TEST_SUITE_BEGIN("long");

TEST_CASE("join: killed at any moment of a join, every commit shows what it showed") {
  Folder folder;
  const std::string path = folder.path("kept.oto");
  Random random(seed());
  {
    Database db = db::Door::open(path, {}, sizes_of(0));
    db.create_table("t", sensors());
  }
  int cycles = 0;
  for (const Budget budget; budget.left(); ++cycles) {
    INFO("cycle ", cycles, " seed ", seed());
    std::map<std::string, model::StateDigest> digests;
    CommitNumber head{};
    {
      Database db = db::Door::open(path, {}, sizes_of(0));
      load(db.table("t"), 8, 3000);
      head = db.head().number;
      digests = db::Door::digests(db, head);
    }
    Child compacting([&](int) {
      Database db = db::Door::open(path, {}, sizes_of(0));
      for (;;) db.compact();
    });
    ::usleep(static_cast<useconds_t>(random() % 40'000));
    CHECK(compacting.finish(SIGKILL) == -SIGKILL);
    Database db = db::Door::open(path, {}, sizes_of(0));
    REQUIRE(db.head().number == head);
    REQUIRE(db::Door::digests(db, head) == digests);
    if (cycles % 8 == 0) check_sound(db);
    db.compact();
    CHECK(db.status().unnamed_files == 0);
  }
  MESSAGE(cycles, " cycles of kill -9");
}

TEST_SUITE_END();

}  // namespace otolith::test
