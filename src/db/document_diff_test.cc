// Documents that differ between two states, and who set which value of one.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "otolith/diff.h"
#include "otolith/otolith.h"
#include "test/budget.h"

namespace otolith {

namespace {

using Texts = std::vector<std::string>;

Document doc(const std::string& json) { return Document::from_json(json); }

std::string json_of(const std::optional<DocumentValue>& value) {
  return value ? value->json() : "none";
}

std::string text_of(const DocumentChange& change) {
  std::string out = change.id + ":";
  if (!change.before) return out + " added " + change.after->document.json();
  if (!change.after) return out + " removed " + change.before->document.json();
  for (const PathChange& path : change.paths())
    out += " " + path.path + " " + json_of(path.before) + " -> " + json_of(path.after);
  return out;
}

Texts texts_of(const DatasetDiff& diff) {
  Texts out;
  DocumentChangeStream stream = diff.documents->changes();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentChange& change : some) out.push_back(text_of(change));
  }
  return out;
}

Texts blamed(const Collection& collection, const std::string& id) {
  Texts out;
  for (const PathBlame& of : collection.blame(id))
    out.push_back(of.path + "=" + of.value.json() + " by " + of.commit.author);
  return out;
}

DocumentWrite by(const char* author) { return {.commit = {.author = author}}; }

using Counts = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;

Counts counts_of(const DatasetDiff& diff) {
  return {diff.added.rows, diff.removed.rows, diff.changed_after.rows};
}

std::map<std::string, std::string> all_of(const Collection& collection) {
  std::map<std::string, std::string> out;
  DocumentStream stream = collection.find();
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) out[entry.document.id()] = entry.document.json();
  }
  return out;
}

}  // namespace

TEST_CASE("diff: documents that were added, removed and changed, with the paths that differ") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(std::vector{doc(R"({"_id":"a","user":{"city":"Oslo","age":7},"tags":["x"]})"),
                        doc(R"({"_id":"b","n":1})"), doc(R"({"_id":"same","n":1})")});
  notes.put(std::vector{doc(R"({"_id":"a","user":{"city":"Rome"},"tags":["x","y"]})"),
                        doc(R"({"_id":"c","n":2.5})")});
  notes.remove("b");
  const Diff diff = db.diff("1", "HEAD");
  const DatasetDiff& of = *diff.find("notes");
  CHECK(counts_of(of) == Counts{1, 1, 1});
  const Texts expected{
      R"(a: user.city "Oslo" -> "Rome" user.age 7 -> none tags.1 none -> "y")",
      R"(b: removed {"_id":"b","n":1})",
  };
  DocumentChangeStream stream = of.documents->changes();
  const std::vector<DocumentChange> found = stream.next();
  REQUIRE(found.size() == 3);
  CHECK(Texts{text_of(found[0]), text_of(found[1])} == expected);
  CHECK(found[2].after->commit == CommitNumber{2});
  CHECK(stream.next().empty());
  const Diff back = db.diff("HEAD", "1");
  CHECK(counts_of(*back.find("notes")) == Counts{1, 1, 1});
}

TEST_CASE("diff: a document that is as it was is no difference, whoever put it again") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(std::vector{doc(R"({"_id":"a","n":1})"), doc(R"({"_id":"b","n":1})")});
  notes.put(std::vector{doc(R"({"_id":"a","n":2})"), doc(R"({"_id":"b","n":2})")});
  notes.put(doc(R"({"_id":"a","n":1})"));
  const Diff diff = db.diff("1", "HEAD");
  CHECK(counts_of(*diff.find("notes")) == Counts{0, 0, 1});
  CHECK(texts_of(*diff.find("notes")) == Texts{"b: n 1 -> 2"});
}

TEST_CASE("diff: a collection that came or went, and what a dry run would do to one") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","n":1})"));
  notes.put(doc(R"({"_id":"a","n":2})"));
  const Texts added{R"(a: added {"_id":"a","n":2})"};
  CHECK(texts_of(*db.diff("0", "HEAD").find("notes")) == added);
  const Texts removed{R"(a: removed {"_id":"a","n":2})"};
  CHECK(texts_of(*db.diff("HEAD", "0").find("notes")) == removed);
  CHECK(texts_of(*db.rollback_diff("0").find("notes")) == removed);
  const RollbackOptions some{.dataset = "notes", .ids = Texts{"a"}};
  CHECK(texts_of(*db.rollback_diff("1", some).find("notes")) == Texts{"a: n 2 -> 1"});
  CHECK(texts_of(*db.revert_diff("HEAD").find("notes")) == Texts{"a: n 2 -> 1"});
}

