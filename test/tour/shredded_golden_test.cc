// A database that an earlier Otolith wrote, whose segments have shredded paths, bodies with a
// dictionary, and a past side: it opens, is asked, and goes on.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/ids.h"
#include "db/hall.h"
#include "otolith/inspect.h"
#include "test/golden_database.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

const std::string kGolden = OTOLITH_SOURCE_DIR "/test/golden/database-v1-shredded";
constexpr int kDocuments = 900;

history::HistoryOptions small_sizes() {
  history::HistoryOptions sizes = golden_sizes();
  sizes.inline_bytes_max = 16 << 10;
  sizes.sweep_after_ns = 0;
  return sizes;
}

// Of every kind that is shredded; each 300th has another kind at `n`, and no city.
Document event(int i) {
  const char* const cities[] = {"Oslo", "Rome", "Lima"};
  const std::string n = i % 300 == 7 ? "\"many\"" : fmt::format("{}", i);
  const std::string city =
      i % 300 == 7 ? "" : fmt::format(R"("city":"{}",)", cities[static_cast<std::size_t>(i % 3)]);
  return Document::from_json(
      fmt::format(R"({{"_id":"e{:04}","n":{},"user":{{{}"first.name":"Ana"}},"x":{},"ok":{},)"
                  R"("text":"what happened at place {} of those that are known {}"}})",
                  i, n, city, i % 4 == 0 ? "1" : fmt::format("{}.5", i % 10), i % 2 == 0,
                  i * 7919 % 1000, std::string(90, static_cast<char>('a' + i % 26))));
}

void live(Database& db) {
  const Collection events = db.collection("events");
  for (int part = 0; part < 3; ++part) {
    std::vector<Document> some;
    for (int i = part; i < kDocuments; i += 3) some.push_back(event(i));
    events.put(some, {.commit = {.author = "ana", .message = "events"}});
  }
  events.remove(parse_condition("n >= 100 and n < 200"), {.author = "ben", .message = "some less"});
  db.compact();
  events.put(Document::from_json(R"({"_id":"late","n":5,"user":{"city":"Oslo"}})"),
             {.commit = {.author = "ana", .message = "in the tail"}});
}

// How many a condition finds, the first and the last of them.
std::string found(const Snapshot& at, const char* where) {
  std::vector<std::string> ids;
  DocumentStream stream = at.collection("events").find({.where = parse_condition(where)});
  for (auto some = stream.next(); !some.empty(); some = stream.next()) {
    for (const DocumentEntry& entry : some) ids.push_back(entry.document.id());
  }
  if (ids.empty()) return "none";
  return fmt::format("{} from {} to {}", ids.size(), ids.front(), ids.back());
}

// The names of the columns of segments, and their codecs.
std::set<std::string> columns_in(const std::string& path) {
  std::set<std::string> out;
  for (const SegmentLayout& segment : inspect(path).segments) {
    for (const ColumnLayout& column : segment.columns) {
      out.insert(column.name);
      for (const CodecUse& use : column.codecs) out.insert(use.codec);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("golden database: shredded paths of version 1 are asked as they were") {
  make_golden(kGolden, small_sizes(), live);
  const Folder folder;
  const std::string path = folder.path("copy");
  std::filesystem::copy(kGolden, path, std::filesystem::copy_options::recursive);
  CHECK(inspect(path).segments.size() == 2);  // present and past
  const std::set<std::string> columns = columns_in(path);
  for (const char* const name :
       {"(n)", "(user.city)", "(user.\"first.name\")", "(x)", "(ok)", "bodies v1", "(begin)"}) {
    CAPTURE(std::string(name));
    CHECK(columns.contains(name));
  }
  {
    const Database db = Database::open(path, {.create = false, .read_only = true});
    const Snapshot now = db.at("HEAD");
    CHECK(found(now, "n >= 0") == "798 from e0000 to late");
    CHECK(found(now, "n = 'many'") == "3 from e0007 to e0607");
    CHECK(found(now, "user.city = 'Oslo' and n > 890") == "3 from e0891 to e0897");
    CHECK(found(now, "\"user.\"\"first.name\"\"\" = 'Ana' and x = 1 and not ok") == "none");
    CHECK(found(now, "x = 1 and n < 50") == "13 from e0000 to e0048");
    CHECK(found(now, "user.city is null and n is not null") == "3 from e0007 to e0607");
    CHECK(found(now, "n between 100 and 199") == "none");
    CHECK(found(db.at(CommitNumber{3}), "n between 100 and 199") == "100 from e0100 to e0199");
    CHECK(db.verify({}, true).ok());
    CHECK(db.head().hash == "3423069e01143d8afdb716ac4fa0a82f5566ba6b196bc07af7845051686dccc1");
  }
  Database db = Database::open(path, {.create = false});
  db.revert("4", {}, {.author = "now"});
  CHECK(found(db.at("HEAD"), "n between 100 and 199") == "100 from e0100 to e0199");
  db.compact();
  CHECK(found(db.at("HEAD"), "n between 100 and 199") == "100 from e0100 to e0199");
  CHECK(found(db.at(CommitNumber{4}), "n between 100 and 199") == "none");
  CHECK(db.verify({}, true).ok());
}

}  // namespace otolith::test
