#include "otolith/collection.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "otolith/otolith.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith {

namespace {

Document doc(const std::string& json) { return Document::from_json(json); }

// What is refused, and how; empty where nothing is.
template <typename Call>
std::string refusal(Call call, ErrorCode code) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.message();
  }
  return {};
}

std::string text_of(const std::optional<Document>& document) {
  return document ? document->json() : "none";
}

std::vector<std::string> found(const Collection& collection, const FindRequest& request = {}) {
  std::vector<std::string> out;
  DocumentStream stream = collection.find(request);
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) out.push_back(entry.document.json());
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("collection: begins with its first write, and is a dataset like any other") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  CHECK_FALSE(notes.exists());
  CHECK(notes.size() == 0);
  CHECK_FALSE(notes.get("a").has_value());
  CHECK(found(notes).empty());
  CHECK(notes.remove("a").number == CommitNumber{0});
  CHECK_FALSE(db.contains("notes"));

  const Commit commit = notes.put(doc(R"({"_id": "a", "n": 1})"));
  CHECK(commit.number == CommitNumber{1});
  CHECK(commit.ids == Texts{"a"});
  CHECK(commit.changes.at("notes") == ChangeCount{1, 0});
  CHECK(db.datasets() == Texts{"notes"});
  CHECK(db.kind("notes") == DatasetKind::collection);
  CHECK(text_of(notes.get("a")) == R"({"_id":"a","n":1})");
  CHECK(notes.exists());
  CHECK(notes.size() == 1);
  CHECK(db.rename("notes", "memos").number == CommitNumber{2});
  CHECK(db.collection("memos").contains("a"));
  CHECK(db.at(CommitNumber{1}).collection("notes").contains("a"));
  db.drop("memos");
  CHECK_FALSE(db.contains("memos"));
}

TEST_CASE("collection: a table is none, and the other way round") {
  Database db = Database::open(":memory:");
  Schema schema;
  schema.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false}};
  db.create_table("rows", schema);
  db.collection("notes").put(doc(R"({"_id": "a"})"));
  const auto said = [](const std::string& message, const char* words) {
    return message.find(words) != std::string::npos;
  };
  const auto code = ErrorCode::invalid_argument;
  CHECK(said(refusal([&] { db.collection("rows"); }, code), "is a table"));
  CHECK(said(refusal([&] { db.table("notes"); }, code), "is a collection"));
  CHECK(said(refusal([&] { db.at(CommitNumber{2}).table("notes"); }, code), "is a collection"));
  CHECK(said(refusal([&] { db.at(CommitNumber{2}).collection("rows"); }, code), "is a table"));
  Recorder recorder = db.recorder();
  CHECK(said(refusal([&] { recorder.append("notes", {}); }, code), "is a collection"));
  CHECK(said(refusal([&] { recorder.put("rows", std::vector{doc("{}")}); }, code), "is a table"));
  CHECK(said(refusal([&] { db.create_table("more", collection_schema()); }, code), "first write"));
}

TEST_CASE("collection: put inserts or replaces, and what is there as it is makes no commit") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(std::vector{doc(R"({"_id": "a", "n": 1})"), doc(R"({"_id": "b", "n": 2})")});
  const Commit same = notes.put(doc(R"({"_id": "a", "n": 1})"));
  CHECK(same.number == CommitNumber{1});
  CHECK(same.changes.empty());
  const Commit replaced =
      notes.put(std::vector{doc(R"({"_id": "b", "n": 3})"), doc(R"({"_id": "a", "n": 1})")});
  CHECK(replaced.changes.at("notes") == ChangeCount{1, 1});
  CHECK(found(notes) == Texts{R"({"_id":"a","n":1})", R"({"_id":"b","n":3})"});
  CHECK(found(db.at(CommitNumber{1}).collection("notes")) ==
        Texts{R"({"_id":"a","n":1})", R"({"_id":"b","n":2})"});
  const Commit made = notes.put(doc(R"({"n": 4})"));
  REQUIRE(made.ids.size() == 1);
  CHECK(made.ids.front().size() == 36);
  CHECK(notes.contains(made.ids.front()));
}

