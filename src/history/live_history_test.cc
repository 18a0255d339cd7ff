#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "history/checkpoint.h"
#include "history/commit_index.h"
#include "history/commit_record.h"
#include "history/history_fixture.h"
#include "history/log.h"
#include "history/test_log.h"
#include "io/posix.h"

namespace otolith::history {

using namespace test;

TEST_CASE("history: a commit is numbered, chained, and says what it changed") {
  Ground ground;
  const auto history = ground.open();
  CHECK(history->head()->number() == CommitNumber{0});
  CHECK(history->commit_info(CommitNumber{0}).hash == std::string(64, '0'));
  const Commit first = history->commit(create_request("a"));
  const Commit second = history->commit(put(kFirst, "x"));
  CHECK(first.number == CommitNumber{1});
  CHECK(second.parent == first.hash);
  CHECK(second.time >= first.time);
  CHECK(second.changes == std::map<std::string, ChangeCount>{{"a", {1, 0}}});
  CHECK(second.durable);
  CHECK(history->commit_info(CommitNumber{2}).hash == second.hash);
  CHECK(shown(*history->head(), kFirst) == Rows{"2.0"});
  CHECK(shown(*history->at(CommitNumber{1}), kFirst).empty());
  CHECK(code_of([&] { history->at(CommitNumber{3}); }) == ErrorCode::not_found);
}

TEST_CASE("history: an empty change records nothing and returns HEAD") {
  Ground ground;
  const auto history = ground.open();
  CHECK(history->commit(request_of({})).number == CommitNumber{0});
  const Commit first = history->commit(create_request("a"));
  DatasetChange nothing;
  nothing.dataset = kFirst;
  const Commit again = history->commit(request_of({nothing}));
  CHECK(again.number == first.number);
  CHECK(again.hash == first.hash);
  CHECK(again.changes.empty());
  CHECK(history->commit(rollback_to(CommitNumber{1})).number == CommitNumber{1});
  CHECK(history->head()->number() == CommitNumber{1});
}

TEST_CASE("history: a change id is applied once, also after rollback and after reopening") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  CommitRequest request = put(kFirst, "x");
  request.change_id = id_of(900);
  request.request_hash = blake3(as_bytes_view("x"));
  const Commit winner = history->commit(request);
  CHECK(history->commit(request).number == winner.number);
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(history->commit(request).number == winner.number);
  CHECK(history->head()->number() == CommitNumber{3});
  CommitRequest other = request;
  other.request_hash = blake3(as_bytes_view("y"));
  CHECK(code_of([&] { history->commit(other); }) == ErrorCode::conflict);
  history->close();
  history = ground.open();
  CHECK(history->commit(request).hash == winner.hash);
  CHECK(code_of([&] { history->commit(other); }) == ErrorCode::conflict);
}

TEST_CASE("history: commit times never go back, and a stated one is not before HEAD's") {
  Ground ground;
  const auto history = ground.open();
  CommitRequest request = create_request("a");
  request.time = Timestamp{4'000'000'000'000'000'000};
  CHECK(history->commit(request).time == *request.time);
  CHECK(history->commit(put(kFirst, "x")).time == *request.time);
  CommitRequest late = put(kFirst, "y");
  late.time = Timestamp{5};
  CHECK(code_of([&] { history->commit(late); }) == ErrorCode::invalid_argument);
}

TEST_CASE("history: names conflict, and rows of a dataset that is gone do") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  CHECK(code_of([&] { history->commit(create_request("a")); }) == ErrorCode::conflict);
  CommitRequest rename;
  rename.catalog.emplace_back(RenameDataset{kFirst, "b"});
  rename.catalog.emplace_back(CreateDataset{"a", small_schema()});
  history->commit(rename);
  CHECK(history->head()->find("b")->id == kFirst);
  CHECK(history->head()->find("a")->id == DatasetId{CommitNumber{2}, 0});
  CommitRequest drop;
  drop.catalog.emplace_back(DropDataset{kFirst});
  const Commit dropped = history->commit(drop);
  CHECK(dropped.changes.contains("b"));
  CHECK(code_of([&] { history->commit(put(kFirst, "x")); }) == ErrorCode::conflict);
  CHECK(code_of([&] { history->commit(drop); }) == ErrorCode::conflict);
}

