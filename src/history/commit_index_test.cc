#include <doctest/doctest.h>

#include "history/checkpoint.h"
#include "history/commit_index.h"
#include "io/sim_disk.h"

namespace otolith::history {

namespace {

Id128 database_id() {
  Id128 id;
  id.bytes.fill(std::byte{0x42});
  return id;
}

struct Fixture {
  io::SimDisk disk;
  std::shared_ptr<io::Vfs> vfs = disk.attach();
  CommitIndex index{vfs, database_id()};

  Fixture() { vfs->make_dir("index"); }
};

MetaEntry entry_of(std::uint64_t number, std::uint64_t line = 0) {
  MetaEntry entry;
  ByteWriter out;
  out.put(number);
  out.put(line);
  entry.hash = blake3(out.view());
  store_le(entry.change_id.bytes.data(), number + 1000);
  entry.time = Timestamp{static_cast<std::int64_t>(number / 10)};
  entry.record = RecordNumber{2 * number};
  return entry;
}

void append(CommitIndex& index, std::uint64_t until, std::uint64_t line = 0) {
  for (std::uint64_t n = value_of(index.last()) + 1; n <= until; ++n) {
    const std::string message = "message " + std::to_string(n);
    MetaText text;
    text.author = n % 2 == 0 ? "ana" : "bo";
    text.message = message;
    text.changes = {{DatasetId{CommitNumber{1}, 0}, n, 0, 0, n == 1}};
    index.append(entry_of(n, line), text);
  }
}

void flush(CommitIndex& index, io::Vfs& vfs, std::uint64_t until) {
  while (const auto plan = index.plan(CommitNumber{until})) {
    index.install(plan->write(vfs, database_id()));
  }
}

void check_commit(CommitIndex& index, std::uint64_t n) {
  const CommitNumber number{n};
  const MetaEntry wanted = entry_of(n);
  const CommitMeta meta = index.meta(number);
  CHECK(meta.entry.hash == wanted.hash);
  CHECK(meta.entry.record == wanted.record);
  CHECK(meta.text.message == "message " + std::to_string(n));
  CHECK(meta.text.changes.at(0).added == n);
  CHECK(index.find_change(wanted.change_id) == number);
  CHECK(index.find_hash(hex(wanted.hash.view()).substr(0, 12), 2) == std::vector{number});
  CHECK(index.find_hash(hex(wanted.hash.view()), 2) == std::vector{number});
  CHECK(index.find_record(wanted.record) == number);
  CHECK(index.find_record(next(wanted.record)) == number);
}

std::size_t run_count(io::Vfs& vfs) {
  std::size_t runs = 0;
  for (const std::string& name : vfs.list("index")) runs += IndexRun::range_of(name) ? 1 : 0;
  return runs;
}

}  // namespace

TEST_CASE("index: commits are found by number, hash, change and record, in memory and on disk") {
  Fixture f;
  append(f.index, 1000);
  for (const std::uint64_t n : {1ull, 2ull, 500ull, 1000ull}) check_commit(f.index, n);
  flush(f.index, *f.vfs, 700);
  CHECK(f.index.flushed() == CommitNumber{700});
  append(f.index, 1500);
  for (const std::uint64_t n : {1ull, 699ull, 700ull, 701ull, 1500ull}) check_commit(f.index, n);
  Id128 unknown;
  CHECK_FALSE(f.index.find_change(unknown));
  CHECK(f.index.find_hash("ffffffffffffffffffff", 2).empty());
}

TEST_CASE("index: a time finds the newest commit not after it") {
  Fixture f;
  append(f.index, 100);
  flush(f.index, *f.vfs, 50);
  CHECK(f.index.find_time(Timestamp{-1}) == CommitNumber{0});
  CHECK(f.index.find_time(Timestamp{0}) == CommitNumber{9});
  CHECK(f.index.find_time(Timestamp{4}) == CommitNumber{49});
  CHECK(f.index.find_time(Timestamp{7}) == CommitNumber{79});
  CHECK(f.index.find_time(Timestamp{1000}) == CommitNumber{100});
}

TEST_CASE("index: short prefixes list their candidates in order") {
  Fixture f;
  append(f.index, 2000);
  flush(f.index, *f.vfs, 1000);
  std::vector<CommitNumber> wanted;
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    if (hex(entry_of(n).hash.view()).starts_with("ab")) wanted.push_back(CommitNumber{n});
  }
  REQUIRE(wanted.size() > 2);
  CHECK(f.index.find_hash("ab", 100) == wanted);
}

