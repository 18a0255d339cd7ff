#include "ingest/join_rows.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "ingest/many.h"
#include "model/array.h"
#include "model/wire.h"
#include "test/budget.h"
#include "test/segments.h"

namespace otolith::ingest {

namespace {

namespace sample = segment::sample;
using test::Random;
using test::Row;

// Commits of rows in the tail's form: as well a source as any.
struct Commits {
  std::shared_ptr<const Schema> schema;
  std::vector<JoinSource> sources;
  std::vector<Row> expected;  // those wanted, with begin and ordinal as last cells
  Random* choose = nullptr;   // leaves half of the rows out; null: all are wanted

  void add(std::uint64_t begin, std::vector<std::vector<Row>> runs) {
    std::vector<Row> rows;
    model::RowLayout layout;
    for (std::vector<Row>& run : runs) {
      sample::sort_run(*schema, run);
      layout.runs.push_back(sample::run_of(*schema, run));
      rows.insert(rows.end(), run.begin(), run.end());
    }
    auto bytes =
        std::make_shared<const Bytes>(model::wire_encode(test::batch_of(schema, rows), layout));
    history::TailEntry entry{.begin = CommitNumber{begin},
                             .rows = rows.size(),
                             .bytes = bytes,
                             .time_min = {},
                             .time_max = {}};
    const ColumnId time{schema->columns[schema->time_index()].id};
    JoinSource& of = sources.emplace_back(scan::tail_source(entry, time), std::vector<RowSet>());
    of.rows.resize(of.source->pieces().size());
    for (std::uint64_t i = 0, piece = 0; i < rows.size(); ++i) {
      const auto& pieces = of.source->pieces();
      while (i >= pieces[piece].first_ordinal + pieces[piece].rows) ++piece;
      if (choose != nullptr && test::below(*choose, 2) == 0) continue;
      of.rows[piece].append({i - pieces[piece].first_ordinal, 1});
      Row row = rows[i];
      row.emplace_back(test::Value(begin));
      row.emplace_back(test::Value(i));
      expected.push_back(std::move(row));
    }
  }

  bool stored_before(const Row& a, const Row& b) const {
    if (sample::stored_before(*schema, a, b)) return true;
    if (sample::stored_before(*schema, b, a)) return false;
    const auto id = [](const Row& row) {
      return std::pair(std::get<std::uint64_t>(*row[row.size() - 2]),
                       std::get<std::uint64_t>(*row.back()));
    };
    return id(a) < id(b);
  }
};

// A schema whose last two columns are the row ids, so that batches can be looked at.
std::shared_ptr<const Schema> with_ids(const Schema& schema) {
  Schema out = schema;
  for (const char* name : {"begin", "ordinal"})
    out.columns.push_back({.name = name, .type = {TypeKind::uint64}, .nullable = false});
  return std::make_shared<const Schema>(std::move(out));
}

std::vector<Row> random_rows(Random& random, const Schema& schema, std::uint64_t most) {
  std::vector<Row> out;
  for (std::uint64_t i = 1 + test::below(random, most); i-- > 0;)
    out.push_back(sample::random_row(random, schema, 30 * sample::kHour));
  return out;
}

}  // namespace

TEST_CASE(
    "join: rows of many runs come in stored order with their ids, whatever the windows hold") {
  const test::Budget budget;
  std::uint64_t rounds = 0;
  for (std::uint64_t seed = test::seed(); rounds < 30 || budget.left(); ++seed, ++rounds) {
    CAPTURE(seed);
    Random random(seed);
    Commits commits;
    commits.schema = sample::random_schema(random);
    if (rounds % 3 != 0) commits.choose = &random;
    // Sometimes more rows than the smallest window has.
    const std::uint64_t most = rounds % 4 == 0 ? 900 : 30;
    for (std::uint64_t begin = 3, end = 4 + test::below(random, 8); begin < end; ++begin) {
      std::vector<std::vector<Row>> runs;
      for (std::uint64_t i = 1 + test::below(random, 3); i-- > 0;)
        runs.push_back(random_rows(random, *commits.schema, most));
      commits.add(begin, std::move(runs));
    }
    std::ranges::shuffle(commits.sources, random);
    const std::uint64_t window_bytes = rounds % 2 == 0 ? 1 : 1 << 30;
    const JoinRows joined(commits.sources, commits.schema, window_bytes);
    std::vector<Row> rows;
    joined.write([&](const Batch& batch) {
      Batch seen = batch;
      seen.schema = with_ids(*commits.schema);
      REQUIRE(batch.rows <= kRowGroupRowsMax);
      for (Row& row : test::rows_of(seen)) rows.push_back(std::move(row));
    });
    std::ranges::sort(commits.expected,
                      [&](const Row& a, const Row& b) { return commits.stored_before(a, b); });
    REQUIRE(test::same_rows(rows, commits.expected));
    REQUIRE(joined.run() == sample::run_of(*commits.schema, commits.expected));
  }
  MESSAGE(rounds, " joins from seed ", test::seed());
}

TEST_CASE("join: a column has the widest of the types it was stored in, and stays when dropped") {
  const Schema newest{.columns = {{"time", {TypeKind::timestamp}, false, 1, "", {}},
                                  {"x", {TypeKind::int32}, true, 2, "", {}}}};
  const std::vector<StoredType> stored{{ColumnId{2}, {TypeKind::int8}},
                                       {ColumnId{2}, {TypeKind::int64}},
                                       {ColumnId{7}, {TypeKind::string}},
                                       {ColumnId{1}, {TypeKind::timestamp}}};
  const auto schema = schema_of_all(newest, stored);
  REQUIRE(schema->columns.size() == 3);
  CHECK(schema->columns[1].type == Type{TypeKind::int64});
  CHECK(schema->columns[2].id == 7);
  CHECK(schema->columns[2].type == Type{TypeKind::string});
  const std::vector<StoredType> odd{{ColumnId{2}, {TypeKind::string}}};
  CHECK_THROWS_AS(schema_of_all(newest, odd), Error);
}

TEST_CASE("join: a sample of texts is from all over the rows, and of long ones a few") {
  Schema schema = collection_schema();
  for (std::uint32_t i = 0; i < schema.columns.size(); ++i) schema.columns[i].id = i + 1;
  constexpr std::size_t kBody = 2;
  const auto sampled = [&](std::size_t rows, std::size_t bytes) {
    Commits commits{
        .schema = std::make_shared<const Schema>(schema), .sources = {}, .expected = {}};
    std::vector<Row> run;
    for (std::size_t i = 0; i < rows; ++i) {
      run.push_back({fmt::format("{:06}", i), test::Value(std::int64_t{0}),
                     fmt::format("{:06}", i) + std::string(bytes, 'x')});
    }
    commits.add(1, {run});
    return JoinRows(commits.sources, commits.schema, 1 << 20).sample(kBody);
  };
  const Array all_over = sampled(20'000, 10);
  CHECK(all_over.length > 1000);
  CHECK(all_over.length < 3000);
  CHECK(all_over.text(0).starts_with("000000"));
  CHECK(all_over.text(all_over.length - 1) > "019000");
  const Array few = sampled(300, 200'000);  // 60 MB of them
  CHECK(few.length >= 2);
  CHECK(model::text_bytes(few) < (10 << 20));
}

}  // namespace otolith::ingest
