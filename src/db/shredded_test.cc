// Answers of collections are the same whether paths are shredded or not, and no body is read of
// what columns tell.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "db/hall.h"
#include "db/segment_layout.h"
#include "document/builder.h"
#include "document/condition.h"
#include "io/sim_disk.h"
#include "otolith/collection.h"
#include "otolith/otolith.h"
#include "segment/path.h"
#include "segment/reader.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith {

namespace {

using document::Builder;
using test::below;
using test::Random;

constexpr std::int64_t kHour = 3'600'000'000'000;

enum class Some : std::uint8_t { number, real, text, truth, time, null, list, map, binary, other };

const char* const kTexts[] = {"",     "a",        "b",          "ab",
                              "Oslo", "\xc3\xa9", "2026-01-05", "1970-01-01T02:00Z"};

void put_value(Builder& out, Some kind, Random& random) {
  switch (kind) {
    case Some::number:
      if (below(random, 40) == 0) return out.integer((std::int64_t{1} << 53) + 1);
      return out.integer(static_cast<std::int64_t>(below(random, 12)) - 4);
    case Some::real:
      if (below(random, 20) == 0) return out.float64(std::nan(""));
      if (below(random, 20) == 0) return out.float64(-0.0);
      if (below(random, 40) == 0) return out.float64(std::numeric_limits<double>::infinity());
      return out.float64((static_cast<double>(below(random, 24)) - 8) / 2);
    case Some::text:
      if (below(random, 60) == 0) return out.string(std::string(300, 'a'));
      return out.string(kTexts[below(random, std::size(kTexts))]);
    case Some::truth:
      return out.boolean(below(random, 2) == 0);
    case Some::time:
      return out.timestamp({static_cast<std::int64_t>(below(random, 5)) * kHour});
    case Some::null:
      return out.null();
    case Some::list:
      out.begin_array();
      put_value(out, Some::number, random);
      return out.end();
    case Some::map:
      out.begin_map();
      return out.end();
    case Some::binary:
      return out.binary(as_bytes_view("a"));
    case Some::other:
      return out.unsigned_integer(UINT64_MAX - below(random, 2));
  }
}

// How the documents of some commits are: of which kind each path mostly is.
struct Era {
  struct Of {
    Some kind{};
    std::uint64_t strays = 0;   // one in so many; 0: none
    std::uint64_t missing = 0;  // likewise
    bool mixed = false;         // floats, and integers among them
    std::int64_t from = 0;      // added to nothing: integers that grow, for zone maps
  };
  std::vector<Of> paths{};

  Era(Random& random, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t rare[] = {0, 0, 200, 30, 3};
      paths.push_back({.kind = static_cast<Some>(below(random, 5)),
                       .strays = rare[below(random, 5)],
                       .missing = rare[below(random, 5)],
                       .mixed = below(random, 2) == 0});
    }
  }

  void put(Builder& out, std::size_t path, std::string_view key, Random& random) const {
    const Of& of = paths[path];
    if (of.missing != 0 && below(random, of.missing) == 0) {
      if (below(random, 2) == 0) return;
      out.key(key);
      return out.null();
    }
    out.key(key);
    Some kind = of.kind;
    if (kind == Some::real && of.mixed && below(random, 3) == 0) kind = Some::number;
    if (of.strays != 0 && below(random, of.strays) == 0)
      kind = static_cast<Some>(below(random, 10));
    put_value(out, kind, random);
  }
};

const char* const kPaths[] = {
    "a",   "b",     "s",       "user.n", "user.city", R"(user."first.name")", "deep.x.y", "\"e\"",
    "_id", "_time", "nowhere", "user",   "list.0"};
constexpr std::size_t kFields = 8;

