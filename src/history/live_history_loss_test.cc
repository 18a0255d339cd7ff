// Relaxed commits and what is lost of them; damage, and what can be had before it.
#include <doctest/doctest.h>

#include "history/commit_record.h"
#include "history/frame_codec.h"
#include "history/history_fixture.h"
#include "history/log_layout.h"
#include "history/test_log.h"

namespace otolith::history {

using namespace test;

namespace {

using Hook = std::function<void(const std::vector<SegmentRef>&)>;

Hook note_synced(std::vector<std::uint64_t>& synced) {
  return [&synced](const std::vector<SegmentRef>& segments) {
    for (const SegmentRef& each : segments) synced.push_back(each.footer_hash);
  };
}

// A process that was killed while it appended behind a relaxed commit with a segment.
void leave_interrupted(Ground& ground) {
  std::shared_ptr<io::Vfs> vfs = ground.disk.attach();
  auto history = History::open(vfs, io::simulated_environment(999, {.process = 77}), database_id(),
                               ground.options);
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}, true));
  ground.disk.inject({io::Operation::write, 2, 5, false, true});
  CHECK_THROWS_AS(history->commit(put(kFirst, "next", true)), Error);
  ground.disk.clear_faults();
  ground.disk.kill(*vfs);
}

// Where the frames of the only log file end.
std::uint64_t log_end(Ground& ground) {
  const Bytes file = file_bytes(*ground.disk.attach(), "log/00000001.log");
  std::uint64_t end = kLogHeaderBytes;
  while (frame_payload_bytes(file.data() + end) != 0 || file[end] != std::byte{0}) {
    end += frame_bytes(frame_payload_bytes(file.data() + end));
  }
  return end;
}

// Takes the lock, and so finds out what is lost.
void ended_by(History& history) {
  try {
    history.sync();
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(error.code() == ErrorCode::io);
  }
}

// As a write-back that failed leaves it.
void blank_log(Ground& ground, std::uint64_t from) {
  const auto file = ground.disk.attach()->open("log/00000001.log", io::OpenMode::read_write);
  file->write_at(from, Bytes(file->stat().size - from));
}

}  // namespace

TEST_CASE(
    "history: a durable commit first syncs every segment that relaxed commits before it name") {
  Ground ground;
  std::vector<std::uint64_t> synced;
  ground.options.sync_segments = note_synced(synced);
  const auto history = ground.open();
  const auto other = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}, true));
  other->commit(request_of({segment_of(kFirst, 12)}, true));
  CHECK(synced.empty());
  history->commit(put(kFirst, "durable"));
  CHECK(synced == std::vector<std::uint64_t>{11, 12});
  history->commit(put(kFirst, "durable"));
  history->sync();
  CHECK(synced.size() == 2);
  const Commit relaxed = history->commit(request_of({segment_of(kFirst, 13)}, true));
  CHECK_FALSE(relaxed.durable);
  history->sync();
  CHECK(synced.back() == 13);
  CHECK(history->commit_info(relaxed.number).durable);
  CHECK(other->commit_info(relaxed.number).durable);  // the mark says so
}

TEST_CASE("history: an adopted relaxed commit is durable only once its segments are synced") {
  Ground ground;
  std::vector<std::uint64_t> synced;
  ground.options.sync_segments = note_synced(synced);
  const auto other = ground.open();
  leave_interrupted(ground);
  CHECK(other->head()->number() == CommitNumber{2});
  other->close();  // nothing of its own; it adopts nothing
  const auto adopter = ground.open();
  adopter->tag("v1", CommitNumber{1});  // by a durable record, segments first
  CHECK(synced == std::vector<std::uint64_t>{11});
  CHECK(adopter->commit_info(CommitNumber{2}).durable);
}

TEST_CASE("history: sync, close and checkpoint of an adopter first sync what it has adopted") {
  for (const bool closes : {false, true}) {
    Ground ground;
    std::vector<std::uint64_t> synced;
    ground.options.sync_segments = note_synced(synced);
    auto other = ground.open();
    leave_interrupted(ground);
    if (closes) {
      other->close();
    } else {
      other->sync();
      CHECK(other->commit_info(CommitNumber{2}).durable);
    }
    CHECK(synced == std::vector<std::uint64_t>{11});
    other.reset();
    // Vouched for by now, so that damage of the segment no longer ends history.
    ground.options.segment_ok = [](const SegmentRef&) { return false; };
    CHECK(ground.open()->head()->number() == CommitNumber{2});
  }
}