TEST_CASE("index: small runs are joined, so that few stay") {
  Fixture f;
  for (std::uint64_t n = 1; n <= 200; ++n) {
    append(f.index, n);
    flush(f.index, *f.vfs, n);
  }
  CHECK(run_count(*f.vfs) <= 8);
  for (std::uint64_t n = 1; n <= 200; ++n) check_commit(f.index, n);
}

TEST_CASE("index: reopened up to a commit, it reads runs and cuts the one that reaches beyond") {
  Fixture f;
  append(f.index, 300);
  flush(f.index, *f.vfs, 300);
  CommitIndex again(f.vfs, database_id());
  CHECK_FALSE(CommitIndex(f.vfs, database_id()).use_runs(CommitNumber{301}));
  REQUIRE(again.use_runs(CommitNumber{120}));
  CHECK(again.last() == CommitNumber{120});
  append(again, 130);
  check_commit(again, 120);
  check_commit(again, 130);
  CommitIndex empty(f.vfs, database_id());
  REQUIRE(empty.use_runs(CommitNumber{0}));
  CHECK(empty.last() == CommitNumber{0});
}

TEST_CASE("index: rebuilt from the log, it takes runs that agree and removes those that do not") {
  Fixture f;
  append(f.index, 64);
  flush(f.index, *f.vfs, 64);
  append(f.index, 80);
  flush(f.index, *f.vfs, 80);
  REQUIRE(run_count(*f.vfs) == 2);
  CommitIndex same(f.vfs, database_id());
  append(same, 100);
  same.adopt_runs(true);
  CHECK(same.flushed() == CommitNumber{80});
  check_commit(same, 64);
  check_commit(same, 100);
  CommitIndex other(f.vfs, database_id());
  append(other, 64);
  append(other, 100, 1);  // another history behind 64
  other.adopt_runs(true);
  CHECK(other.flushed() == CommitNumber{64});
  CHECK(run_count(*f.vfs) == 1);
}

TEST_CASE(
    "index: damage in any byte of a run is corrupt or changes nothing, never a wrong answer") {
  Fixture f;
  append(f.index, 60);
  flush(f.index, *f.vfs, 60);
  const std::string path = "index/" + IndexRun::name_of(CommitNumber{1}, CommitNumber{60});
  const std::uint64_t size = f.vfs->stat(path)->size;
  for (std::uint64_t at = 0; at < size; at += 37) {
    const auto file = f.vfs->open(path, io::OpenMode::read_write);
    std::array<std::byte, 1> byte;
    file->read_at(at, byte);
    const std::array<std::byte, 1> changed{byte[0] ^ std::byte{4}};
    file->write_at(at, changed);
    CommitIndex again(f.vfs, database_id());
    try {
      if (again.use_runs(CommitNumber{60})) {
        for (std::uint64_t n = 1; n <= 60; ++n) check_commit(again, n);
      }
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
    }
    file->write_at(at, byte);
  }
}

TEST_CASE("index: truncated, it goes on with other commits") {
  Fixture f;
  append(f.index, 50, 1);
  Id128 change = entry_of(50).change_id;
  CHECK(f.index.find_change(change));
  f.index.truncate(CommitNumber{20});
  CHECK_FALSE(f.index.find_change(change));
  f.index.truncate(CommitNumber{0});
  append(f.index, 60);
  for (std::uint64_t n = 1; n <= 60; ++n) check_commit(f.index, n);
}

TEST_CASE("checkpoint: the two newest files are kept, a torn one is passed over") {
  Fixture f;
  Checkpoint checkpoint;
  checkpoint.lineage = std::make_shared<Lineage>();
  const Bytes bytes = checkpoint_write(database_id(), checkpoint);
  for (const std::uint64_t record : {3ull, 10ull, 7ull, 20ull}) {
    checkpoint_store(*f.vfs, RecordNumber{record}, bytes);
  }
  CHECK(checkpoint_list(*f.vfs) == std::vector{RecordNumber{20}, RecordNumber{10}});
  CHECK(checkpoint_load(*f.vfs, database_id(), RecordNumber{20}, true));
  f.vfs->open("index/0000000000000020.checkpoint", io::OpenMode::read_write)->truncate(30);
  CHECK_FALSE(checkpoint_load(*f.vfs, database_id(), RecordNumber{20}, false));
  CHECK_FALSE(checkpoint_load(*f.vfs, database_id(), RecordNumber{11}, true));
  CHECK(checkpoint_list(*f.vfs) == std::vector{RecordNumber{20}, RecordNumber{10}});
  CHECK_FALSE(checkpoint_load(*f.vfs, database_id(), RecordNumber{20}, true));
  CHECK(checkpoint_list(*f.vfs) == std::vector{RecordNumber{10}});
}

}  // namespace otolith::history