TEST_CASE("history: a dataset that is gone is told by its last name, with what to do") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  CommitRequest rename;
  rename.catalog.emplace_back(RenameDataset{kFirst, "prices"});
  history->commit(rename);
  CommitRequest drop;
  drop.catalog.emplace_back(DropDataset{kFirst});
  history->commit(drop);
  for (const CommitRequest& request : {put(kFirst, "x"), drop}) {
    const std::string message = message_of([&] { history->commit(request); });
    CHECK(message.find("the dataset \"prices\" (created by commit 1)") != std::string::npos);
    CHECK(message.find("look which datasets there are") != std::string::npos);
  }
  const DatasetId none{CommitNumber{3}, 7};
  for (const std::string& message : {message_of([&] { history->schema_of(none); }), message_of([&] {
                                       history->commit(rollback_to(CommitNumber{1}, none));
                                     })}) {
    CHECK(message.find("the dataset 3.7 was created by no commit; take") != std::string::npos);
  }
}

TEST_CASE("history: column ids are never reused, also across rolled-back commits") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  const auto with_column = [&](const std::string& name) {
    CommitRequest request;
    Schema schema = *history->head()->find("a")->schema;
    schema.columns.push_back({name, {TypeKind::float64}, true, 0, "", {}});
    request.catalog.emplace_back(AlterDataset{kFirst, schema});
    history->commit(request);
    return history->head()->find("a")->schema->columns.back().id;
  };
  CHECK(with_column("x") == 3);
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(history->head()->find("a")->schema->columns.size() == 2);
  CHECK(with_column("y") == 4);
}

TEST_CASE("history: a column's id is given by the history, never by who asks") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  const Schema present = *history->head()->find("a")->schema;
  const auto alter = [&](const Column& column) {
    CommitRequest request;
    Schema schema = present;
    schema.columns.push_back(column);
    request.catalog.emplace_back(AlterDataset{kFirst, schema});
    history->commit(request);
  };
  alter({"dropped", {TypeKind::int64}, true, 0, "", {}});
  CommitRequest drop;
  drop.catalog.emplace_back(AlterDataset{kFirst, present});
  history->commit(drop);
  for (const std::uint32_t id : {2u, 3u, 4u, 900u}) {  // another's, the dropped one's, never given
    CAPTURE(id);
    CHECK(code_of([&] { alter({"text", {TypeKind::string}, true, id, "", {}}); }) ==
          ErrorCode::invalid_argument);
  }
  alter({"text", {TypeKind::string}, true, 0, "", {}});
  CHECK(history->head()->find("a")->schema->columns.back().id == 4);
}

TEST_CASE("history: rows written under a schema that has changed since are refused") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  DatasetChange change = rows_of(kFirst, "x");
  change.schema = history->head()->find("a")->schema;
  history->commit(request_of({change}));
  CommitRequest alter;
  Schema schema = *history->head()->find("a")->schema;
  schema.columns.push_back({"more", {TypeKind::int8}, true, 0, "", {}});
  alter.catalog.emplace_back(AlterDataset{kFirst, schema});
  history->commit(alter);
  CHECK(code_of([&] { history->commit(request_of({change})); }) == ErrorCode::conflict);
  change.schema = history->head()->find("a")->schema;
  history->commit(request_of({change}));
  schema = *change.schema;
  schema.metadata["source"] = schema.columns.back().metadata["unit"] = "of no matter to rows";
  alter.catalog = {AlterDataset{kFirst, schema}};
  history->commit(alter);
  history->commit(request_of({change}));
}