TEST_CASE("collection: insert, patch and expected revisions are judged by what is there") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.insert(doc(R"({"_id": "a", "user": {"city": "Oslo", "age": 7}})"));
  CHECK(refusal([&] { notes.insert(doc(R"({"_id": "a"})")); }, ErrorCode::conflict).find("is in") !=
        std::string::npos);
  notes.patch("a", doc(R"({"user": {"city": "Rome", "age": null}})"));
  CHECK(text_of(notes.get("a")) == R"({"_id":"a","user":{"city":"Rome"}})");
  CHECK_FALSE(
      refusal([&] { notes.patch("zz", doc(R"({"n": 1})")); }, ErrorCode::not_found).empty());

  const DocumentEntry seen = *notes.entry("a");
  notes.put(doc(R"({"_id": "a", "n": 1})"), {.if_revision = ExpectedRevision(seen.revision)});
  CHECK(notes.entry("a")->revision != seen.revision);
  const DocumentWrite stale{.if_revision = ExpectedRevision(seen.revision)};
  CHECK_FALSE(
      refusal([&] { notes.put(doc(R"({"_id": "a", "n": 2})"), stale); }, ErrorCode::conflict)
          .empty());
  CHECK_FALSE(
      refusal([&] { notes.patch("a", doc(R"({"n": 2})"), stale); }, ErrorCode::conflict).empty());
  CHECK_FALSE(refusal([&] { notes.remove("a", stale); }, ErrorCode::conflict).empty());
  const DocumentWrite absent{.if_revision = ExpectedRevision()};
  CHECK_FALSE(
      refusal([&] { notes.put(doc(R"({"_id": "a"})"), absent); }, ErrorCode::conflict).empty());
  notes.put(doc(R"({"_id": "b"})"), absent);
  CHECK(notes.size() == 2);
  CHECK(text_of(notes.get("a")) == R"({"_id":"a","n":1})");
}

TEST_CASE("collection: the time of a document is its commit's, and stays as long as it lives") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  const Timestamp first = notes.put(doc(R"({"_id": "a", "n": 1})")).time;
  CHECK(notes.entry("a")->time == first);
  notes.put(doc(R"({"_id": "a", "n": 2})"));
  notes.patch("a", doc(R"({"n": 3})"));
  CHECK(notes.entry("a")->time == first);
  notes.remove("a");
  const Timestamp again = notes.put(doc(R"({"_id": "a", "n": 3})")).time;
  CHECK(notes.entry("a")->time == again);
  CHECK(again > first);
  CHECK(db.at(CommitNumber{3}).collection("notes").entry("a")->time == first);
  CHECK(found(notes, {.start = again}).size() == 1);
  CHECK(found(notes, {.stop = again}).empty());
}

TEST_CASE("collection: a declared path states the times of documents") {
  Database db = Database::open(":memory:");
  const CollectionOptions at{.time = DocumentTime{"at", TimeUnit::millisecond}};
  const Collection events = db.collection("events", at);
  events.put(std::vector{doc(R"({"_id": "a", "at": "2026-01-05T12:00:00Z"})"),
                         doc(R"({"_id": "b", "at": 1767614400001})")});
  CHECK(events.entry("a")->time == timestamp_parse("2026-01-05T12:00:00Z"));
  CHECK(events.entry("b")->time == timestamp_parse("2026-01-05T12:00:00.001Z"));
  events.patch("a", doc(R"({"at": "2026-01-06T00:00:00Z"})"));
  CHECK(events.entry("a")->time == timestamp_parse("2026-01-06T00:00:00Z"));
  const auto code = ErrorCode::invalid_argument;
  CHECK_FALSE(refusal([&] { events.put(doc(R"({"_id": "c"})")); }, code).empty());
  CHECK_FALSE(refusal([&] { events.put(doc(R"({"at": true})")); }, code).empty());
  CHECK_FALSE(refusal([&] { events.patch("a", doc(R"({"at": null})")); }, code).empty());
  Recorder recorder = db.recorder();
  const std::vector<Document> mixed{doc(R"({"_id": "d", "at": 5})"), doc(R"({"_id": "e"})")};
  CHECK_FALSE(refusal([&] { recorder.put("events", mixed); }, code).empty());
  CHECK(recorder.collection("events").size() == 2);  // none of the two is staged
  CHECK(db.collection("events").document_time() == *at.time);
  CHECK_FALSE(refusal([&] { db.collection("events", {.time = DocumentTime{"other"}}); },
                      ErrorCode::conflict)
                  .empty());
}

