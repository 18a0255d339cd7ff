#include "scan/segment_ids.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <unordered_map>

#include "base/hash.h"
#include "model/array.h"
#include "model/wire.h"
#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

constexpr ColumnId kId{1};
constexpr auto kNothing = [](const IdRows&) {};

// Documents of one commit in runs, each sorted by id.
std::shared_ptr<const RowSource> source_of(std::vector<std::vector<std::string>> runs) {
  Schema schema = collection_schema();
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  model::ArrayBuilder id({TypeKind::string});
  model::ArrayBuilder time({TypeKind::timestamp});
  model::ArrayBuilder body({TypeKind::binary});
  model::RowLayout layout;
  std::uint64_t rows = 0;
  for (auto& run : runs) {
    std::ranges::sort(run);
    layout.runs.push_back(model::Run{{0, run.size()}});
    for (const std::string& text : run) {
      id.append_text(text);
      time.append_value(kTimeOfCommit.ns);
      body.append_text("x");
      ++rows;
    }
  }
  const Batch batch{std::make_shared<const Schema>(std::move(schema)),
                    rows,
                    {id.finish(), time.finish(), body.finish()}};
  auto bytes = std::make_shared<const Bytes>(model::wire_encode(batch, layout));
  return tail_source({CommitNumber{1}, rows, std::move(bytes), kTimeOfCommit, kTimeOfCommit},
                     ColumnId{2});
}

// Short ones and long ones, which do not stand in the table.
std::string id_of(std::uint64_t number) {
  return "id" + std::to_string(number) + std::string(number % 3 * 25, '-');
}

using Places = std::vector<std::pair<std::size_t, std::uint64_t>>;

Places places(const SegmentIds& ids, std::string_view id) {
  Places out;
  ids.each(id, SegmentIds::hash_of(id), kNothing, [&](const IdRows& rows) {
    for (std::uint64_t i = 0; i < rows.count; ++i) out.emplace_back(rows.piece, rows.first + i);
    return true;
  });
  std::ranges::sort(out);
  return out;
}

}  // namespace

TEST_CASE("segment ids: every row of an id is found, and none of another") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<std::string>> runs(1 + random() % 4);
    for (auto& run : runs) {
      const std::uint64_t rows = 1 + random() % 300;
      for (std::uint64_t row = 0; row < rows; ++row) run.push_back(id_of(random() % 200));
    }
    const auto source = source_of(runs);
    const auto ids = SegmentIds::of(source, kId, 1 << 20);
    REQUIRE(ids != nullptr);
    std::map<std::string, Places> truth;
    for (std::size_t piece = 0; piece < source->pieces().size(); ++piece) {
      const Array texts = source->values(piece, kId, 0, source->pieces()[piece].rows);
      for (std::uint64_t row = 0; row < texts.length; ++row)
        truth[std::string(texts.text(row))].emplace_back(piece, row);
    }
    for (std::uint64_t id = 0; id < 210; ++id) {
      const std::string text = id_of(id);
      REQUIRE(places(*ids, text) == truth[text]);
    }
    REQUIRE(places(*ids, "").empty());
  }
}

TEST_CASE("segment ids: a few long ids among short ones all have room, however they fall") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> run;
    const std::uint64_t shorts = 60 + random() % 200;
    const std::uint64_t longs = 1 + random() % (shorts / 30);
    for (std::uint64_t i = 0; i < shorts; ++i)
      run.push_back({static_cast<char>('a' + i / 26), static_cast<char>('a' + i % 26)});
    for (std::uint64_t i = 0; i < longs; ++i)  // put last: they sort first
      run.push_back(std::string(20, '0') + std::to_string(1'000'000'000'000'000 + random() % 1000));
    const std::string last = run.back();
    const auto ids = SegmentIds::of(source_of({run}), kId, 1 << 20);
    REQUIRE(ids != nullptr);
    REQUIRE_FALSE(places(*ids, last).empty());
    REQUIRE_FALSE(places(*ids, run.front()).empty());
  }
}

TEST_CASE("segment ids: a thousand revisions of one id are one place to look at") {
  std::vector<std::string> run(1000, "a");
  run.emplace_back("b");
  const auto ids = SegmentIds::of(source_of({run}), kId, 1 << 20);
  std::vector<IdRows> found;
  ids->each("a", SegmentIds::hash_of("a"), kNothing, [&](const IdRows& rows) {
    found.push_back(rows);
    return true;
  });
  REQUIRE(found.size() == 1);
  CHECK(found.front().count == 1000);
  CHECK(places(*ids, "b") == Places{{0, 1000}});
}

TEST_CASE("segment ids: an id of the same hash is not found for another") {
  // Some have the first 33 bits of their hashes in common: all that a table of one row looks at.
  std::unordered_map<std::uint64_t, std::string> by_hash;
  int pairs = 0;
  for (int i = 0; i < 400'000; ++i) {
    const std::string id = "id " + std::to_string(i);
    const std::uint64_t hash = SegmentIds::hash_of(id);
    const auto [other, fresh] = by_hash.try_emplace(hash >> 31, id);
    if (fresh) continue;
    const auto ids = SegmentIds::of(source_of({{id}}), kId, 1 << 20);
    CHECK(places(*ids, id) == Places{{0, 0}});
    CHECK(places(*ids, other->second).empty());
    ++pairs;
  }
  CHECK(pairs != 0);
}

TEST_CASE("segment ids: hashes are this process's own, and nobody can choose ids by them") {
  for (const char* id : {"", "a", "a longer id than the others have, which xxh3 takes in pieces"})
    CHECK(SegmentIds::hash_of(id) != xxh3(as_bytes_view(id)));
}

TEST_CASE("segment ids: what takes more than it may is not made") {
  std::vector<std::string> run;
  for (int i = 0; i < 1000; ++i) run.push_back("document " + std::to_string(i));
  const auto source = source_of({run});
  const auto ids = SegmentIds::of(source, kId, 1 << 20);
  REQUIRE(ids != nullptr);
  CHECK(ids->memory() >= 1000 * (12 + 10) * 3 / 2);
  CHECK(SegmentIds::of(source, kId, ids->memory() + 1) != nullptr);
  CHECK(SegmentIds::of(source, kId, 1000) == nullptr);
  CHECK(SegmentIds::of(source, kId, 1000 * (12 + 5) * 3 / 2) == nullptr);
}

}  // namespace otolith::scan