Document some_document(const Era& era, const std::string& id, Random& random) {
  Builder out;
  out.begin_map();
  era.put(out, 0, "a", random);
  era.put(out, 1, "b", random);
  out.key("list");
  put_value(out, Some::list, random);
  if (below(random, 10) != 0) {
    out.key("user");
    out.begin_map();
    era.put(out, 3, "n", random);
    era.put(out, 4, "city", random);
    era.put(out, 5, "first.name", random);
    out.end();
  } else if (below(random, 2) == 0) {
    out.key("user");
    put_value(out, static_cast<Some>(below(random, 10)), random);
  }
  out.key("deep");
  out.begin_map();
  out.key("x");
  out.begin_map();
  era.put(out, 6, "y", random);
  out.end();
  out.end();
  era.put(out, 2, "s", random);
  era.put(out, 7, "e", random);
  out.key("fill");
  out.string(std::string(below(random, 200), 'x'));
  out.end();
  return Document::of(id, std::string(as_text(out.take())));
}

// ---- conditions ---------------------------------------------------------------------------------

Constant some_constant(Random& random) {
  switch (below(random, 10)) {
    case 0:
    case 1:
      return static_cast<std::int64_t>(below(random, 12)) - 4;
    case 2:
      return (static_cast<double>(below(random, 24)) - 8) / 2;
    case 3:
      return below(random, 2) == 0;
    case 4:
      return Timestamp{static_cast<std::int64_t>(below(random, 5)) * kHour};
    case 5:
      return below(random, 3) == 0 ? Constant(std::nan("")) : Constant(UINT64_MAX);
    case 9: {  // what digits say and doubles do not
      const char* const digits[] = {"4.99999999999999999999", "5.00000000000000000001", "0.5",
                                    "5.0"};
      return Constant::number(digits[below(random, std::size(digits))]);
    }
    case 6:
      return (std::int64_t{1} << 53) + static_cast<std::int64_t>(below(random, 3));
    default:
      return kTexts[below(random, std::size(kTexts))];
  }
}

Expression compared(const Expression& left, const auto& right, Random& random) {
  switch (below(random, 6)) {
    case 0:
      return left == right;
    case 1:
      return left != right;
    case 2:
      return left < right;
    case 3:
      return left <= right;
    case 4:
      return left > right;
    default:
      return left >= right;
  }
}

Expression some_path(Random& random) { return col(kPaths[below(random, std::size(kPaths))]); }

Expression some_test(Random& random) {
  const Expression path = some_path(random);
  switch (below(random, 14)) {
    case 0:
      return path.isin({some_constant(random), some_constant(random), some_constant(random)});
    case 1:
      return path.between(some_constant(random), some_constant(random));
    case 2:
      return path.is_null();
    case 3:
      return path.not_null();
    case 4:
      return path.call("starts_with", {kTexts[1 + below(random, 4)]});
    case 5:
      return path.call("like", {"%a%"});
    case 6:
      return compared(path.call("len"), some_constant(random), random);
    case 7:
      return compared(path.call("lower"), some_constant(random), random);
    case 8:
      return compared(path.call("hour"), some_constant(random), random);
    case 9:
      return compared(path, some_path(random), random);
    case 10:
      return below(random, 2) == 0 ? path : path.call("matches", {"^a"});
    case 11:
      return compared(path + Constant(1), some_constant(random), random);
    default:
      return compared(path, some_constant(random), random);
  }
}

Expression some_condition(Random& random, unsigned depth) {
  if (depth == 0) return some_test(random);
  switch (below(random, 4)) {
    case 0:
      return some_condition(random, depth - 1) && some_condition(random, depth - 1);
    case 1:
      return some_condition(random, depth - 1) || some_condition(random, depth - 1);
    case 2:
      return !some_condition(random, depth - 1);
    default:
      return some_test(random);
  }
}

// ---- collections --------------------------------------------------------------------------------

std::vector<DocumentEntry> found(const Collection& collection, const FindRequest& request = {}) {
  std::vector<DocumentEntry> out;
  DocumentStream stream = collection.find(request);
  for (auto some = stream.next(); !some.empty(); some = stream.next())
    out.insert(out.end(), some.begin(), some.end());
  return out;
}

std::vector<std::string> ids_of(const std::vector<DocumentEntry>& entries) {
  std::vector<std::string> out;
  for (const DocumentEntry& entry : entries) out.push_back(entry.document.id());
  return out;
}

// Every commit is a segment of its own.
history::HistoryOptions no_tail() {
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 0;
  return sizes;
}

