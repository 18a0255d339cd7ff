#include "scan/statistics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/limits.h"
#include "model/decimals.h"
#include "model/exact_sum.h"
#include "test/budget.h"
#include "test/scan_world.h"

namespace otolith::scan {

namespace {

using sample_world::kDataset;
using sample_world::PlainSnapshot;
using sample_world::World;
using segment::sample::Row;
namespace sample = segment::sample;

template <typename T>
T as_bound(const T& value) {
  return value;
}
Int128 as_bound(Decimal units) { return model::int128_of(units); }

// Row by row, as the header says it.
ColumnTotals by_hand(Type type, const std::vector<test::Cell>& cells) {
  ColumnTotals out{.type = type, .values = 0, .nulls = 0, .min = {}, .max = {}, .sum = {}};
  Int128 whole = 0;
  model::ExactSum real;
  for (const test::Cell& cell : cells) {
    if (!cell) {
      ++out.nulls;
      continue;
    }
    ++out.values;
    std::visit(
        [&](const auto& stored) {
          const auto value = as_bound(stored);
          using T = std::remove_const_t<decltype(value)>;
          constexpr bool units = std::is_same_v<T, Int128>;
          if constexpr (units || std::is_integral_v<T>) whole += value;
          if constexpr (std::is_same_v<T, double>) real.add(value);
          if constexpr (std::is_same_v<T, double>) {
            if (std::isnan(value)) return;
          }
          const bool first = std::holds_alternative<std::monostate>(out.min);
          if (first || value < std::get<T>(out.min)) out.min = value;
          if (first || value > std::get<T>(out.max)) out.max = value;
        },
        *cell);
  }
  const bool real_type = type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
  if (real_type)
    out.sum = real.rounded();
  else if (!model::is_text(type))
    out.sum = whole;
  return out;
}

bool same_sum(const Sum& a, const Sum& b) {
  const double* left = std::get_if<double>(&a);
  const double* right = std::get_if<double>(&b);
  if (left != nullptr && right != nullptr && std::isnan(*left)) return std::isnan(*right);
  return a == b;
}

void check_same(const ColumnTotals& found, const ColumnTotals& expected) {
  REQUIRE(found.type == expected.type);
  REQUIRE(found.values == expected.values);
  REQUIRE(found.nulls == expected.nulls);
  REQUIRE(found.min == expected.min);
  REQUIRE(found.max == expected.max);
  REQUIRE(same_sum(found.sum, expected.sum));
}

// One commit in one segment of one column of doubles, several pages and row groups long.
struct Doubles : World {
  std::vector<double> values;

  explicit Doubles(std::vector<double> of) : World(1), values(std::move(of)) {
    Schema made;
    made.partition = Partition::none;
    made.columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1},
                    {.name = "x", .type = {TypeKind::float64}, .id = 2}};
    schema = old_schema = std::make_shared<const Schema>(made);
    snapshot = std::make_shared<PlainSnapshot>();
    snapshot->entry = {kDataset, "t", schema};
    std::vector<Row> rows;
    for (const double value : values) rows.push_back({std::int64_t(rows.size()), value});
    snapshot->shown[1] = std::vector<bool>(rows.size(), true);
    auto entry = write_segment(sample::spec_of(schema), {test::batch_of(schema, rows)},
                               {sample::run_of(*schema, rows)});
    entry.begin_first = entry.begin_last = CommitNumber{1};
    snapshot->segment_list = {entry};
  }

  Totals ask(std::optional<Timestamp> start = {}, std::optional<Timestamp> stop = {}) {
    return totals(context(), snapshot, snapshot->entry, {{"x"}, start, stop});
  }
  double exact(std::size_t first, std::size_t end) const {
    model::ExactSum sum;
    for (std::size_t i = first; i < end; ++i) {
      if (snapshot->shown.at(1)[i]) sum.add(values[i]);
    }
    return sum.rounded();
  }
};

std::vector<double> random_doubles(std::uint64_t count) {
  test::Random random(test::seed());
  std::vector<double> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    out.push_back(std::ldexp(static_cast<double>(random() >> 11), -46) - 60);
  }
  return out;
}

}  // namespace