TEST_CASE("history: a row is ended once; marks on what another changed are a conflict") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(request_of({rows_of(kFirst, "three", 3)}));
  DatasetChange end;
  end.dataset = kFirst;
  end.marks = {{CommitNumber{2}, 0, 1, false}, {CommitNumber{2}, 1, 1, false}};
  const Commit ended = history->commit(request_of({end}));
  CHECK(ended.changes.at("a").ended == 2);
  CHECK(shown(*history->head(), kFirst) == Rows{"2.2"});
  CHECK(code_of([&] { history->commit(request_of({end})); }) == ErrorCode::conflict);
  DatasetChange revive = end;
  revive.marks = {{CommitNumber{2}, 1, 1, true}};
  history->commit(request_of({revive}));
  CHECK(shown(*history->head(), kFirst) == Rows{"2.1", "2.2"});
  CHECK(code_of([&] { history->commit(request_of({revive})); }) == ErrorCode::conflict);
  end.marks = {{CommitNumber{2}, 2, 2, false}};
  CHECK(code_of([&] { history->commit(request_of({end})); }) == ErrorCode::invalid_argument);
}

TEST_CASE("history: rollback and revert show the old state, of the database and of one dataset") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));  // 1
  history->commit(create_request("b"));  // 2
  const DatasetId second{CommitNumber{2}, 0};
  history->commit(request_of({rows_of(kFirst, "x"), rows_of(second, "y")}));  // 3
  history->commit(put(kFirst, "z"));                                          // 4
  history->commit(rollback_to(CommitNumber{2}, kFirst));                      // 5
  CHECK(shown(*history->head(), kFirst).empty());
  CHECK(shown(*history->head(), second) == Rows{"3.0"});
  history->commit(revert_of(CommitNumber{5}));  // 6
  CHECK(shown(*history->head(), kFirst) == Rows{"3.0", "4.0"});
  history->commit(rollback_to(CommitNumber{1}));  // 7
  CHECK(history->head()->datasets().size() == 1);
  CHECK(code_of([&] { history->commit(revert_of(CommitNumber{4})); }) == ErrorCode::conflict);
  history->commit(revert_of(CommitNumber{7}));  // 8
  history->commit(revert_of(CommitNumber{3}));  // 9
  CHECK(shown(*history->head(), kFirst) == Rows{"4.0"});
  CHECK(shown(*history->head(), second).empty());
  CHECK(code_of([&] { history->commit(rollback_to(CommitNumber{99})); }) == ErrorCode::not_found);
}