struct Disk {
  std::shared_ptr<io::Vfs> vfs = io::memory_vfs();

  Database open(const history::HistoryOptions& sizes = no_tail(), bool mmap = true) const {
    return db::Door::open(vfs, io::simulated_environment(1), {.threads = 2, .mmap = mmap}, sizes);
  }

  std::vector<std::string> segments() const {
    std::vector<std::string> out;
    for (const std::string& folder : vfs->list("segments")) {
      for (const std::string& name : vfs->list("segments/" + folder))
        out.push_back(fmt::format("segments/{}/{}", folder, name));
    }
    std::erase_if(out, [](const std::string& name) { return !name.ends_with(".seg"); });
    return out;
  }

  std::shared_ptr<const segment::SegmentReader> reader(const std::string& file) const {
    return segment::SegmentReader::open(vfs->open(file, io::OpenMode::read), file, {}, false);
  }

  // Of all segments.
  std::set<std::string> shredded_paths() const {
    std::set<std::string> out;
    for (const std::string& file : segments()) {
      for (const auto& path : reader(file)->shape().shredded) out.insert(path.path);
    }
    return out;
  }
};

// Those that brute force finds, by a condition that nobody bound to columns.
std::vector<std::string> brute(const std::vector<DocumentEntry>& all, const FindRequest& request) {
  const document::Condition where(*request.where);
  std::vector<std::string> out;
  for (const DocumentEntry& entry : all) {
    if (request.start && entry.time < *request.start) continue;
    if (request.stop && entry.time >= *request.stop) continue;
    const document::Value body(as_bytes_view(entry.document.body()));
    if (where.holds(entry.document.id(), entry.time, body)) out.push_back(entry.document.id());
  }
  return out;
}

// Asks some conditions; of each how many documents it finds.
void ask(const Collection& collection, std::uint64_t seed, int conditions, std::uint64_t& hits) {
  const std::vector<DocumentEntry> all = found(collection);
  Random random(seed);
  for (int i = 0; i < conditions; ++i) {
    FindRequest request{.where = some_condition(random, static_cast<unsigned>(below(random, 4)))};
    if (below(random, 8) == 0) request.start = all[below(random, all.size())].time;
    if (below(random, 8) == 0) request.stop = all[below(random, all.size())].time;
    CAPTURE(request.where->text());
    try {
      (void)document::Condition(*request.where);
    } catch (const Error&) {  // of types that no value has
      continue;
    }
    const std::vector<std::string> want = brute(all, request);
    const std::vector<std::string> got = ids_of(found(collection, request));
    hits += want.size();
    for (const DocumentEntry& entry : all) {
      const bool is = std::ranges::binary_search(got, entry.document.id());
      if (is == std::ranges::binary_search(want, entry.document.id())) continue;
      FAIL(std::string(is ? "found: " : "lost: ") << entry.document.id());
    }
    REQUIRE(got == want);
  }
}

}  // namespace

TEST_CASE(
    "shredded: a condition holds of the same documents in segments, in the tail and by hand") {
  std::uint64_t hits = 0;
  int worlds = 0;
  const test::Budget budget;
  for (std::uint64_t seed = test::seed(); worlds < 4 || budget.left(); ++seed, ++worlds) {
    CAPTURE(seed);
    Random random(seed);
    const Disk shredded;
    const Disk plain;
    Database one = shredded.open();
    Database other = plain.open({});  // all in the tail
    const std::vector<Collection> both{one.collection("c"), other.collection("c")};
    const std::uint64_t commits = 1 + below(random, 3);
    for (std::uint64_t commit = 0; commit < commits; ++commit) {
      const Era era(random, kFields);
      std::vector<Document> documents;
      for (std::uint64_t i = 0, count = below(random, 5) == 0 ? 2500 : 150; i < count; ++i)
        documents.push_back(some_document(era, fmt::format("{:05}", below(random, 5000)), random));
      for (const Collection& collection : both) collection.put(documents);
    }
    REQUIRE_FALSE(shredded.shredded_paths().empty());
    REQUIRE(plain.segments().empty());
    for (const Collection& collection : both) ask(collection, seed, 60, hits);
    one.compact();
    for (const Collection& collection : both) ask(collection, seed + 1, 40, hits);
    other.compact();  // sealed
    REQUIRE_FALSE(plain.segments().empty());
    for (const Collection& collection : both) ask(collection, seed + 2, 20, hits);
    REQUIRE(one.verify().ok());
    REQUIRE(other.verify().ok());
  }
  CHECK(hits > 1000);
  MESSAGE(worlds << " worlds, " << hits << " documents found, from seed " << test::seed());
}

