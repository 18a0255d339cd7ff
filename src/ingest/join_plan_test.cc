#include "ingest/join_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>

#include "base/limits.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith::ingest {

namespace {

history::SegmentEntry segment(std::uint64_t begin, std::uint64_t rows, std::uint64_t bytes = 1) {
  history::SegmentEntry entry;
  store_le(entry.ref.id.bytes.data(), begin);
  entry.ref.rows = rows;
  entry.ref.bytes = bytes;
  entry.begin_first = entry.begin_last = CommitNumber{begin};
  return entry;
}

history::SegmentEntry joined(const JoinGroup& group) {
  history::SegmentEntry out = group.front();
  for (std::size_t i = 1; i < group.size(); ++i) {
    out.ref.rows += group[i].ref.rows;
    out.ref.bytes += group[i].ref.bytes;
    out.begin_last = std::max(out.begin_last, group[i].begin_last);
  }
  out.many = true;
  return out;
}

// Joins until there is nothing left to join; adds up what was written for that.
std::uint64_t compact(JoinGroup& segments, std::size_t together_max = kJoinSegmentsMax) {
  std::uint64_t written = 0;
  for (auto plan = join_plan(segments, together_max); !plan.empty();
       plan = join_plan(segments, together_max)) {
    for (const JoinGroup& group : plan) {
      REQUIRE(group.size() > 1);
      REQUIRE(group.size() <= together_max);
      std::erase_if(segments, [&](const auto& entry) {
        return std::ranges::any_of(group, [&](const auto& g) { return g.ref.id == entry.ref.id; });
      });
      segments.push_back(joined(group));
      written += segments.back().ref.rows;
    }
  }
  return written;
}

}  // namespace

TEST_CASE("join plan: hundreds of small segments become few, in any order, and then nothing is") {
  JoinGroup segments;
  for (std::uint64_t i = 300; i > 0; --i) segments.push_back(segment(i, 1000));
  compact(segments);
  CHECK(segments.size() <= 4);
  CHECK(join_plan(segments, kJoinSegmentsMax).empty());
  std::uint64_t rows = 0;
  for (const auto& entry : segments) rows += entry.ref.rows;
  CHECK(rows == 300'000);
}

TEST_CASE("join plan: large segments are left alone, by rows and by bytes") {
  CHECK(join_plan({}, 9).empty());
  CHECK(join_plan({segment(1, 5)}, 9).empty());
  CHECK(join_plan({segment(1, kJoinRowsMax), segment(2, kJoinRowsMax)}, 9).empty());
  CHECK(join_plan({segment(1, 5, kJoinBytesMax), segment(2, 5, kJoinBytesMax)}, 9).empty());
  const auto around = join_plan({segment(1, 5), segment(2, kJoinRowsMax), segment(3, 5)}, 9);
  REQUIRE(around.size() == 1);
  CHECK(around[0].size() == 2);
  CHECK(around[0][1].begin_first == CommitNumber{3});
}

TEST_CASE("join plan: no more are joined at once than may be, and all are in the end") {
  for (const std::size_t together_max : {2u, 3u, 7u}) {
    JoinGroup segments;
    for (std::uint64_t i = 1; i <= 100; ++i) segments.push_back(segment(i, 10));
    compact(segments, together_max);
    CHECK(segments.size() <= 7);
  }
}

TEST_CASE("join plan: a load a day, compacted each day, is written a few times in all") {
  constexpr std::uint64_t days = 365;
  constexpr std::uint64_t rows = 50'000;
  JoinGroup segments;
  std::uint64_t written = 0;
  std::size_t most = 0;
  for (std::uint64_t day = 1; day <= days; ++day) {
    segments.push_back(segment(day, rows));
    written += compact(segments);
    most = std::max(most, segments.size());
  }
  MESSAGE("written again ", static_cast<double>(written) / (days * rows), " times, at most ", most,
          " segments");
  CHECK(written < 6 * days * rows);
  CHECK(most <= 12);
}

TEST_CASE("join plan: whatever the sizes, small ones halve from the oldest on") {
  test::Random random(test::seed());
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    JoinGroup segments;
    for (std::uint64_t i = 1, count = test::below(random, 80); i <= count; ++i)
      segments.push_back(segment(i, 1 + (test::below(random, 1u << test::below(random, 24)))));
    compact(segments, 2 + test::below(random, 30));
    REQUIRE(join_plan(segments, kJoinSegmentsMax).empty());
    std::erase_if(segments, [](const auto& entry) { return entry.ref.rows >= kJoinRowsMax; });
    std::ranges::sort(segments, {}, &history::SegmentEntry::begin_first);
    for (std::size_t i = 1; i < segments.size(); ++i)
      REQUIRE(segments[i - 1].ref.rows >= 2 * segments[i].ref.rows);
  }
}