TEST_CASE("history: every form of reference, and what each wrong one is told") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 4; ++i) history->commit(put(kFirst, "x"));
  history->tag("release", CommitNumber{2});
  CHECK(history->resolve("3") == CommitNumber{3});
  CHECK(history->resolve("0") == CommitNumber{0});
  CHECK(history->resolve("HEAD") == CommitNumber{5});
  CHECK(history->resolve("HEAD~2") == CommitNumber{3});
  CHECK(history->resolve("release") == CommitNumber{2});
  const std::string hash = history->commit_info(CommitNumber{4}).hash;
  CHECK(history->resolve("#" + hash.substr(0, 12)) == CommitNumber{4});
  CHECK(history->resolve("#" + hash) == CommitNumber{4});
  CHECK(code_of([&] { history->resolve("#abc"); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->resolve(""); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->resolve("-1"); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->resolve("HEAD~x"); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->resolve("6"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { history->resolve("HEAD~6"); }) == ErrorCode::not_found);
  CHECK(code_of([&] { history->resolve("#0000000000000000"); }) == ErrorCode::not_found);
  CHECK(message_of([&] { history->resolve("relase"); }).find("\"release\"") != std::string::npos);
  CHECK(history->resolve_time(history->commit_info(CommitNumber{3}).time) == CommitNumber{3});
  CHECK(history->resolve_time(kTimestampMin) == CommitNumber{0});
}

TEST_CASE("history: tags make no commit, stand against themselves, and do not follow lineage") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(put(kFirst, "x"));
  history->tag("v1", CommitNumber{2});
  CHECK(history->head()->number() == CommitNumber{2});
  CHECK(code_of([&] { history->tag("v1", CommitNumber{1}); }) == ErrorCode::conflict);
  CHECK(code_of([&] { history->tag("1st", CommitNumber{1}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->tag("HEAD", CommitNumber{1}); }) == ErrorCode::invalid_argument);
  CHECK(code_of([&] { history->tag("v2", CommitNumber{9}); }) == ErrorCode::not_found);
  CHECK(code_of([&] { history->untag("v9"); }) == ErrorCode::not_found);
  history->commit(rollback_to(CommitNumber{1}));
  CHECK(history->tags() == std::map<std::string, CommitNumber>{{"v1", CommitNumber{2}}});
  history->close();
  history = ground.open();
  CHECK(history->resolve("v1") == CommitNumber{2});
  history->untag("v1");
  CHECK(history->tags().empty());
  history->tag("v1", CommitNumber{1});
}

TEST_CASE("history: log lists by dataset, author, time and number, newest first") {
  Ground ground;
  const auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(create_request("b"));
  const DatasetId second{CommitNumber{2}, 0};
  history->commit(put(kFirst, "x"));
  history->commit(put(second, "x"));
  history->commit(rollback_to(CommitNumber{3}, second));
  const auto numbers = [&](auto set) {
    LogFilter filter;
    set(filter);
    std::vector<std::uint64_t> out;
    for (const Commit& commit : history->log(filter)) out.push_back(value_of(commit.number));
    return out;
  };
  using Numbers = std::vector<std::uint64_t>;
  using Filter = LogFilter&;
  CHECK(numbers([](Filter) {}) == Numbers{5, 4, 3, 2, 1});
  CHECK(numbers([](Filter f) { f.limit = 2; }) == Numbers{5, 4});
  CHECK(numbers([](Filter f) { f.limit = 2, f.reverse = true; }) == Numbers{1, 2});
  CHECK(numbers([](Filter f) { f.dataset = "b"; }) == Numbers{5, 4, 2});
  CHECK(numbers([](Filter f) { f.author = "bo"; }) == Numbers{4, 3});
  const Timestamp third = history->commit_info(CommitNumber{3}).time;
  CHECK(numbers([&](Filter f) { f.since = third; }) == Numbers{5, 4, 3});
  CHECK(numbers([&](Filter f) { f.until = third; }) == Numbers{2, 1});
  CHECK(code_of([&] { numbers([](Filter f) { f.dataset = "c"; }); }) == ErrorCode::not_found);
}

TEST_CASE("history: reopened with and without checkpoint and index, it is the same") {
  Ground ground;
  ground.options.checkpoint_commits = 10;
  auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 35; ++i) history->commit(put(kFirst, "row " + std::to_string(i)));
  history->commit(rollback_to(CommitNumber{20}));
  history->tag("v1", CommitNumber{7});
  const std::vector<Commit> log = history->log({});
  const Rows rows = shown(*history->head(), kFirst);
  const auto check_same = [&] {
    const std::vector<Commit> again = history->log({});
    REQUIRE(again.size() == log.size());
    for (std::size_t i = 0; i < log.size(); ++i) CHECK(again[i].hash == log[i].hash);
    REQUIRE(shown(*history->head(), kFirst) == rows);
    REQUIRE(shown(*history->at(CommitNumber{36}), kFirst).size() == 35);
    CHECK(history->resolve("v1") == CommitNumber{7});
    CHECK(as_text(*history->at(CommitNumber{2})->tail(kFirst)[0].bytes) == "row 0");
    history->verify([](const Error& error) { FAIL(error.what()); });
  };
  history.reset();  // as a process that ends without close
  history = ground.open();
  check_same();
  history->close();
  history = ground.open();
  check_same();
  history->close();
  remove_derived(ground);
  history = ground.open(true);
  check_same();
  history = ground.open();
  check_same();
}

TEST_CASE("history: damaged, stale or foreign derived files are passed over and made again") {
  Ground ground;
  ground.options.checkpoint_commits = 5;
  auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 20; ++i) history->commit(put(kFirst, "row"));
  history->close();
  history.reset();
  const auto vfs = ground.disk.attach();
  for (const std::string& name : vfs->list("index")) {
    CAPTURE(name);
    const std::string path = "index/" + name;
    for (std::uint64_t at = 0; at < vfs->stat(path)->size; at += 501) {
      const auto file = vfs->open(path, io::OpenMode::read_write);
      std::array<std::byte, 1> byte;
      file->read_at(at, byte);
      const std::array<std::byte, 1> changed{byte[0] ^ std::byte{1}};
      file->write_at(at, changed);
      const auto again = ground.open(true);
      CHECK(again->log({}).size() == 21);
      CHECK(again->resolve("#" + again->commit_info(CommitNumber{9}).hash) == CommitNumber{9});
      CHECK(shown(*again->head(), kFirst).size() == 20);
      file->write_at(at, byte);
    }
  }
}