TEST_CASE("history: a segment that cannot be synced keeps its commit from being called durable") {
  Ground ground;
  ground.options.sync_segments = [](const std::vector<SegmentRef>&) {
    throw_error(ErrorCode::io, "no sync");
  };
  const auto other = ground.open();
  leave_interrupted(ground);
  CHECK(code_of([&] { other->sync(); }) == ErrorCode::io);
  CHECK_FALSE(other->commit_info(CommitNumber{2}).durable);
  CHECK(code_of([&] { other->checkpoint(); }) == ErrorCode::io);
  CHECK(code_of([&] { other->commit(put(kFirst, "durable")); }) == ErrorCode::io);
}

TEST_CASE("history: that relaxed records are lost vouches for no segment of those that stand") {
  Ground ground;
  std::vector<std::uint64_t> synced;
  ground.options.sync_segments = note_synced(synced);
  const auto history = ground.open();
  const auto other = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}, true));
  const std::uint64_t end = log_end(ground);
  history->commit(put(kFirst, "lost", true));
  history->commit(put(kFirst, "lost too", true));
  CHECK(other->head()->number() == CommitNumber{4});
  blank_log(ground, end);
  // Nothing of it is appended, but what can be read is adopted.
  ended_by(*other);
  synced.clear();
  const auto third = ground.open();
  CHECK(third->head()->number() == CommitNumber{2});
  CHECK_FALSE(third->commit_info(CommitNumber{2}).durable);
  third->commit(put(kFirst, "next"));
  CHECK(synced == std::vector<std::uint64_t>{11});
}

TEST_CASE("history: a lost relaxed commit is not served as the new one of its number") {
  Ground ground;
  const auto one = ground.open();
  const auto reader = ground.open();
  const auto other = ground.open();
  one->commit(create_request("a"));
  other->commit(put(kFirst, "durable"));
  const std::uint64_t end = log_end(ground);
  one->commit(put(kFirst, "lost", true));
  one->commit(put(kFirst, "lost too", true));
  CHECK(reader->head()->number() == CommitNumber{4});
  blank_log(ground, end);
  ended_by(*other);
  const Commit fresh = other->commit(put(kFirst, "new"));
  REQUIRE(fresh.number == CommitNumber{3});
  CHECK(as_text(*reader->at(fresh.number)->tail(kFirst).back().bytes) == "new");
  CHECK(reader->commit_info(fresh.number).hash == fresh.hash);
  CHECK(code_of([&] { reader->at(CommitNumber{4}); }) == ErrorCode::not_found);
}

TEST_CASE("history: lost relaxed commits are listed by status, and told once to who made them") {
  for (const bool closes : {false, true}) {
    Ground ground;
    const auto one = ground.open();
    const auto reader = ground.open(true);
    auto other = ground.open();
    one->commit(create_request("a"));
    other->commit(put(kFirst, "durable"));
    one->commit(put(kFirst, "stays", true));
    const std::uint64_t end = log_end(ground);
    one->commit(put(kFirst, "lost", true));
    one->commit(put(kFirst, "lost too", true));
    CHECK(reader->head()->number() == CommitNumber{5});
    CHECK(reader->status().lost.empty());
    blank_log(ground, end);
    other->sync();  // nothing of its own is lost
    CHECK(reader->head()->number() == CommitNumber{3});
    const LostRecords lost{RecordNumber{4}, RecordNumber{5}, CommitNumber{3}, CommitNumber{5}};
    CHECK(reader->status().lost == std::vector{lost});
    CHECK(lost.text() == "records 4 to 5, with commits 4 to 5");
    REQUIRE(other->status().lost.size() == 1);  // it never read them
    CHECK(other->status().lost.front().text() == "records 4 to 5, behind commit 3");
    try {
      closes ? one->close() : one->sync();
      FAIL("not told");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::io);
      CHECK(error.where().commits == std::vector<std::uint64_t>{4, 5});
      CHECK(error.message().find(": 4, 5;") != std::string::npos);
    }
    closes ? one->close() : one->sync();
    CHECK(one->status().lost == std::vector{lost});
    other->close();
    other.reset();
    CHECK(ground.open(true)->status().lost.size() == 1);  // from the checkpoint
    remove_derived(ground);
    CHECK(ground.open(true)->status().lost.size() == 1);
  }
}