TEST_CASE("diff: states of random histories of documents, led from any to any other") {
  std::mt19937_64 random(test::seed());
  INFO("OTOLITH_SEED=", test::seed());
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  std::vector<std::map<std::string, std::string>> states{{}};
  for (int step = 0; step < 60; ++step) {
    const std::string id(1, static_cast<char>('a' + random() % 6));
    if (random() % 4 == 0 && notes.exists()) {
      const std::string to = std::to_string(1 + random() % (states.size() - 1));
      db.rollback(to, {.dataset = "notes", .ids = Texts{id, "c"}});
    } else if (random() % 4 == 0 && notes.exists()) {
      notes.remove(id);
    } else {
      notes.put(doc(R"({"_id":")" + id + R"(","n":)" + std::to_string(random() % 3) + "}"));
    }
    if (step % 20 == 19) db.compact();
    if (std::to_underlying(db.head().number) == states.size()) states.push_back(all_of(notes));
    CHECK(notes.size() == all_of(notes).size());
  }
  for (int pair = 0; pair < 60; ++pair) {
    const std::size_t from = 1 + random() % (states.size() - 1);
    const std::size_t to = 1 + random() % (states.size() - 1);
    const Diff diff = db.diff(std::to_string(from), std::to_string(to));
    std::map<std::string, std::string> state = states[from];
    if (const DatasetDiff* of = diff.find("notes")) {
      DocumentChangeStream stream = of->documents->changes();
      for (auto some = stream.next(); !some.empty(); some = stream.next()) {
        for (const DocumentChange& change : some) {
          CHECK(state.contains(change.id) == change.before.has_value());
          state.erase(change.id);
          if (change.after) state[change.id] = change.after->document.json();
        }
      }
    }
    CHECK(state == states[to]);
  }
}

TEST_CASE("blame: each value of a document is the commit's that made it what it is") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","n":1,"user":{"city":"Oslo","age":7},"none":{}})"), by("ana"));
  notes.patch("a", doc(R"({"user":{"city":"Rome"}})"), by("ben"));
  notes.put(doc(R"({"_id":"a","n":1,"user":{"city":"Rome","age":7},"none":{},"tags":["x"]})"),
            by("cleo"));
  CHECK(blamed(notes, "a") == Texts{"n=1 by ana", R"(user.city="Rome" by ben)", "user.age=7 by ana",
                                    "none={} by ana", R"(tags.0="x" by cleo)"});
  CHECK(blamed(db.at(CommitNumber{1}).collection("notes"), "a").size() == 4);
  notes.remove("a");
  CHECK_THROWS_AS(notes.blame("a"), Error);
  notes.put(doc(R"({"_id":"a","n":1})"), by("dan"));  // another life
  CHECK(blamed(notes, "a") == Texts{"n=1 by dan"});
  CHECK_THROWS_AS(notes.blame("zz"), Error);
  notes.put(doc(R"({"_id":"bare"})"), by("eva"));
  CHECK(blamed(notes, "bare") == Texts{"={} by eva"});
}

TEST_CASE("blame: a value in a map is not the one of the same path in an array") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","x":[1,{},[]],"y":{"0":2},"z":{}})"), by("ana"));
  notes.put(doc(R"({"_id":"a","x":{"0":1,"1":{},"2":[]},"y":{"0":2},"z":{}})"), by("ben"));
  CHECK(blamed(notes, "a") ==
        Texts{"x.0=1 by ben", "x.1={} by ben", "x.2=[] by ben", "y.0=2 by ana", "z={} by ana"});
  notes.put(doc(R"({"_id":"a","x":[1,{},[]],"y":{"0":2},"z":[]})"), by("cleo"));
  CHECK(blamed(notes, "a") ==
        Texts{"x.0=1 by cleo", "x.1={} by cleo", "x.2=[] by cleo", "y.0=2 by ana", "z=[] by cleo"});
}

TEST_CASE("blame: a document that a revert brought back is its own commits', not those since") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id":"a","n":1})"));
  notes.remove("a");
  notes.put(doc(R"({"_id":"a","n":2})"));
  notes.remove("a");
  db.revert("2");
  CHECK(notes.get("a")->json() == R"({"_id":"a","n":1})");
  const std::vector<DocumentRevision> revisions = notes.revisions("a");
  CHECK(revisions.front().document == notes.get("a"));
  CHECK(revisions.front().revision == notes.entry("a")->revision);
  CHECK(revisions.size() == 3);
  const std::vector<PathBlame> blamed = notes.blame("a");
  REQUIRE(blamed.size() == 1);
  CHECK(blamed[0].commit.number == CommitNumber{1});
}

}  // namespace otolith
