// Sizes of segments: compact makes as many files as a dataset asks for, and no answer changes.
#include <doctest/doctest.h>

#include "db/hall.h"
#include "test/sensors.h"

namespace otolith::test {

namespace {

constexpr std::int64_t kRows = 3 * static_cast<std::int64_t>(kSpreadRowsMin);
constexpr std::int64_t kDayNs = 86'400'000'000'000;

// Every commit gets a segment, and files go as soon as nobody names them.
Database open_small() {
  history::HistoryOptions sizes;
  sizes.inline_bytes_max = 0;
  sizes.sweep_after_ns = 0;
  return db::Door::open(":memory:", {}, sizes);
}

Batch rows_from(const Table& table, std::int64_t first, std::int64_t count) {
  std::vector<Row> rows;
  for (std::int64_t i = first; i < first + count; ++i) {
    rows.push_back({i * (kDayNs / 8192), std::string(1, static_cast<char>('a' + i % 3)),
                    static_cast<double>(i), kNull});
  }
  return batch_of(table.schema(), rows);
}

Table table_of(Database& db, std::uint32_t spread) {
  Schema schema = sensors();
  schema.segments.spread = spread;
  return db.create_table("t", schema);
}

std::size_t segments_of(const Database& db, const char* name) {
  return db.status().datasets.at(name).segments;
}

std::vector<model::StateDigest> digests_of(const Database& db, const std::string& name) {
  std::vector<model::StateDigest> out;
  for (std::uint64_t n = 1; n <= value_of(db.head().number); ++n)
    out.push_back(db::Door::digests(db, CommitNumber{n}).at(name));
  return out;
}

void check_sound(const Database& db) {
  for (const Problem& problem : db.verify().problems) FAIL_CHECK(problem.what);
  CHECK(db.verify({}, true).problems.empty());
}

}  // namespace

TEST_CASE(
    "spread: one large commit becomes as many files as were asked for, each of its own times") {
  Database db = open_small();
  const Table t = table_of(db, 3);
  t.append(rows_from(t, 0, kRows));
  REQUIRE(segments_of(db, "t") == 1);
  const auto digests = digests_of(db, "t");
  const CompactReport done = db.compact();
  CHECK(done.joined_segments == 1);
  CHECK(segments_of(db, "t") == 3);
  CHECK(digests_of(db, "t") == digests);
  CHECK(db.compact().joined_segments == 0);
  CHECK(t.rows() == kRows);
  CHECK(t.read({.start = Timestamp{kDayNs}, .stop = Timestamp{kDayNs + 1}}).rows() == 1);
  check_sound(db);
}

TEST_CASE("spread: commits are joined into that many files, and what comes later joins them") {
  Database db = open_small();
  const Table t = table_of(db, 2);
  for (int i = 0; i < 4; ++i) t.append(rows_from(t, i * kRows / 4, kRows / 4));
  db.compact();
  CHECK(segments_of(db, "t") == 2);
  for (int i = 0; i < 4; ++i) t.append(rows_from(t, i * kRows / 4, kRows / 4));
  const auto digests = digests_of(db, "t");
  db.compact();
  CHECK(segments_of(db, "t") == 2);
  CHECK(digests_of(db, "t") == digests);
  CHECK(db.compact().joined_segments == 0);
  check_sound(db);
}

TEST_CASE("spread: too few rows for so many files stay in one") {
  Database db = open_small();
  const Table t = table_of(db, 128);
  for (int i = 0; i < 4; ++i) t.append(rows_from(t, i * 10, 10));
  db.compact();
  CHECK(segments_of(db, "t") == 1);
  CHECK(t.rows() == 40);
}

TEST_CASE("spread: of both sides, and old commits and a rollback show what they did") {
  Database db = open_small();
  const Table t = table_of(db, 2);
  t.append(rows_from(t, 0, kRows));
  t.replace({}, rows_from(t, 5, kRows));
  const auto digests = digests_of(db, "t");
  db.compact();
  CHECK(segments_of(db, "t") == 4);  // two of them are past
  CHECK(digests_of(db, "t") == digests);
  db.rollback("2");
  CHECK(t.rows() == kRows);
  db.compact();
  CHECK(segments_of(db, "t") == 4);
  CHECK(digests_of(db, "t").front() == digests.front());
  CHECK(digests_of(db, "t").back() == digests[1]);
  check_sound(db);
}

TEST_CASE("spread: a collection is cut by its ids, and documents are found in all of its files") {
  Database db = open_small();
  const Collection docs = db.collection("docs", {.segments = SegmentSizes{.spread = 2}});
  std::vector<Document> documents;
  for (std::int64_t i = 0; i < kRows; ++i)
    documents.push_back(Document::from_json(fmt::format(R"({{"_id":"d{:06}","n":{}}})", i, i)));
  docs.put(documents);
  db.compact();
  CHECK(segments_of(db, "docs") == 2);
  for (const std::int64_t i : {std::int64_t{0}, kRows / 2 - 1, kRows / 2, kRows - 1})
    CHECK(docs.get(documents[static_cast<std::size_t>(i)].id()).has_value());
  CHECK(docs.size() == static_cast<std::uint64_t>(kRows));
  CHECK(db.collection("docs", {.segments = SegmentSizes{.spread = 2}}).exists());
  CHECK_THROWS_WITH_AS(db.collection("docs", {.segments = SegmentSizes{.spread = 3}}),
                       doctest::Contains("spread 2, not 3"), Error);
}

TEST_CASE("spread: files are of about the bytes that were asked for, at most") {
  Database db = open_small();
  Schema schema = sensors();
  schema.segments.bytes = kSegmentBytesMin;
  schema.codec = "raw";
  const Table t = db.create_table("t", schema);
  t.append(rows_from(t, 0, 8 * kRows));
  const std::uint64_t bytes = db.status().datasets.at("t").segment_bytes;
  REQUIRE(bytes > 2 * kSegmentBytesMin);
  db.compact();
  const auto of = db.status().datasets.at("t");
  CHECK(of.segments >= bytes / kSegmentBytesMin);
  CHECK(of.segment_bytes / of.segments <= kSegmentBytesMin + kSegmentBytesMin / 8);
  CHECK(db.compact().joined_segments == 0);
}

TEST_CASE("spread: the log keeps the sizes, and refuses those that are none") {
  Database db = open_small();
  Schema schema = sensors();
  schema.segments = {.bytes = 5 << 20, .spread = 7};
  db.create_table("t", schema);
  CHECK(db.table("t").schema()->segments == schema.segments);
  for (const SegmentSizes bad :
       {SegmentSizes{.bytes = 5}, SegmentSizes{.spread = 0}, SegmentSizes{.spread = kSpreadMax + 1},
        SegmentSizes{.bytes = kSegmentBytesMax + 1}}) {
    schema.segments = bad;
    CHECK_THROWS_WITH_AS(db.create_table("bad", schema), doctest::Contains("; give "), Error);
  }
}

}  // namespace otolith::test