TEST_CASE("shredded: a delete by a condition takes the same documents") {
  for (std::uint64_t seed = test::seed(); seed < test::seed() + 12; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Disk disk;
    Database db = disk.open();
    const Collection c = db.collection("c");
    for (int commit = 0; commit < 2; ++commit) {
      const Era era(random, kFields);
      std::vector<Document> documents;
      for (int i = 0; i < 200; ++i)
        documents.push_back(some_document(era, fmt::format("{:04}", below(random, 600)), random));
      c.put(documents);
    }
    for (int i = 0; i < 6; ++i) {
      const Expression where = some_condition(random, 2);
      CAPTURE(where.text());
      std::vector<std::string> left;
      try {
        left = brute(found(c), {.where = !where || where.is_null()});
      } catch (const Error&) {
        continue;
      }
      const std::vector<DocumentEntry> all = found(c);
      const std::vector<std::string> gone = brute(all, {.where = where});
      c.remove(where);
      std::vector<std::string> expected = ids_of(all);
      std::erase_if(expected, [&](const std::string& id) {
        return std::ranges::find(gone, id) != gone.end();
      });
      REQUIRE(ids_of(found(c)) == expected);
    }
  }
}

TEST_CASE("shredded: no body is read of a segment that holds nothing of what is asked") {
  for (const bool mmap : {true, false}) {
    const Disk disk;
    {
      Database db = disk.open();
      std::vector<Document> documents;
      for (int i = 0; i < 3000; ++i) {
        documents.push_back(Document::from_json(fmt::format(
            R"({{"_id":"{:04}","n":{},"city":"Oslo","fill":"{}"}})", i, i, std::string(100, 'x'))));
      }
      db.collection("c").put(documents);
    }
    const std::string file = disk.segments().front();
    {
      const auto reader = disk.reader(file);
      const auto& chunk = reader->index(2).chunks.front();
      const std::unique_ptr<io::File> bytes = disk.vfs->open(file, io::OpenMode::read_write);
      // The middle of each page's bodies.
      for (std::size_t page = 0; page < reader->index(2).pages.size(); ++page) {
        const auto& place = reader->index(2).pages[page].place;
        std::byte byte{};
        const std::uint64_t at = chunk.values.offset + place.values_at + place.values_bytes / 2;
        bytes->read_at(at, std::span(&byte, 1));
        byte ^= std::byte{1};
        bytes->write_at(at, std::span(&byte, 1));
      }
    }
    Database db = disk.open(no_tail(), mmap);
    const Collection c = db.collection("c");
    for (const std::string where :
         {"n > 3000", "n < 0 or city = 'Rome'", "n >= 0 and city > 'Oslo'", "not (n < 5000)",
          "n = 2.5", "city is null", "n in ('a', 5000)", "n is not null and len(city) = 3",
          "lower(city) = 'Oslo'", "_id > '3000' and nowhere = 1", "n = 'x'"}) {
      CAPTURE(where);
      CHECK(found(c, {.where = parse_condition(where)}).empty());
      CHECK(c.remove(parse_condition(where)).number == CommitNumber{1});
    }
    CHECK(found(c, {.start = Timestamp{kTimestampMin.ns + 1},
                    .stop = Timestamp{0},
                    .where = parse_condition("n > 3000")})
              .empty());
    for (const std::string where : {"n > 2990", "nowhere is null", "n + 1 > 5000"}) {
      CAPTURE(where);
      CHECK_THROWS_AS(found(c, {.where = parse_condition(where)}), Error);
    }
  }
}

