// A whole database that an earlier Otolith wrote, with rows, documents and every kind of undo: it
// opens, shows all that it showed, and goes on.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/ids.h"
#include "db/hall.h"
#include "test/golden_database.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

const std::string kGolden = OTOLITH_SOURCE_DIR "/test/golden/database-v1-documents";

Document json(std::string_view text) { return Document::from_json(text); }

CommitOptions by(const char* author, const char* message) {
  return {.author = author, .message = message};
}

// What the golden files were made by; some of it stays in the log.
void live(Database& db) {
  const Table table = db.create_table("t", sensors(), {.commit = by("ana", "a table")});
  table.append(batch_of(table.schema(), {{std::int64_t{3000}, "b", 1.5, std::int64_t{1}},
                                         {std::int64_t{1000}, "a", 2.5, kNull},
                                         {std::int64_t{2000}, "a", kNull, std::int64_t{7}}}),
               by("ana", "rows"));
  const Collection notes = db.collection("notes");
  notes.put(
      std::vector{json(R"({"_id":"a","n":1,"x":-0.0,"of":{"city":"Oslo","list":[1,2.5,null]}})"),
                  json(R"({"_id":"b","text":"é\u0001","yes":true})"),
                  json(R"({"_id":"c","large":18446744073709551615})")},
      {.commit = by("ana", "documents")});
  notes.patch("a", json(R"({"n":2,"of":{"city":null}})"), {.commit = by("ben", "a patch")});
  notes.remove("b", {.commit = by("ben", "a delete")});
  db.compact();
  Recorder both = db.recorder(by("ana", "both at once"));
  both.append("t", batch_of(table.schema(), {{std::int64_t{4000}, "c", 0.5, std::int64_t{3}}}));
  both.put("notes", std::vector{json(R"({"_id":"d","n":4})")});
  both.commit();
  db.rollback("4", {}, by("eve", "back"));
  db.tag("before", "4");
  db.revert("7", {}, by("eve", "and forth"));
  table.remove({.keys = {{"sensor", {"b"}}}}, by("eve", "no more of b"));
}

std::string shown(const Snapshot& at) {
  std::string out;
  for (const std::string& name : at.datasets()) {
    out += "  " + name + ":\n";
    if (at.kind(name) == DatasetKind::table) {
      out += text_of(at.table(name).read());
      continue;
    }
    DocumentStream stream = at.collection(name).find();
    for (auto some = stream.next(); !some.empty(); some = stream.next()) {
      for (const DocumentEntry& entry : some)
        out += fmt::format("{} of {}\n", entry.document.json(), value_of(entry.commit));
    }
  }
  return out;
}

std::string all_shown(const Database& db) {
  std::string out;
  for (const Commit& commit : db.log({.reverse = true})) {
    out += fmt::format("{} {} {}\n", value_of(commit.number), commit.author, commit.message);
    out += shown(db.at(commit.number));
  }
  return out;
}

const char* const kShown = R"(1 ana a table
  t:
2 ana rows
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
3 ana documents
  notes:
{"_id":"a","n":1,"x":-0.0,"of":{"city":"Oslo","list":[1,2.5,null]}} of 3
{"_id":"b","text":"é\u0001","yes":true} of 3
{"_id":"c","large":18446744073709551615} of 3
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
4 ben a patch
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"b","text":"é\u0001","yes":true} of 3
{"_id":"c","large":18446744073709551615} of 3
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
5 ben a delete
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"c","large":18446744073709551615} of 3
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
6 ana both at once
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"c","large":18446744073709551615} of 3
{"_id":"d","n":4} of 6
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
4000 c 0.5 3
7 eve back
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"b","text":"é\u0001","yes":true} of 3
{"_id":"c","large":18446744073709551615} of 3
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
8 eve and forth
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"c","large":18446744073709551615} of 3
{"_id":"d","n":4} of 6
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
4000 c 0.5 3
9 eve no more of b
  notes:
{"_id":"a","n":2,"x":-0.0,"of":{"list":[1,2.5,null]}} of 4
{"_id":"c","large":18446744073709551615} of 3
{"_id":"d","n":4} of 6
  t:
1000 a 2.5 -
2000 a - 7
4000 c 0.5 3
)";

}  // namespace

TEST_CASE("golden database: documents, rows and undos of version 1 are shown as they were") {
  make_golden(kGolden, golden_sizes(), live);
  const Folder folder;
  const std::string path = folder.path("copy");
  std::filesystem::copy(kGolden, path, std::filesystem::copy_options::recursive);
  {
    const Database db = Database::open(path, {.create = false, .read_only = true});
    CHECK(all_shown(db) == kShown);
    CHECK(db.verify().ok());
    CHECK(db.head().hash == "8e95767de6609a1ff3115e75d7451ba2027e7abb81dd277c504a3df04ff9433a");
    CHECK(db.at("before").commit().number == CommitNumber{4});
  }
  Database db = Database::open(path, {.create = false});
  db.revert("9", {}, by("now", "b again"));
  db.collection("notes").patch("a", json(R"({"n":3})"), {.commit = by("now", "on")});
  db.compact();
  CHECK(all_shown(db).starts_with(kShown));
  CHECK(shown(db.at("HEAD")) == R"(  notes:
{"_id":"a","n":3,"x":-0.0,"of":{"list":[1,2.5,null]}} of 11
{"_id":"c","large":18446744073709551615} of 3
{"_id":"d","n":4} of 6
  t:
1000 a 2.5 -
2000 a - 7
3000 b 1.5 1
4000 c 0.5 3
)");
  CHECK(db.verify().ok());
}

}  // namespace otolith::test