TEST_CASE("collection: find goes by id, within what is asked for") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  for (int i = 0; i < 30; ++i) {
    notes.put(doc("{\"_id\": \"" + std::string(i % 2 == 0 ? "even" : "odd") +
                  std::to_string(10 + i) + "\", \"n\": " + std::to_string(i) + "}"));
  }
  CHECK(found(notes).size() == 30);
  CHECK(found(notes, {.prefix = "odd"}).size() == 15);
  CHECK(found(notes, {.prefix = "odd", .limit = 2}) ==
        Texts{R"({"_id":"odd11","n":1})", R"({"_id":"odd13","n":3})"});
  CHECK(found(notes, {.limit = 1, .reverse = true}) == Texts{R"({"_id":"odd39","n":29})"});
  CHECK(found(notes, {.where = col("n") >= 28}) ==
        Texts{R"({"_id":"even38","n":28})", R"({"_id":"odd39","n":29})"});
  CHECK(found(notes, {.ids = Texts{"odd13", "none", "even10"}}) ==
        Texts{R"({"_id":"even10","n":0})", R"({"_id":"odd13","n":3})"});
  CHECK(found(notes, {.where = col("missing") == 1}).empty());
  notes.remove(col("n") < 10);
  CHECK(notes.size() == 20);
}

TEST_CASE("collection: revisions tell what became of an id, deletions too") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  notes.put(doc(R"({"_id": "a", "n": 1})"), {.commit = {.author = "ana"}});
  notes.put(doc(R"({"_id": "b"})"));
  notes.put(doc(R"({"_id": "a", "n": 2})"));
  notes.remove("a");
  notes.put(doc(R"({"_id": "a", "n": 3})"));
  Texts told;
  for (const DocumentRevision& revision : notes.revisions("a"))
    told.push_back(std::to_string(static_cast<int>(revision.commit)) + text_of(revision.document));
  CHECK(told ==
        Texts{R"(5{"_id":"a","n":3})", "4none", R"(3{"_id":"a","n":2})", R"(1{"_id":"a","n":1})"});
  CHECK(db.at(CommitNumber{3}).collection("notes").revisions("a").size() == 2);
  CHECK(notes.revisions("zz").empty());
}

TEST_CASE("collection: a recorder writes documents and rows at once, and reads its own") {
  Database db = Database::open(":memory:");
  Recorder recorder = db.recorder({.message = "both"});
  CHECK(recorder.put("notes", std::vector{doc(R"({"_id": "a", "n": 1})")}) == Texts{"a"});
  CHECK(text_of(recorder.collection("notes").get("a")) == R"({"_id":"a","n":1})");
  CHECK(recorder.collection("notes").size() == 1);
  recorder.patch("notes", "a", doc(R"({"n": 2})"));
  recorder.put("notes", std::vector{doc(R"({"_id": "b"})")});
  const Texts b{"b"};
  recorder.remove("notes", b);
  recorder.put("other", std::vector{doc(R"({"_id": "c"})")});
  CHECK(found(recorder.collection("notes")) == Texts{R"({"_id":"a","n":2})"});
  CHECK_FALSE(db.contains("notes"));
  const Commit commit = recorder.commit();
  CHECK(commit.changes.size() == 2);
  CHECK(commit.changes.at("notes") == ChangeCount{1, 0});
  CHECK(found(db.collection("notes")) == Texts{R"({"_id":"a","n":2})"});
  CHECK(found(db.collection("other")) == Texts{R"({"_id":"c"})"});

  Recorder ends = db.recorder();
  ends.remove("notes", col("n") == 2);
  ends.put("notes", std::vector{doc(R"({"_id": "d", "n": 2})")});
  CHECK(found(ends.collection("notes")) == Texts{R"({"_id":"d","n":2})"});
  ends.commit();
  CHECK(found(db.collection("notes")) == Texts{R"({"_id":"d","n":2})"});
}