TEST_CASE("shredded: integers among floats are compared digit by digit as by themselves") {
  const Disk disk;
  Database db = disk.open();
  std::vector<Document> documents;
  for (const char* x : {"5", "5.0", "4", "2.5"}) {
    documents.push_back(Document::from_json(
        fmt::format(R"({{"_id":"{}","x":{},"fill":["{}"]}})", x, x, std::string(80, 'x'))));
  }
  const Collection c = db.collection("c");
  c.put(documents);
  CHECK(disk.shredded_paths() == std::set<std::string>{"x"});
  const auto ids = [&](const char* where) {
    std::string out;
    for (const std::string& id : ids_of(found(c, {.where = parse_condition(where)})))
      out += id + " ";
    return out;
  };
  CHECK(ids("x > 4.99999999999999999999") == "5 ");  // to 5.0 it is 5.0
  CHECK(ids("x < 5.00000000000000000001") == "2.5 4 5 ");
  CHECK(ids("x != 4.99999999999999999999") == "2.5 4 5 ");
  CHECK(ids("x >= 5.0") == "5 5.0 ");
  CHECK(ids("x = 5") == "5 5.0 ");
}

TEST_CASE("shredded: columns follow the data, segment by segment") {
  const Disk disk;
  Database db = disk.open();
  const Collection c = db.collection("c");
  const auto put = [&](const char* prefix, const char* fields, int count) {
    std::vector<Document> documents;
    for (int i = 0; i < count; ++i) {
      documents.push_back(Document::from_json(fmt::format(
          R"({{"_id":"{}{:04}",{},"fill":["{}"]}})", prefix, i, fields, std::string(80, 'x'))));
    }
    c.put(documents);
  };
  using Paths = std::set<std::string>;
  put("a", R"("n":1,"old":true)", 100);
  CHECK(disk.shredded_paths() == Paths{"n", "old"});
  put("b", R"("n":2,"of":{"new":1.5})", 100);
  CHECK(disk.shredded_paths() == Paths{"n", "old", "of.new"});
  CHECK(found(c, {.where = parse_condition("of.new > 1")}).size() == 100);
  put("c", R"("n":"text","of":{"new":1.5})", 900);
  CHECK(found(c, {.where = parse_condition("n = 2 or n = 'text'")}).size() == 1000);
  db.compact();
  REQUIRE(disk.reader(disk.segments().back()) != nullptr);
  CHECK(found(c, {.where = parse_condition("n = 2 or n = 'text'")}).size() == 1000);
  CHECK(found(c, {.where = parse_condition("old")}).size() == 100);
  CHECK(db.verify({}, true).ok());
}

TEST_CASE("shredded: a segment's inspection names its columns by their paths") {
  const Disk disk;
  Database db = disk.open();
  db.collection("c").put(std::vector{Document::from_json(
      R"({"_id":"a","user":{"first.name":"Ana"},"n":1,"of":["a text that is longer"]})")});
  std::vector<Problem> problems;
  const auto reader = disk.reader(disk.segments().front());
  std::string names;
  for (const ColumnLayout& column : db::segment_layout(*reader, nullptr, problems).columns)
    names += "|" + column.name;
  CHECK(names == R"(||||(user."first.name")|(n))");
}

TEST_CASE("shredded: a state has one digest whether its paths are shredded or not") {
  const Disk shredded;
  const Disk plain;
  Database one = shredded.open();
  Database other = plain.open({});
  for (Database* db : {&one, &other}) {
    db->collection("c").put(
        std::vector{Document::from_json(R"({"_id":"a","n":1,"b":true,"of":["a longer text"]})"),
                    Document::from_json(R"({"_id":"b","n":2,"b":true})")});
  }
  CHECK(shredded.shredded_paths().size() == 2);
  CHECK(db::Door::digests(one, CommitNumber{1}) == db::Door::digests(other, CommitNumber{1}));
  one.compact();
  CHECK(db::Door::digests(one, CommitNumber{1}) == db::Door::digests(other, CommitNumber{1}));
  CHECK(one.verify({}, true).ok());
}

}  // namespace otolith