TEST_CASE(
    "history: what is gone with the lock page is told to who made it, and what stays is not") {
  for (const bool gone : {true, false}) {
    CAPTURE(gone);
    Ground ground;
    const auto one = ground.open();
    const auto other = ground.open();
    one->commit(create_request("a"));
    one->commit(put(kFirst, "stays", true));
    const std::uint64_t end = log_end(ground);
    one->commit(put(kFirst, "relaxed", true));
    if (gone) blank_log(ground, end);
    ground.disk.attach()->remove("lock");
    const Commit fresh = other->commit(put(kFirst, "new"));
    CHECK(fresh.number == CommitNumber{gone ? 3u : 4u});
    std::vector<std::uint64_t> told;
    try {
      one->sync();
    } catch (const Error& error) {
      told = error.where().commits;
    }
    CHECK(told == (gone ? std::vector<std::uint64_t>{3} : std::vector<std::uint64_t>{}));
    one->sync();
    CHECK(one->head()->number() == fresh.number);
    CHECK(one->commit_info(fresh.number).hash == fresh.hash);
    one->commit(put(kFirst, "more"));
    CHECK(other->head()->number() == next(fresh.number));
  }
}

TEST_CASE("history: a snapshot of commits that are lost goes on showing them, and no others") {
  Ground ground;
  const auto one = ground.open();
  const auto reader = ground.open();
  const auto other = ground.open();
  one->commit(create_request("a"));
  one->commit(create_request("b"));
  const DatasetId second{CommitNumber{2}, 0};
  one->commit(put(kFirst, "three"));
  other->commit(put(kFirst, "four"));
  const std::uint64_t end = log_end(ground);
  one->commit(put(kFirst, "lost", true));
  const auto held = reader->head();
  REQUIRE(held->number() == CommitNumber{5});
  const auto stands = reader->at(CommitNumber{4});
  const Rows before = shown(*held, kFirst);
  CHECK(before == Rows{"3.0", "4.0", "5.0"});
  blank_log(ground, end);
  ended_by(*other);
  SUBCASE("another's rows") { other->commit(put(second, "new")); }
  SUBCASE("another's marks") {
    DatasetChange change;
    change.dataset = kFirst;
    change.marks = {{CommitNumber{3}, 0, 1, false}};
    other->commit(request_of({change}));
  }
  SUBCASE("another lineage") { other->commit(rollback_to(CommitNumber{3})); }
  SUBCASE("another name") {
    CommitRequest rename;
    rename.catalog.emplace_back(RenameDataset{second, "c"});
    other->commit(std::move(rename));
  }
  REQUIRE(reader->head()->number() == CommitNumber{5});
  CHECK(shown(*held, kFirst) == before);
  CHECK(shown(*held, second).empty());
  CHECK(held->find(second)->name == "b");
  // As it is stored now it cannot be had; what stands can.
  CHECK(code_of([&] { reader->renew(*held); }) == ErrorCode::snapshot_expired);
  CHECK(reader->renew(*stands)->number() == CommitNumber{4});
}

TEST_CASE("history: what became durable before others were lost is not called lost") {
  Ground ground;
  const auto one = ground.open();
  const auto other = ground.open();
  one->commit(create_request("a"));
  one->commit(put(kFirst, "relaxed", true));
  one->commit(put(kFirst, "durable"));
  const std::uint64_t end = log_end(ground);
  one->commit(put(kFirst, "lost", true));
  blank_log(ground, end);
  other->sync();
  one->commit(put(kFirst, "four again", true));
  one->commit(put(kFirst, "five", true));
  try {
    one->sync();
    FAIL("not told");
  } catch (const Error& error) {
    CHECK(error.where().commits == std::vector<std::uint64_t>{4});
  }
  one->sync();
  CHECK(one->head()->number() == CommitNumber{5});
  CHECK(one->commit_info(CommitNumber{5}).durable);
}

