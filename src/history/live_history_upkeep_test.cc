// What is durable, and which segments nobody needs: asked by those who wait and those who sweep.
#include <doctest/doctest.h>

#include "base/error.h"
#include "base/hash.h"
#include "history/frame_record.h"
#include "history/history_fixture.h"
#include "history/lock_page.h"
#include "history/test_log.h"

namespace otolith::history::test {

TEST_CASE("history: only segments that no record names are unneeded, whoever wrote the record") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  one->commit(create_request("a"));
  CHECK(two->head()->number() == CommitNumber{1});
  one->commit(request_of({segment_of(kFirst, 11)}));
  one->commit(request_of({segment_of(kFirst, 12)}, true));  // visible, and not durable
  one->commit(put(kFirst, "x"));
  Sealed sealed;
  CHECK(seal_all(*one, 13, sealed));
  // Whatever a handle has read before: it is asked under the lock, caught up.
  CHECK(two->unneeded({id_of(13), id_of(14), id_of(12), id_of(11)}, true) ==
        std::vector{id_of(14)});
  CHECK(one->unneeded({id_of(11), id_of(12), id_of(13)}, true).empty());
  CHECK(one->head()->number() == CommitNumber{4});  // no record is written
}

namespace {

// As it stands while a frame is being written.
void interrupted(Bytes& page) {
  constexpr auto at = lock_word_at(LockWord::writing);
  const auto seed = load_le<std::uint64_t>(page.data() + kLockIdentityBytes - 8);
  store_le<std::uint64_t>(page.data() + at, 1);
  const BytesView word = BytesView(page).subspan(at, 8);
  store_le(page.data() + at + 8, xxh3(word, seed + static_cast<std::uint64_t>(LockWord::writing)));
}

}  // namespace

TEST_CASE("history: a sweep reads to the last readable record, durable or not, and adopts it") {
  Ground ground;
  const std::shared_ptr<io::Vfs> vfs = ground.disk.attach();
  const auto killed = History::open(vfs, io::simulated_environment(999, {.process = 77}),
                                    database_id(), ground.options);
  killed->commit(create_request("a"));
  const auto other = ground.disk.attach();
  Bytes page(4096);
  page.resize(other->open("lock", io::OpenMode::read)->read_at(0, page));
  killed->commit(request_of({segment_of(kFirst, 11)}, true));
  // Killed behind the frame, before it told others: it is there for who reads to the end.
  ground.disk.kill(*vfs);
  interrupted(page);
  other->open("lock", io::OpenMode::read_write)->write_at(0, page);
  const auto history = ground.open();
  CHECK(history->head()->number() == CommitNumber{1});
  CHECK(history->unneeded({id_of(11), id_of(12)}, true) == std::vector{id_of(12)});
}

TEST_CASE("history: a rolled-back commit still needs its segment") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11)}));
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(history->unneeded({id_of(11)}, true).empty());
}

namespace {

// Two commits of a segment each, then one of rows in its frame.
std::unique_ptr<History> with_segments(Ground& ground) {
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11, 3)}));
  history->commit(request_of({segment_of(kFirst, 12, 4)}));
  history->commit(put(kFirst, "x"));
  return history;
}

CompactRequest join_of(std::uint64_t id) {
  CompactRequest request{.dataset = kFirst, .replaced = {id_of(12), id_of(11)}, .segments = {}};
  request.segments = {{{id_of(id), 100, 7, id, {}, {}}, CommitNumber{2}, CommitNumber{3}, true}};
  return request;
}

std::vector<Id128> segments_at(History& history, std::uint64_t commit) {
  std::vector<Id128> out;
  for (const auto& entry : history.at(CommitNumber{commit})->segments(kFirst))
    out.push_back(entry.ref.id);
  return out;
}

}  // namespace

