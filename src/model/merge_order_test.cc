#include "model/merge_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "test/budget.h"

namespace otolith::model {

namespace {

struct Row {
  std::int64_t time;
  std::uint64_t rank, begin, ordinal;
  std::uint32_t source;
  std::uint64_t at;
  auto order() const { return std::tuple(time, rank, begin, ordinal, source, at); }
};

struct Columns {
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> begins, ordinals;
};

}  // namespace

TEST_CASE("merge order: rows come by time, and equal times in stored order") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::vector<Columns> columns(random() % 7);
    std::vector<MergeSource> sources;
    std::vector<Row> rows;
    for (Columns& c : columns) {
      const bool sealed = random() % 2 == 0;
      std::vector<std::tuple<std::int64_t, std::uint64_t, std::uint64_t>> own(random() % 30);
      for (auto& row : own)
        row = {static_cast<std::int64_t>(random() % 10), random() % 4, random() % 50};
      std::ranges::sort(own);
      MergeSource source{
          .key_rank = random() % 3, .begin = CommitNumber{random() % 4}, .ordinal = random() % 9};
      for (const auto& [time, begin, ordinal] : own) {
        c.times.push_back(time);
        c.begins.push_back(begin);
        c.ordinals.push_back(ordinal);
      }
      source.times = c.times;
      if (sealed) {
        source.begins = c.begins;
        source.ordinals = c.ordinals;
      }
      const auto number = static_cast<std::uint32_t>(sources.size());
      for (std::uint64_t i = 0; i < own.size(); ++i) {
        rows.push_back({c.times[i], source.key_rank, sealed ? c.begins[i] : value_of(source.begin),
                        sealed ? c.ordinals[i] : source.ordinal + i, number, i});
      }
      sources.push_back(source);
    }
    std::ranges::sort(rows, {}, &Row::order);
    std::size_t at = 0;
    const auto pieces = merge_order(sources);
    for (std::size_t p = 0; p < pieces.size(); ++p) {
      if (p > 0) REQUIRE(pieces[p - 1].source != pieces[p].source);
      for (std::uint64_t i = 0; i < pieces[p].count; ++i, ++at) {
        REQUIRE(at < rows.size());
        REQUIRE(rows[at].source == pieces[p].source);
        REQUIRE(rows[at].at == pieces[p].first + i);
      }
    }
    REQUIRE(at == rows.size());
  }
}

TEST_CASE("merge order: sources that do not overlap cost one piece each") {
  const std::vector<std::int64_t> early{1, 2, 3};
  const std::vector<std::int64_t> late{3, 4, 5};
  const std::vector<MergeSource> sources{{.times = late, .begin = CommitNumber{2}},
                                         {.times = early, .begin = CommitNumber{1}}};
  CHECK(merge_order(sources) == std::vector<MergePiece>{{1, 0, 3}, {0, 0, 3}});
}

}  // namespace otolith::model
