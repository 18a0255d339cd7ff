// Rolling back some documents of a collection.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "db/hall.h"
#include "io/sim_disk.h"
#include "otolith/diff.h"
#include "otolith/otolith.h"
#include "test/refusal.h"

namespace otolith {

namespace {

using test::code_of;

using Texts = std::vector<std::string>;

Document doc(const std::string& json) { return Document::from_json(json); }

Texts shown(const Collection& collection, const FindRequest& request = {}) {
  Texts out;
  DocumentStream stream = collection.find(request);
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) out.push_back(entry.document.json());
  }
  return out;
}

Timestamp at(const char* text) { return timestamp_parse(text); }

}  // namespace

TEST_CASE("undo: documents go back by their ids, and others stay as they are") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(std::vector{doc(R"({"_id":"a","n":1})"), doc(R"({"_id":"b","n":1})")});
  db.tag("then");
  notes.put(std::vector{doc(R"({"_id":"a","n":2})"), doc(R"({"_id":"b","n":2})"),
                        doc(R"({"_id":"c","n":2})")});
  notes.remove("b");
  const Texts now{R"({"_id":"a","n":2})", R"({"_id":"c","n":2})"};
  const RollbackOptions some{.dataset = "notes", .ids = Texts{"c", "b", "zz"}};
  const Diff would = db.rollback_diff("then", some);
  CHECK(would.datasets.size() == 1);
  CHECK(shown(notes) == now);
  const Commit back = db.rollback("then", some);
  CHECK(back.changes.at("notes") == ChangeCount{1, 1});
  CHECK(shown(notes) == Texts{R"({"_id":"a","n":2})", R"({"_id":"b","n":1})"});
  CHECK(notes.size() == 2);
  CHECK(db.rollback("then", some).number == back.number);
  db.revert("HEAD");
  CHECK(shown(notes) == now);
  CHECK(db.rollback("then", {.dataset = "notes", .ids = Texts{}}).changes.empty());
}

TEST_CASE("undo: who gives no message has one that says what was undone, and of what") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  const auto put = [&](int n) {
    std::vector<Document> all;
    for (const char* id : {"a", "b", "c", "d", "e"})
      all.push_back(doc(fmt::format(R"({{"_id":"{}","n":{}}})", id, n)));
    notes.put(all, {.commit = {.message = fmt::format("put {}\nand more", n)}});
  };
  for (int n = 1; n <= 3; ++n) put(n);
  const auto scope = [&](RollbackOptions options) {
    options.dataset = "notes";
    return db.rollback("1", options).message;
  };
  CHECK(scope({.ids = Texts{"a"}}) == "rollback of notes to 1 (id a)");
  CHECK(scope({.ids = Texts{"a", "b", "c", "d", "e"}}) ==
        "rollback of notes to 1 (ids a, b, c and 2 more)");
  put(4);
  CHECK(scope({.start = at("2020-01-01"), .stop = at("2200-01-01T00:00Z")}) ==
        "rollback of notes to 1 (from 2020-01-01T00:00:00Z, to 2200-01-01T00:00:00Z)");
  CHECK(scope({}) == "rollback of notes to 1");
  put(5);
  CHECK(db.rollback("3").message == "rollback to 3");
  CHECK(db.revert("HEAD").message == "revert of 10: rollback to 3");
  CHECK(db.revert("9", {.dataset = "notes"}).message == "revert of 9 in notes: put 5");
  CHECK(db.rollback("2", {}, {.message = "as it was"}).message == "as it was");
}

TEST_CASE("undo: a rollback and a revert say of which datasets how much came and went") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  const Collection other = db.collection("other");
  notes.put(doc(R"({"_id":"a","n":1})"));
  other.put(doc(R"({"_id":"a","n":1})"));
  other.put(doc(R"({"_id":"a","n":2})"));
  notes.put(std::vector{doc(R"({"_id":"a","n":2})"), doc(R"({"_id":"b","n":2})")});
  const std::map<std::string, ChangeCount> back{{"notes", {1, 2}}};
  CHECK(db.rollback("HEAD~1").changes == back);
  CHECK(db.revert("HEAD").changes == std::map<std::string, ChangeCount>{{"notes", {2, 1}}});
  CHECK(db.log({}).at(1).changes == back);
  CHECK(db.rollback("2", {.dataset = "other"}).changes ==
        std::map<std::string, ChangeCount>{{"other", {1, 1}}});
  for (int i = 0; i < 300; ++i) notes.put(doc(fmt::format(R"({{"_id":"a","n":{}}})", i)));
  // Of many commits it is not told how much they came to.
  CHECK(db.rollback("4", {.dataset = "notes"}).changes ==
        std::map<std::string, ChangeCount>{{"notes", {0, 0}}});
}

TEST_CASE("undo: a range of times takes a whole document back, never two of one id, never none") {
  Database db = Database::open(":memory:");
  const Collection events = db.collection("events", {.time = DocumentTime{"at", TimeUnit::none}});
  events.put(std::vector{doc(R"({"_id":"x","at":"2026-01-05T00:00Z"})"),
                         doc(R"({"_id":"y","at":"2026-01-05T00:00Z"})")});
  events.put(doc(R"({"_id":"x","at":"2026-02-05T00:00Z"})"));
  const Texts first{R"({"_id":"x","at":"2026-01-05T00:00Z"})",
                    R"({"_id":"y","at":"2026-01-05T00:00Z"})"};
  for (const char* month : {"2026-01-01", "2026-02-01"}) {  // where it was, and where it is
    const RollbackOptions range{.dataset = "events",
                                .start = at(month),
                                .stop = Timestamp{at(month).ns + 20 * 86'400'000'000'000}};
    const Commit back = db.rollback("1", range);
    CHECK(back.changes.at("events") == ChangeCount{1, 1});
    CHECK(shown(events) == first);
    CHECK(events.size() == 2);
    db.revert("HEAD");
    CHECK(events.size() == 2);
  }
  CHECK(db.rollback("1", {.dataset = "events", .start = at("2026-03-01")}).changes.empty());
}