TEST_CASE("history: what no damaged record could change can be found, and status tells of it") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 3; ++i) history->commit(put(kFirst, "row"));
  history->tag("v1", CommitNumber{2});
  const std::string hash = history->commit_info(CommitNumber{3}).hash;
  const Timestamp time = history->commit_info(CommitNumber{1}).time;
  const std::uint64_t end = log_end(ground);
  history->commit(put(kFirst, "damaged"));
  history->commit(put(kFirst, "behind it"));
  history.reset();
  remove_derived(ground);
  ground.disk.attach()
      ->open("log/00000001.log", io::OpenMode::read_write)
      ->write_at(end + 70, Bytes(8, std::byte{0xee}));
  for (const bool read_only : {true, false}) {
    history = ground.open(read_only);
    CHECK(history->at(CommitNumber{4})->number() == CommitNumber{4});
    CHECK(history->readable()->number() == CommitNumber{4});
    CHECK(history->resolve("4") == CommitNumber{4});
    CHECK(history->resolve("#" + hash) == CommitNumber{3});
    CHECK(history->resolve_time(Timestamp{time.ns - 1}) == CommitNumber{0});
    LogFilter filter;
    filter.reverse = true;
    filter.limit = 4;
    CHECK(history->log(filter).size() == 4);
    filter.limit = 5;
    CHECK(code_of([&] { history->log(filter); }) == ErrorCode::corrupt);
    CHECK(code_of([&] { history->log({}); }) == ErrorCode::corrupt);
    CHECK(code_of([&] { history->tags(); }) == ErrorCode::corrupt);
    REQUIRE(history->status().damage.size() == 1);
    CHECK(history->status().damage.front().find("log/00000001.log") != std::string::npos);
    try {
      history->head();
    } catch (const Error& error) {
      CHECK(error.where().commits == std::vector<std::uint64_t>{5});
      CHECK(error.where().offset.has_value());
      CHECK(error.message().find("commits from 5 on cannot be read") != std::string::npos);
    }
    // What stands behind the damage is not known.
    CHECK(code_of([&] { history->head(); }) == ErrorCode::corrupt);
    for (const char* reference : {"5", "HEAD", "HEAD~1", "v1", "v2", "#ffffffffffffffff"}) {
      CHECK(code_of([&] { history->resolve(reference); }) == ErrorCode::corrupt);
    }
    CHECK(code_of([&] { history->resolve_time(kTimestampMax); }) == ErrorCode::corrupt);
    CHECK(code_of([&] { history->at(CommitNumber{5}); }) == ErrorCode::corrupt);
  }
}

TEST_CASE("history: who commits catches up before it waits for the lock") {
  Ground ground;
  ground.options.log.lock_wait_ns = 1'000'000;
  const auto writer = ground.open();
  const auto late = ground.open();
  writer->commit(create_request("a"));
  for (int i = 0; i < 5; ++i) writer->commit(put(kFirst, "row"));
  const std::shared_ptr<io::Vfs> vfs = ground.disk.attach();
  const auto log = Log::open(vfs, io::simulated_environment(9), database_id(), ground.options.log);
  const auto lock = log->lock();
  CHECK(code_of([&] { late->commit(put(kFirst, "waits")); }) == ErrorCode::locked);
  REQUIRE(late->tail_until(RecordNumber{1000}).size() == 1);  // asks nobody
  CHECK(late->tail_until(RecordNumber{1000}).front().second.size() == 5);
}

TEST_CASE("history: opening beside a living writer judges none of its relaxed commits") {
  Ground ground;
  const auto writer = ground.open();
  writer->commit(create_request("a"));
  writer->commit(request_of({segment_of(kFirst, 11)}, true));
  ground.options.segment_ok = [](const SegmentRef&) { return false; };
  CHECK(ground.open(true)->head()->number() == CommitNumber{2});
  CHECK(ground.open()->head()->number() == CommitNumber{2});
  CHECK(writer->head()->number() == CommitNumber{2});
  CHECK(writer->commit(put(kFirst, "next", true)).number == CommitNumber{3});
}

TEST_CASE("history: opening that ends history syncs the segments of what stands") {
  Ground ground;
  std::vector<std::uint64_t> synced;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}, true));
  history->commit(request_of({segment_of(kFirst, 12)}, true));
  history.reset();
  ground.options.segment_ok = [](const SegmentRef& ref) { return ref.footer_hash != 12; };
  ground.options.sync_segments = note_synced(synced);
  CHECK(ground.open()->head()->number() == CommitNumber{2});
  CHECK(synced == std::vector<std::uint64_t>{11});
}

TEST_CASE("history: where a segment cannot be judged, opening fails and ends nothing") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}, true));
  history.reset();
  ground.options.segment_ok = [](const SegmentRef&) -> bool {
    throw_error(ErrorCode::io, "too many open files");
  };
  CHECK(code_of([&] { ground.open(); }) == ErrorCode::io);
  ground.options.segment_ok = {};
  CHECK(ground.open()->head()->number() == CommitNumber{2});
}