TEST_CASE("history: of two joins of one segment the second is dropped, by whichever handle") {
  Ground ground;
  const auto one = with_segments(ground);
  const auto two = ground.open();
  const auto old = two->at(CommitNumber{3});
  const std::string hash = two->commit_info(CommitNumber{4}).hash;
  CHECK(one->compact(join_of(21)));
  CHECK_FALSE(two->compact(join_of(22)));  // its base went
  CHECK_FALSE(one->compact(join_of(23)));
  for (History* each : {one.get(), two.get()}) {
    CHECK(segments_at(*each, 4) == std::vector{id_of(21)});
    CHECK(segments_at(*each, 2) == std::vector{id_of(21)});
    CHECK(each->commit_info(CommitNumber{4}).hash == hash);
    CHECK(each->head()->number() == CommitNumber{4});
  }
  CHECK(old->segments(kFirst).size() == 2);  // a snapshot keeps what it has
  CHECK(two->renew(*old)->segments(kFirst).size() == 1);
  CHECK(two->renew(*old)->number() == CommitNumber{3});
}

TEST_CASE("history: a join is there when it is opened again, from a checkpoint and from the log") {
  Ground ground;
  {
    const auto history = with_segments(ground);
    CHECK(history->compact(join_of(21)));
    history->commit(request_of({segment_of(kFirst, 13)}));
    history->close();
  }
  for (const bool derived : {true, false}) {
    if (!derived) remove_derived(ground);
    const auto history = ground.open();
    CHECK(segments_at(*history, 5) == std::vector{id_of(21), id_of(13)});
    CHECK(segments_at(*history, 2) == std::vector{id_of(21)});
    std::size_t needed = 0;
    for (const NeededSegment& each : history->all_segments()) needed += each.marks ? 0 : 1;
    CHECK(needed == 2);
    history->verify([](const Error& error) { FAIL_CHECK(error.what()); });
    // For how long replaced files are spared is known to whoever opens it, too.
    CHECK(history->unneeded({id_of(11), id_of(12), id_of(21)}, false).empty());
    CHECK(history->unneeded({id_of(11), id_of(12), id_of(21)}, true) ==
          std::vector{id_of(11), id_of(12)});
  }
  ground.options.sweep_after_ns = 0;
  CHECK(ground.open()->unneeded({id_of(11), id_of(21)}, false) == std::vector{id_of(11)});
}

TEST_CASE("history: a join takes no segment of a relaxed commit") {
  Ground ground;
  const auto history = with_segments(ground);
  history->commit(request_of({segment_of(kFirst, 13, 2)}, true));
  CompactRequest request{.dataset = kFirst, .replaced = {id_of(12), id_of(13)}, .segments = {}};
  request.segments = {{{id_of(21), 100, 6, 21, {}, {}}, CommitNumber{3}, CommitNumber{5}, true}};
  CHECK_THROWS_AS(history->compact(request), Error);
  history->sync();
  CHECK(history->compact(request));
}

namespace {

CommitRequest marks_of(std::uint64_t first, std::uint64_t count, bool revive) {
  DatasetChange change;
  change.dataset = kFirst;
  change.marks.append(MarkRun{CommitNumber{2}, first, count, revive});
  return request_of({std::move(change)});
}

// Two commits of a segment each, rows 0 and 1 of the first ended by commit 4; then 21 has what that
// shows, and 22 the two rows.
std::unique_ptr<History> with_sides(Ground& ground) {
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11, 3)}));
  history->commit(request_of({segment_of(kFirst, 12, 4)}));
  history->commit(marks_of(0, 2, false));
  CompactRequest request{.dataset = kFirst, .replaced = {id_of(11), id_of(12)}, .segments = {}};
  const CommitNumber two{2};
  const CommitNumber base{4};
  request.segments.push_back(
      {{id_of(21), 100, 5, 21, {}, {}}, two, CommitNumber{3}, true, Side::present, base});
  request.segments.push_back({{id_of(22), 100, 2, 22, {}, {}}, two, two, true, Side::past, base});
  CHECK(history->compact(request));
  return history;
}

}  // namespace