TEST_CASE("totals: any segments, tail, marks, policies and ranges give what brute force gives") {
  const test::Budget budget;
  std::uint64_t cases = 0;
  for (std::uint64_t seed = test::seed(); cases < 1000 || budget.left(); ++seed) {
    CAPTURE(seed);
    World world(seed);
    if (seed % 3 == 0) world.narrow();
    for (int i = 0; i < 5; ++i, ++cases) {
      ReadRequest like = world.random_request();
      like.keys.clear();
      like.limit.reset();
      if (!like.columns) like.columns = world.schema->names();
      std::erase_if(*like.columns, [&](const std::string& name) {  // their sums may not fit
        return world.schema->columns[*world.schema->find(name)].type.precision > 18;
      });
      const std::vector<Row> rows = world.expected(like);
      const Totals found = totals(world.context(), world.snapshot, world.snapshot->entry,
                                  {*like.columns, like.start, like.stop});
      REQUIRE(found.rows == rows.size());
      REQUIRE(found.columns.size() == like.columns->size());
      for (std::size_t column = 0; column < like.columns->size(); ++column) {
        CAPTURE((*like.columns)[column]);
        std::vector<test::Cell> cells;
        for (const Row& row : rows) cells.push_back(row[column]);
        const std::size_t place = *world.schema->find((*like.columns)[column]);
        check_same(found.columns[column], by_hand(world.schema->columns[place].type, cells));
      }
    }
  }
  MESSAGE(cases << " requests from seed " << test::seed());
}

TEST_CASE("totals: whole pages answer from their zone maps, and only the others are read") {
  const std::uint64_t rows = kRowGroupRowsMax + 3 * kPageRowsMax + 11;
  Doubles world(random_doubles(rows));
  const Totals all = world.ask();
  CHECK(all.values_read == 0);
  CHECK(all.rows == rows);
  CHECK(std::get<double>(all.columns[0].sum) == world.exact(0, rows));
  const Totals part = world.ask(Timestamp{100}, Timestamp{kRowGroupRowsMax + 20});
  CHECK(part.values_read == kPageRowsMax - 100 + 20);
  CHECK(std::get<double>(part.columns[0].sum) == world.exact(100, kRowGroupRowsMax + 20));
  world.snapshot->shown[1][kPageRowsMax + 5] = false;  // one row is ended
  const Totals ended = world.ask();
  CHECK(ended.rows == rows - 1);
  CHECK(ended.values_read == kPageRowsMax - 1);
  CHECK(std::get<double>(ended.columns[0].sum) == world.exact(0, rows));
}

TEST_CASE("totals: sums that cancel, tie or overflow on the way are added up exactly") {
  for (const std::vector<double>& values : {std::vector<double>{1e300, 1, -1e300},
                                            {1e308, 1e308, -1e308, -1e308, 2},
                                            {0x1p53, 1},
                                            {1e308, 1e308},
                                            {0.1, -0.1}}) {
    Doubles world(values);
    const Totals found = world.ask();
    CHECK(std::get<double>(found.columns[0].sum) == world.exact(0, values.size()));
    CHECK(found.values_read == values.size());
  }
}

TEST_CASE("totals: NaN and infinities come through, and are no reason to read") {
  const double inf = std::numeric_limits<double>::infinity();
  const auto sum_of = [](std::vector<double> values) {
    const Totals found = Doubles(std::move(values)).ask();
    CHECK(found.values_read == 0);
    return std::get<double>(found.columns[0].sum);
  };
  CHECK(sum_of({1, inf}) == inf);
  CHECK(sum_of({-inf, 1e308, 1e308}) == -inf);
  CHECK(std::isnan(sum_of({-inf, inf})));
  CHECK(std::isnan(sum_of({1, std::nan("")})));
  CHECK(std::isnan(sum_of({std::nan("")})));
}

TEST_CASE("totals: a column that does not exist is refused with the nearest name") {
  Doubles world({1});
  CHECK_THROWS_WITH_AS(
      totals(world.context(), world.snapshot, world.snapshot->entry, {{"tme"}, {}, {}}),
      doctest::Contains("\"time\""), Error);
}

}  // namespace otolith::scan