namespace {

// What one join made of the present, of so many rows each.
JoinGroup siblings(std::uint64_t first, std::uint64_t last, std::uint64_t files,
                   std::uint64_t rows) {
  JoinGroup out;
  for (std::uint64_t i = 0; i < files; ++i) {
    out.push_back(segment(1000 * first + i, rows));
    out.back().begin_first = CommitNumber{first};
    out.back().begin_last = out.back().base = CommitNumber{last};
    out.back().many = true;
    out.back().side = history::Side::present;
  }
  return out;
}

}  // namespace

TEST_CASE("join plan: siblings count as one segment, and are joined together") {
  const SegmentSizes four{.bytes = 0, .spread = 4};
  JoinGroup segments = siblings(1, 9, 4, 100'000);
  CHECK(siblings_of(segments).size() == 1);
  CHECK(join_plan(segments, kJoinSegmentsMax, four).empty());  // as they are wanted
  CHECK_FALSE(worth_cutting_anew(segments, four));
  segments.push_back(segment(10, 100'000));  // a quarter of them all
  CHECK(join_plan(segments, kJoinSegmentsMax, four).empty());
  segments.push_back(segment(11, 150'000));
  const auto plan = join_plan(segments, kJoinSegmentsMax, four);
  REQUIRE(plan.size() == 1);
  CHECK(plan[0].size() == 6);
  CHECK(join_plan(segments, 5, four).size() == 1);  // the two that are no siblings
  CHECK(join_plan(segments, 5, four)[0].size() == 2);
}

TEST_CASE(
    "join plan: a dataset becomes as many files as its sizes ask for, where rows are enough") {
  CHECK(pieces_of(1'000'000, 1ull << 40, {}) == 1);
  CHECK(pieces_of(1'000'000, 1 << 20, {.bytes = 0, .spread = 8}) == 8);
  CHECK(pieces_of(3 * kSpreadRowsMin, 1 << 20, {.bytes = 0, .spread = 8}) == 3);
  CHECK(pieces_of(5, 100, {.bytes = 0, .spread = 8}) == 1);
  CHECK(pieces_of(0, 0, {.bytes = 0, .spread = 8}) == 1);
  CHECK(pieces_of(1'000'000, 10'000'001, {.bytes = 2'000'000, .spread = 2}) == 6);
  CHECK(pieces_of(UINT64_MAX, UINT64_MAX / 2, {.bytes = 1, .spread = 1}) == kSpreadMax);
}

TEST_CASE("join plan: segments are cut or joined anew where they are far from what is asked") {
  const SegmentSizes sizes{.bytes = 10 << 20, .spread = 1};
  CHECK_FALSE(worth_cutting_anew({segment(1, 1'000'000, 15 << 20)}, sizes));
  CHECK(worth_cutting_anew({segment(1, 1'000'000, 20 << 20)}, sizes));
  CHECK_FALSE(worth_cutting_anew({segment(1, 1'000'000, 1ull << 40)}, {}));
  CHECK(worth_cutting_anew({segment(1, 1'000'000)}, {.bytes = 0, .spread = 2}));
  CHECK_FALSE(worth_cutting_anew(siblings(1, 9, 2, 500'000), {.bytes = 0, .spread = 3}));
  CHECK(worth_cutting_anew(siblings(1, 9, 4, 500'000), {.bytes = 0, .spread = 2}));
  CHECK_FALSE(worth_cutting_anew({segment(1, 5)}, {.bytes = 0, .spread = 128}));
  CHECK(join_plan({segment(1, 5, 6 << 20), segment(2, 5, 6 << 20)}, 9, sizes).size() == 1);
  CHECK(join_plan({segment(1, 5, 10 << 20), segment(2, 5, 10 << 20)}, 9, sizes).empty());
}

}  // namespace otolith::ingest