TEST_CASE("history: HEAD reads open no past segments unless a rollback reaches them") {
  Ground ground;
  auto history = with_sides(ground);
  const std::vector present{id_of(21)};
  const std::vector both{id_of(22), id_of(21)};
  const auto head = [&] { return segments_at(*history, value_of(history->head()->number())); };
  CHECK(head() == present);
  CHECK(segments_at(*history, 3) == both);
  CHECK(segments_at(*history, 2) == both);
  history->commit(put(kFirst, "x"));       // 5
  history->commit(marks_of(2, 1, false));  // 6: ends a row of the present
  CHECK(head() == present);
  history->commit(rollback_to(CommitNumber{3}));  // 7
  CHECK(head() == both);
  history->commit(rollback_to(CommitNumber{6}));  // 8
  CHECK(head() == present);
  history->commit(revert_of(CommitNumber{4}));  // 9
  CHECK(head() == both);
  history->commit(revert_of(CommitNumber{9}));  // 10
  CHECK(head() == present);
  history->commit(marks_of(1, 1, true));  // 11: revives one
  CHECK(head() == both);
  history->close();
  for (const bool derived : {true, false}) {
    history.reset();
    if (!derived) remove_derived(ground);
    history = ground.open();
    for (const std::uint64_t number : {4u, 5u, 6u, 8u, 10u})
      CHECK(segments_at(*history, number) == present);
    for (const std::uint64_t number : {2u, 3u, 7u, 9u, 11u})
      CHECK(segments_at(*history, number) == both);
  }
}

TEST_CASE("history: rows that are shown as they were, whatever was undone since, open no past") {
  Ground ground;
  const auto history = with_sides(ground);  // 4: rows 0 and 1 of commit 2 are past, row 2 is not
  const auto head = [&] { return segments_at(*history, value_of(history->head()->number())); };
  const auto stands = [&](Side side) {
    const auto snapshot = history->head();
    for (const SegmentEntry& entry : snapshot->segments_and_past(kFirst)) {
      if (entry.side == side)
        return snapshot->stands(kFirst, entry, entry.begin_first, entry.begin_last);
    }
    return false;
  };
  const std::vector present{id_of(21)};
  history->commit(marks_of(2, 1, false));  // 5
  CHECK_FALSE(stands(Side::present));
  history->commit(marks_of(2, 1, true));  // 6: one document deleted, and its id rolled back
  CHECK(head() == present);
  CHECK(stands(Side::present));
  history->commit(marks_of(0, 2, true));  // 7: several at once
  CHECK_FALSE(stands(Side::past));
  history->commit(marks_of(0, 2, false));  // 8
  CHECK(head() == present);
  CHECK(stands(Side::present));
  history->commit(marks_of(1, 1, true));  // 9: one of them
  CHECK_FALSE(stands(Side::past));
  CHECK(stands(Side::present));
  history->commit(marks_of(1, 1, false));  // 10
  CHECK(head() == present);
  history->commit(rollback_to(CommitNumber{3}));  // 11: the end of both is lost
  CHECK_FALSE(stands(Side::past));
  history->commit(rollback_to(CommitNumber{8}));  // 12
  CHECK(head() == present);
}

TEST_CASE("history: of more marks than are looked at each counts as if it turned its rows") {
  Ground ground;
  const auto history = with_sides(ground);
  const auto head = [&] { return segments_at(*history, value_of(history->head()->number())); };
  for (int i = 0; i < 256; ++i) history->commit(marks_of(2, 1, i % 2 != 0));
  CHECK(head() == std::vector{id_of(21)});
  for (int i = 0; i < 300; ++i) history->commit(marks_of(2, 1, i % 2 != 0));
  CHECK(head() == std::vector{id_of(22), id_of(21)});
}