TEST_CASE("undo: a range of times knows the documents whose time is that of their commit") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","n":1})"), {.commit = {.time = at("2026-01-05")}});
  notes.put(doc(R"({"_id":"b","n":1})"), {.commit = {.time = at("2026-01-06")}});
  notes.put(std::vector{doc(R"({"_id":"a","n":2})"), doc(R"({"_id":"b","n":2})"),
                        doc(R"({"_id":"c","n":2})")},
            {.commit = {.time = at("2026-01-07")}});
  db.rollback("2", {.dataset = "notes", .start = at("2026-01-06"), .stop = at("2026-01-07")});
  CHECK(shown(notes) ==
        Texts{R"({"_id":"a","n":2})", R"({"_id":"b","n":1})", R"({"_id":"c","n":2})"});
  db.rollback("2", {.dataset = "notes", .start = at("2026-01-07")});
  CHECK(shown(notes) == Texts{R"({"_id":"a","n":2})", R"({"_id":"b","n":1})"});
  CHECK(notes.entry("b")->time == at("2026-01-06"));
  db.rollback("2", {.dataset = "notes", .stop = at("2026-01-06"), .ids = Texts{"b"}});
  CHECK(notes.size() == 2);
  CHECK(notes.get("a")->json() == R"({"_id":"a","n":2})");
}

TEST_CASE(
    "undo: ids are of collections and keys of tables, and what does not fit changes nothing") {
  Database db = Database::open(":memory:");
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  db.create_table("quotes", schema);
  db.collection("notes").put(doc(R"({"_id":"a"})"));
  const auto invalid = ErrorCode::invalid_argument;
  CHECK(code_of([&] { db.rollback("2", {.dataset = "quotes", .ids = Texts{"a"}}); }) == invalid);
  CHECK(code_of([&] {
          db.rollback("2", {.dataset = "notes", .keys = {{"_id", {std::string("a")}}}});
        }) == invalid);
  CHECK(code_of([&] { db.rollback("2", {.ids = Texts{"a"}}); }) == invalid);
  CHECK(code_of([&] { db.rollback("2", {.dataset = "notes", .ids = Texts{""}}); }) == invalid);
  CHECK(code_of([&] { db.rollback("1", {.dataset = "notes", .ids = Texts{"a"}}); }) ==
        ErrorCode::not_found);
  CHECK(db.head().number == CommitNumber{2});
}

TEST_CASE("undo: a document that a revert brings back meets one of its id, whatever their times") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"b","n":1})"));
  notes.put(doc(R"({"_id":"b","n":2})"));  // its time is that of the first by now
  notes.remove("b");
  notes.put(doc(R"({"_id":"b","n":3})"));  // a new life, at another time
  try {
    db.revert("3");
    FAIL("there would be two documents of one id");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::conflict);
    CHECK(error.differences().size() == 1);
  }
  CHECK(shown(notes) == Texts{R"({"_id":"b","n":3})"});
  db.revert("4");
  db.revert("3");
  CHECK(shown(notes) == Texts{R"({"_id":"b","n":2})"});
}

TEST_CASE("undo: of few documents that a revert brings back those since are not gone through") {
  io::SimDisk disk;
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 0;  // every commit gets a segment
  Database db = db::Door::open(disk.attach(), io::simulated_environment(1), {}, sizes);
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","n":1})"));
  notes.remove("a");  // 2
  std::vector<Document> many;
  for (int i = 0; i < 20'000; ++i) many.push_back(doc(R"({"_id":"b)" + std::to_string(i) + "\"}"));
  notes.put(many);
  const auto vfs = disk.attach();
  std::pair<std::uint64_t, std::string> largest;
  for (const std::string& folder : vfs->list("segments")) {
    for (const std::string& name : vfs->list("segments/" + folder)) {
      const std::string path = "segments/" + folder + "/" + name;
      largest = std::max(largest, std::pair(vfs->stat(path)->size, path));
    }
  }
  const Bytes wrong(largest.first / 4);
  vfs->open(largest.second, io::OpenMode::read_write)->write_at(largest.first / 4, wrong);
  CHECK(code_of([&] { shown(notes); }) == ErrorCode::corrupt);
  db.revert("2");
  CHECK(notes.get("a")->json() == R"({"_id":"a","n":1})");
}

TEST_CASE("undo: a retried rollback of ids is the same commit, and of others a conflict") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(std::vector{doc(R"({"_id":"a","n":1})"), doc(R"({"_id":"b","n":1})")});
  notes.put(std::vector{doc(R"({"_id":"a","n":2})"), doc(R"({"_id":"b","n":2})")});
  const CommitOptions once{.change_id = std::string(32, 'a')};
  const Commit back = db.rollback("1", {.dataset = "notes", .ids = Texts{"a"}}, once);
  notes.put(doc(R"({"_id":"a","n":3})"));
  CHECK(db.rollback("1", {.dataset = "notes", .ids = Texts{"a"}}, once).number == back.number);
  CHECK(code_of([&] { db.rollback("1", {.dataset = "notes", .ids = Texts{"b"}}, once); }) ==
        ErrorCode::conflict);
}

}  // namespace otolith