TEST_CASE("history: a damaged index run beyond the checkpoint stops neither opening nor saving") {
  Ground ground;
  ground.options.checkpoint_commits = 1000;
  auto history = ground.open();
  history->commit(create_request("a"));
  for (int i = 0; i < 10; ++i) history->commit(put(kFirst, "row"));
  history->close();
  const io::SimDisk before = ground.disk.copy();
  for (int i = 0; i < 200; ++i) history->commit(put(kFirst, "row"));
  history->close();
  history.reset();
  const auto vfs = ground.disk.attach();
  // As a crash between the index and its checkpoint leaves it.
  for (const std::string& name : vfs->list("index")) {
    if (name.ends_with(".checkpoint")) vfs->remove("index/" + name);
  }
  io::SimDisk older = before;
  const auto then = older.attach();
  for (const std::string& name : then->list("index")) {
    if (!name.ends_with(".checkpoint")) continue;
    vfs->open("index/" + name, io::OpenMode::create)
        ->write_at(0, file_bytes(*then, "index/" + name));
  }
  int runs = 0;
  for (const std::string& name : vfs->list("index")) {
    if (!name.ends_with(".commits")) continue;
    ++runs;
    const Bytes sound = file_bytes(*vfs, "index/" + name);
    for (std::uint64_t at = 100; at < sound.size(); at += 2048) {
      CAPTURE(at);
      Ground damaged;
      damaged.options = ground.options;
      damaged.disk = ground.disk.copy();
      Bytes bytes = sound;
      bytes[at] ^= std::byte{1};
      put_file(*damaged.disk.attach(), "index/" + name, bytes);
      CHECK(damaged.open(true)->head()->number() == CommitNumber{211});
      for (int turn = 0; turn < 2; ++turn) {  // the second joins its run with the damaged one
        auto again = damaged.open();
        for (int i = 0; i < 300; ++i) again->commit(put(kFirst, "more"));
        again->close();
        CHECK(again->log({}).size() == 511 + turn * 300);
      }
    }
  }
  CHECK(runs != 0);
}