TEST_CASE("history: what a rollback lost and came back makes rows of other lines past for good") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({segment_of(kFirst, 11, 3)}));  // 2
  history->commit(rollback_to(CommitNumber{1}));             // 3
  history->commit(request_of({segment_of(kFirst, 12, 4)}));  // 4
  CompactRequest request{.dataset = kFirst, .replaced = {id_of(11), id_of(12)}, .segments = {}};
  const auto entry = [](std::uint64_t id, std::uint64_t rows, std::uint64_t begin, Side side) {
    return SegmentEntry{{id_of(id), 100, rows, id, {}, {}},
                        CommitNumber{begin},
                        CommitNumber{begin},
                        true,
                        side,
                        CommitNumber{4}};
  };
  request.segments = {entry(21, 4, 4, Side::present), entry(22, 3, 2, Side::past)};
  REQUIRE(history->compact(request));
  CHECK(segments_at(*history, 4) == std::vector{id_of(21)});
  CHECK(segments_at(*history, 2) == std::vector{id_of(22)});
  history->commit(rollback_to(CommitNumber{2}));  // 5: whose begin counts again
  CHECK(segments_at(*history, 5) == std::vector{id_of(22), id_of(21)});
  history->commit(rollback_to(CommitNumber{4}));  // 6
  CHECK(segments_at(*history, 6) == std::vector{id_of(21)});
}

TEST_CASE("history: a join as of a commit that is not durable is refused") {
  Ground ground;
  const auto history = with_segments(ground);
  history->commit(put(kFirst, "y", true));
  CompactRequest request = join_of(21);
  request.segments[0].side = Side::present;
  request.segments[0].base = CommitNumber{5};
  CHECK_THROWS_AS(history->compact(request), Error);
  history->sync();
  CHECK(history->compact(request));
}

namespace {

// As another program's: nobody asked whether it fits.
void append_join(Ground& ground, const CompactRequest& request) {
  const auto log = Log::open(ground.disk.attach(), io::simulated_environment(9), database_id(),
                             ground.options.log);
  const auto lock = log->lock();
  lock->catch_up([](const Frame&) {}, {});
  CompactRecord record{Timestamp{1}, request.dataset, request.replaced, request.segments};
  std::ranges::sort(record.replaced);
  lock->append({{FrameType::compact, false, compact_write(record)}});
}

}  // namespace

TEST_CASE("history: a join in the log of segments that are not there changes nothing") {
  Ground ground;
  with_segments(ground)->close();
  CompactRequest late = join_of(21);
  late.replaced.back() = id_of(99);  // joined by others meanwhile
  append_join(ground, late);
  for (const bool derived : {true, false}) {
    if (!derived) remove_derived(ground);
    const auto history = ground.open();
    CHECK(segments_at(*history, 4) == std::vector{id_of(11), id_of(12)});
    CHECK(history->unneeded({id_of(21)}, true) == std::vector{id_of(21)});
    history->verify([](const Error& error) { FAIL_CHECK(error.what()); });
  }
  const auto history = ground.open();
  CHECK(history->compact(join_of(22)));
  CHECK(segments_at(*history, 4) == std::vector{id_of(22)});
}

TEST_CASE("history: a join in the log as of a commit that is not there yet is damage") {
  Ground ground;
  with_segments(ground)->close();
  CompactRequest early = join_of(21);
  early.segments[0].side = Side::present;
  early.segments[0].base = CommitNumber{5};
  append_join(ground, early);
  const auto history = ground.open();
  const Error error = error_of([&] { history->head(); });
  CHECK(error.code() == ErrorCode::corrupt);
  CHECK(error.message().find("joined as of commit 5, which is not there") != std::string::npos);
  CHECK(segments_at(*history, 4) == std::vector{id_of(11), id_of(12)});
  CHECK_THROWS_AS(history->commit(put(kFirst, "x")), Error);
}

TEST_CASE("history: the durable head comes behind relaxed commits once they are synced, anywhere") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  CHECK(one->durable_head() == CommitNumber{0});
  one->commit(create_request("a"));
  one->commit(put(kFirst, "x", true));
  one->commit(put(kFirst, "y", true));
  for (History* each : {one.get(), two.get()}) {
    CHECK(each->head()->number() == CommitNumber{3});
    CHECK(each->durable_head() == CommitNumber{1});
  }
  one->sync();
  CHECK(one->durable_head() == CommitNumber{3});
  CHECK(two->durable_head() == CommitNumber{3});
}

}  // namespace otolith::history::test