TEST_CASE(
    "history: recovery ends history at the first relaxed commit whose segments are not sound") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}));
  history->commit(request_of({segment_of(kFirst, 12)}, true));
  history->commit(request_of({segment_of(kFirst, 13)}, true));
  history->commit(put(kFirst, "relaxed too", true));
  history.reset();
  io::SimDisk before = ground.disk.copy();
  ground.options.segment_ok = [](const SegmentRef& ref) { return ref.footer_hash != 13; };
  const std::vector lost{
      LostRecords{RecordNumber{4}, RecordNumber{5}, CommitNumber{3}, CommitNumber{5}}};
  {
    const auto reader = ground.open(true);
    CHECK(reader->head()->number() == CommitNumber{3});
    CHECK(reader->status().lost == lost);
    history = ground.open();
    CHECK(history->status().lost == lost);
    CHECK(history->head()->number() == CommitNumber{3});
    CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "3.0"});
    CHECK(history->commit(put(kFirst, "four again")).number == CommitNumber{4});
    CHECK(reader->head()->number() == CommitNumber{4});
    CHECK(reader->status().lost == lost);
    CHECK(shown(*reader->head(), kFirst) == Rows{"2.0", "3.0", "4.0"});
  }
  history->verify([](const Error& error) { FAIL(error.what()); });
  history->close();
  history = ground.open();
  CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "3.0", "4.0"});
  history.reset();
  remove_derived(ground);
  history = ground.open();
  CHECK(history->status().lost == lost);
  CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "3.0", "4.0"});
  // Of a durable commit the segment's soundness is not asked: that would forget what was
  // acknowledged.
  ground.disk = before;
  ground.options.segment_ok = [](const SegmentRef& ref) { return ref.footer_hash != 11; };
  CHECK(ground.open()->head()->number() == CommitNumber{5});
}

// The file that begins behind a torn tail names the last commit before it, which is lost.
TEST_CASE(
    "history: relaxed commits that are lost before a torn tail leave the log readable to all") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}));
  history->commit(request_of({segment_of(kFirst, 12)}, true));
  history->commit(put(kFirst, "relaxed too", true));
  history.reset();
  ground.disk.attach()
      ->open("log/00000001.log", io::OpenMode::read_write)
      ->write_at(log_end(ground), Bytes(24, std::byte{0xAB}));
  ground.options.segment_ok = [](const SegmentRef& ref) { return ref.footer_hash != 12; };
  const auto restarted = [&](std::uint64_t process) {
    return History::open(ground.disk.attach(),
                         io::simulated_environment(process, {.boot = 2, .process = process}),
                         database_id(), ground.options);
  };
  history = restarted(50);
  CHECK(history->status().files == 2);
  CHECK(history->head()->number() == CommitNumber{2});
  const auto other = restarted(51);
  CHECK(other->commit(put(kFirst, "three again")).number == CommitNumber{3});
  CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "3.0"});
  history->close();  // saves a checkpoint, which the next one begins from
  history = restarted(52);
  CHECK(shown(*history->head(), kFirst) == Rows{"2.0", "3.0"});
  history->verify([](const Error& error) { FAIL(error.what()); });
}

TEST_CASE("history: a commit whose parent is another than the one before is damage") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->close();
  history.reset();
  remove_derived(ground);
  {
    const auto vfs = ground.disk.attach();
    std::shared_ptr<io::Vfs> shared = ground.disk.attach();
    const auto log =
        Log::open(shared, io::simulated_environment(9), database_id(), ground.options.log);
    const auto lock = log->lock();
    lock->catch_up([](const Frame&) {}, {});
    CommitRecord record;
    record.number = CommitNumber{2};
    record.parent.bytes[4] = std::byte{1};
    record.time = kTimestampMax;
    Hash256 hash;
    lock->append({{FrameType::commit, false, commit_write(record, hash)}});
  }
  history = ground.open();
  CHECK(code_of([&] { history->head(); }) == ErrorCode::corrupt);
  CHECK(code_of([&] { history->commit(put(kFirst, "x")); }) == ErrorCode::corrupt);
  CHECK(history->at(CommitNumber{1})->datasets().size() == 1);
  std::size_t problems = 0;
  history->verify([&](const Error&) { ++problems; });
  CHECK(problems != 0);
}

}  // namespace otolith::history