TEST_CASE("history: a checkpoint that claims any size is passed over without reading it") {
  char folder[] = "/tmp/otolith-checkpoint-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const auto vfs = io::posix_vfs(folder, {});
  vfs->make_dir("index");
  // The first is beyond the limit; the second is not, and begins with nothing that is ours.
  for (const std::uint64_t size : {std::uint64_t{8} << 40, kCheckpointBytesMax}) {
    CAPTURE(size);
    const std::string path = "index/0000000000000099.checkpoint";
    vfs->open(path, io::OpenMode::create)->truncate(size);
    CHECK_FALSE(checkpoint_load(*vfs, database_id(), RecordNumber{99}, true).has_value());
    CHECK_FALSE(vfs->exists(path));  // damage, and not for want of memory
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("history: a checkpoint of another line of history is not believed") {
  Ground ground;
  ground.options.checkpoint_commits = 4;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->close();
  history.reset();
  io::SimDisk copy = ground.disk.copy();
  history = ground.open();
  for (int i = 0; i < 9; ++i) history->commit(put(kFirst, "here"));
  history->close();
  history.reset();
  const auto here = ground.disk.attach();
  Ground other;
  other.disk = copy;
  other.options = ground.options;
  other.processes = 50;
  auto there = other.open();
  for (int i = 0; i < 12; ++i) there->commit(put(kFirst, "there"));
  const std::string head = there->commit_info(CommitNumber{13}).hash;
  there->close();
  there.reset();
  const auto to = other.disk.attach();
  for (const std::string& name : to->list("index")) to->remove("index/" + name);
  for (const std::string& name : here->list("index")) {
    const auto from = here->open("index/" + name, io::OpenMode::read);
    Bytes bytes(from->stat().size);
    from->read_at(0, bytes);
    to->open("index/" + name, io::OpenMode::create)->write_at(0, bytes);
  }
  there = other.open();
  CHECK(there->commit_info(CommitNumber{13}).hash == head);
  CHECK(there->resolve("#" + head) == CommitNumber{13});
  there->verify([](const Error& error) { FAIL(error.what()); });
  there->close();
  there = other.open();
  there->verify([](const Error& error) { FAIL(error.what()); });
}

TEST_CASE("history: a seal changes no answer, and its segment is never seen beside its tail") {
  Ground ground;
  ground.options.tail_commits_max = 3;
  auto history = ground.open();
  Sealed sealed;
  history->commit(create_request("a"));
  for (int i = 0; i < 3; ++i) history->commit(put(kFirst, "x"));
  CHECK_FALSE(history->seal_due());
  history->commit(put(kFirst, "x"));
  CHECK(history->seal_due());
  const auto before = history->head();
  const auto held = history->head();
  CHECK(seal_all(*history, 500, sealed));
  CHECK_FALSE(history->seal_due());
  history->commit(put(kFirst, "y"));
  CHECK(shown(*before, kFirst) == Rows{"2.0", "3.0", "4.0", "5.0"});
  CHECK(shown(*history->head(), kFirst, sealed) == Rows{"2.0", "3.0", "4.0", "5.0", "6.0"});
  CHECK(shown(*history->at(CommitNumber{3}), kFirst, sealed) == Rows{"2.0", "3.0"});
  CHECK(history->head()->tail(kFirst).size() == 1);
  history.reset();
  history = ground.open();
  CHECK(shown(*history->head(), kFirst, sealed) == Rows{"2.0", "3.0", "4.0", "5.0", "6.0"});
  history.reset();
  remove_derived(ground);
  history = ground.open();
  CHECK(shown(*history->head(), kFirst, sealed) == Rows{"2.0", "3.0", "4.0", "5.0", "6.0"});
  CHECK(history->all_segments().size() == 1);
}

TEST_CASE("history: of two seals of the same tail one is dropped") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  one->commit(create_request("a"));
  for (int i = 0; i < 3; ++i) one->commit(put(kFirst, "x"));
  SealRequest request;
  request.covers = two->seal_point();
  const auto tail = two->tail_until(request.covers);
  REQUIRE(tail.size() == 1);
  SegmentEntry entry{{id_of(1), 1, 3, 0, {}, {}}, CommitNumber{2}, CommitNumber{4}, true};
  request.datasets = {{kFirst, entry}};
  Sealed sealed;
  CHECK(seal_all(*one, 700, sealed));
  CHECK_FALSE(two->seal(request));
  CHECK(shown(*two->head(), kFirst, sealed) == Rows{"2.0", "3.0", "4.0"});
}

TEST_CASE(
    "history: every read on a live handle sees each commit acknowledged before, by any handle") {
  Ground ground;
  const auto one = ground.open();
  const auto two = ground.open();
  const auto reader = ground.open(true);
  one->commit(create_request("a"));
  for (std::uint64_t i = 2; i < 30; ++i) {
    History& writer = i % 3 == 0 ? *one : *two;
    CHECK(writer.commit(put(kFirst, "x", i % 5 == 0)).number == CommitNumber{i});
    CHECK(reader->head()->number() == CommitNumber{i});
    CHECK(one->head()->number() == CommitNumber{i});
    CHECK(two->resolve("HEAD") == CommitNumber{i});
  }
}

TEST_CASE("history: read_only writes nothing and works on a read-only disk") {
  Ground ground;
  auto history = ground.open();
  history->commit(create_request("a"));
  history->commit(put(kFirst, "x"));
  history.reset();
  const std::uint64_t used = ground.disk.bytes_used();
  const auto reader = ground.open(true);
  CHECK(shown(*reader->head(), kFirst) == Rows{"2.0"});
  CHECK_THROWS_AS(reader->commit(put(kFirst, "y")), Error);
  CHECK_THROWS_AS(reader->tag("v1", CommitNumber{1}), Error);
  reader->close();
  CHECK(ground.disk.bytes_used() == used);
}

}  // namespace otolith::history