TEST_CASE(
    "collection: more documents than half of the memory are no commit, and leave what was staged") {
  Database db = Database::open(":memory:", {.memory_bytes = 1 << 20});
  Recorder recorder = db.recorder();
  const auto large = [](const std::string& id) {
    return std::vector{
        doc("{\"_id\": \"" + id + "\", \"x\": \"" + std::string(300'000, 'x') + "\"}")};
  };
  recorder.put("notes", large("a"));
  CHECK_FALSE(refusal([&] { recorder.put("notes", large("b")); }, ErrorCode::limit).empty());
  recorder.put("notes", std::vector{doc(R"({"_id": "c"})")});
  recorder.commit();
  CHECK(db.collection("notes").size() == 2);
}

TEST_CASE("collection: a change id is applied once, also where ids are made") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  const DocumentWrite once{.commit = {.change_id = std::string(32, 'a')}};
  const Commit first = notes.put(doc(R"({"n": 1})"), once);
  const Commit again = notes.put(doc(R"({"n": 1})"), once);
  CHECK(again.number == first.number);
  CHECK(again.ids == first.ids);
  CHECK(notes.size() == 1);
  CHECK_FALSE(refusal([&] { notes.put(doc(R"({"n": 2})"), once); }, ErrorCode::conflict).empty());
}

TEST_CASE("collection: patches of one document by many threads at once are all there") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  std::vector<std::thread> threads;
  std::atomic<int> inserted{0};
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      try {
        notes.insert(doc(R"({"_id": "a"})"));
        ++inserted;
      } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::conflict);
      }
      for (int i = 0; i < 30; ++i) {
        const std::string field = "f" + std::to_string(thread) + "_" + std::to_string(i);
        notes.patch("a", doc("{\"" + field + "\": " + std::to_string(i) + "}"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(inserted == 1);
  const std::string text = text_of(notes.get("a"));
  for (int thread = 0; thread < 4; ++thread) {
    for (int i = 0; i < 30; ++i) {
      const std::string field = "\"f" + std::to_string(thread) + "_" + std::to_string(i) + "\":";
      CHECK(text.find(field) != std::string::npos);
    }
  }
  CHECK(notes.size() == 1);
  CHECK(notes.revisions("a").size() == 121);
}

TEST_CASE(
    "collection: many documents go into a file, and all is as before after a seal and a join") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  std::vector<Document> many;
  for (int i = 0; i < 20'000; ++i) {
    many.push_back(doc("{\"_id\": \"k" + std::to_string(100'000 + i) + "\", \"text\": \"" +
                       std::string(80, 'x') + "\"}"));
  }
  const Commit first = notes.put(many);
  CHECK(first.ids.size() == many.size());
  CHECK(notes.size() == many.size());
  for (std::size_t i = 0; i < many.size(); i += 3)
    many[i] = doc("{\"_id\": \"" + many[i].id() + "\"}");
  notes.put(many);
  notes.remove(many[1].id());
  const auto same = [&] {
    CHECK(notes.size() == many.size() - 1);
    CHECK(text_of(notes.get(many[0].id())) == many[0].json());
    CHECK(text_of(notes.get(many[19'999].id())) == many[19'999].json());
    CHECK_FALSE(notes.contains(many[1].id()));
    CHECK(db.at(first.number).collection("notes").contains(many[1].id()));
    CHECK(notes.entry(many[0].id())->time == first.time);
    CHECK(found(notes, {.start = first.time}).size() == many.size() - 1);
  };
  same();
  const auto all_alike = [&] {  // as many as make indexes of ids, and more
    for (std::size_t i = 0; i < many.size(); i += 61)
      REQUIRE(text_of(notes.get(many[i].id())) == (i == 1 ? "none" : many[i].json()));
    CHECK_FALSE(notes.get(many[1].id()));
    CHECK_FALSE(notes.get("k1"));
    const Collection before = db.at(first.number).collection("notes");
    CHECK(text_of(before.get(many[0].id())).size() > 80);
    CHECK(before.get(many[1].id()));
  };
  all_alike();
  same();
  const Commit again = notes.put(many[2]);
  CHECK(again.number == db.head().number);
  CHECK(again.changes.empty());
  db.compact();
  same();
  all_alike();
  same();
  CHECK(db.verify().ok());
}

TEST_CASE("collection: one of a commit knows its documents by heart, and nothing that came since") {
  Database db = Database::open(":memory:");
  const Collection notes = db.collection("notes");
  std::vector<Document> many;
  for (int i = 0; i < 20'000; ++i)
    many.push_back(doc("{\"_id\": \"k" + std::to_string(i) + "\", \"text\": \"" +
                       std::string(80, 'x') + "\"}"));
  const Commit first = notes.put(many);
  const auto look_often = [&](const Collection& of) {  // as often as makes an index of ids
    for (int i = 0; i < 200; ++i) REQUIRE(of.get(many[std::size_t(i) * 97].id()));
  };
  const Collection of_first = db.at(first.number).collection("notes");
  look_often(of_first);
  const Commit second = notes.put(doc(R"({"_id": "k1", "text": "late"})"));
  const Collection of_second = db.at(second.number).collection("notes");
  look_often(of_second);
  notes.remove("k2");
  notes.put(doc(R"({"_id": "new"})"));
  look_often(notes);
  for (int round = 0; round < 2; ++round) {
    CHECK(text_of(of_first.get("k1")) == many[1].json());
    CHECK(text_of(of_second.get("k1")) == R"({"_id":"k1","text":"late"})");
    CHECK(text_of(notes.get("k1")) == R"({"_id":"k1","text":"late"})");
    for (const Collection& before : {of_first, of_second}) {
      CHECK(before.contains("k2"));
      CHECK_FALSE(before.contains("new"));
    }
    CHECK_FALSE(notes.contains("k2"));
    CHECK(notes.contains("new"));
    db.compact();
    look_often(notes);
  }
  db.close();
  const auto code = ErrorCode::invalid_argument;
  for (const Collection& each : {of_first, of_second, notes})
    CHECK(refusal([&] { each.get("k1"); }, code).find("is closed") != std::string::npos);
}

namespace {

// Documents as plain maps, of every commit: what collections have to say.
struct Model {
  using State = std::map<std::string, std::string>;
  std::vector<State> states{{}};  // by commit
  State now;

  void check(const Database& db, std::uint64_t commit) const {
    const State& state = states.at(commit);
    if (commit == 0) return;
    const Snapshot snapshot = db.at(CommitNumber{commit});
    if (!snapshot.contains("notes")) {
      CHECK(state.empty());
      return;
    }
    const Collection notes = snapshot.collection("notes");
    Texts expected;
    for (const auto& [id, text] : state) {
      expected.push_back(text);
      CHECK(text_of(notes.get(id)) == text);
    }
    CHECK(found(notes) == expected);
    CHECK(notes.size() == state.size());
    std::ranges::reverse(expected);
    CHECK(found(notes, {.reverse = true}) == expected);
  }
};

std::string json_of(const std::string& id, std::uint64_t n) {
  return "{\"_id\":\"" + id + "\",\"n\":" + std::to_string(n) + "}";
}

// One thing at random, to both.
void step(test::Random& random, Recorder& recorder, Model& model) {
  const std::string id = "k" + std::to_string(test::below(random, 12));
  const std::uint64_t n = test::below(random, 5);
  const Texts ids{id};
  switch (test::below(random, 6)) {
    case 0:
      recorder.remove("notes", ids);
      model.now.erase(id);
      break;
    case 1:
      if (!model.now.contains(id)) break;
      recorder.patch("notes", id, doc("{\"n\":" + std::to_string(n) + "}"));
      model.now[id] = json_of(id, n);
      break;
    case 2:
      recorder.remove("notes", col("n") == static_cast<std::int64_t>(n));
      std::erase_if(model.now,
                    [&](const auto& one) { return one.second == json_of(one.first, n); });
      break;
    default:
      recorder.put("notes", std::vector{doc(json_of(id, n))});
      model.now[id] = json_of(id, n);
  }
}

}  // namespace

TEST_SUITE("long") {
  TEST_CASE("collection: random writes are what plain maps say, at every commit and after seals") {
    const test::Budget budget;
    test::Random random(test::seed());
    do {
      Database db = Database::open(":memory:", {.memory_bytes = 1 << 20});
      Model model;
      for (std::uint64_t left = 20 + test::below(random, 60); left != 0; --left) {
        Recorder recorder = db.recorder();
        for (std::uint64_t i = test::below(random, 4); i < 4; ++i) step(random, recorder, model);
        const Commit commit = recorder.commit();
        const auto number = static_cast<std::uint64_t>(commit.number);
        if (number == model.states.size()) model.states.push_back(model.now);
        REQUIRE(model.states.back() == model.now);
        if (test::below(random, 10) == 0) db.compact();
        model.check(db, model.states.size() - 1);
        model.check(db, test::below(random, model.states.size()));
      }
      CHECK(db.verify().ok());
    } while (budget.left());
  }
}

TEST_CASE("collection: documents are found by their times, those of one time by id") {
  Database db = Database::open(":memory:");
  const Collection events = db.collection("events", {.time = DocumentTime{"at", TimeUnit::second}});
  events.put(std::vector{doc(R"({"_id":"a","at":30})"), doc(R"({"_id":"b","at":10})"),
                         doc(R"({"_id":"c","at":20})"), doc(R"({"_id":"d","at":10})")});
  const auto ids = [&](FindRequest request) {
    request.order = DocumentOrder::time;
    std::string out;
    DocumentStream stream = events.find(request);
    for (auto some = stream.next(); !some.empty(); some = stream.next())
      for (const DocumentEntry& entry : some) out += entry.document.id();
    return out;
  };
  CHECK(ids({}) == "bdca");
  CHECK(ids({.reverse = true}) == "acdb");
  CHECK(ids({.limit = 3}) == "bdc");
  CHECK(ids({.limit = 2, .reverse = true}) == "ac");
  CHECK(ids({.start = Timestamp{20'000'000'000}}) == "ca");
  CHECK(ids({.where = parse_condition("at < 25")}) == "bdc");
  CHECK(ids({.ids = std::vector<std::string>{"a", "d", "zz", "c"}}) == "dca");
  CHECK(ids({.prefix = "c"}) == "c");
  CHECK(ids({.limit = 0}).empty());
}

TEST_CASE("collection: many documents by time come as by id sorted, also the first few of them") {
  Database db = Database::open(":memory:", {.memory_bytes = 8 << 20});
  const Collection events = db.collection("events", {.time = DocumentTime{"at", TimeUnit::second}});
  constexpr int kDocuments = 20'000;
  std::vector<std::pair<int, std::string>> expected;
  std::vector<Document> documents;
  for (int i = 0; i < kDocuments; ++i) {
    const int at = i * 7919 % 5'003;  // four of one time
    const std::string id = fmt::format("e{:05}", i * 31 % kDocuments);
    expected.emplace_back(at, id);
    documents.push_back(doc(fmt::format(R"({{"_id":"{}","at":{}}})", id, at)));
  }
  std::ranges::sort(expected);
  events.put(documents);
  const auto same = [&](const FindRequest& request, auto first) {
    DocumentStream stream = events.find(request);
    std::uint64_t found = 0;
    for (auto some = stream.next(); !some.empty(); some = stream.next()) {
      for (const DocumentEntry& entry : some) {
        if (entry.document.id() != (first++)->second) return std::uint64_t{0};
        ++found;
      }
    }
    return found;
  };
  using enum DocumentOrder;
  CHECK(same({.order = time}, expected.begin()) == kDocuments);
  CHECK(same({.reverse = true, .order = time}, expected.rbegin()) == kDocuments);
  CHECK(same({.limit = 5'000, .order = time}, expected.begin()) == 5'000);
  CHECK(same({.limit = 10, .reverse = true, .order = time}, expected.rbegin()) == 10);
  Database small = Database::open(":memory:", {.memory_bytes = 1 << 20});
  const Collection copy = small.collection("copy");
  for (std::size_t at = 0; at < documents.size(); at += 2'000) {
    copy.put(std::span(documents).subspan(at, 2'000));
  }
  const std::string refused = refusal([&] { copy.find({.order = time}).next(); }, ErrorCode::limit);
  CHECK(refused.contains("finding documents by time keeps their ids"));
  CHECK(copy.find({.limit = 100, .order = time}).next().size() == 100);
}

}  // namespace otolith
