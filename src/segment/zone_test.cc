#include "segment/zone.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/exact_sum.h"
#include "test/budget.h"
#include "test/rows.h"

namespace otolith::segment {

namespace {

Array texts(const std::vector<std::string>& values) {
  model::ArrayBuilder builder({TypeKind::string});
  for (const std::string& value : values) builder.append_text(value);
  return builder.finish();
}

Array doubles(const std::vector<double>& values) {
  model::ArrayBuilder builder({TypeKind::float64});
  for (const double value : values) builder.append_value(value);
  return builder.finish();
}

// A column of integers as in the file, nulls in between.
template <typename T>
Array integers(test::Random& random, TypeKind kind, std::uint64_t rows, T from, T to, bool nulls) {
  model::ArrayBuilder builder({kind});
  const auto span = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  for (std::uint64_t row = 0; row < rows; ++row) {
    if (nulls && test::below(random, 3) == 0) {
      builder.append_null();
    } else {
      const std::uint64_t above = span == UINT64_MAX ? random() : test::below(random, span + 1);
      builder.append_value(static_cast<T>(static_cast<std::uint64_t>(from) + above));
    }
  }
  return builder.finish();
}

template <typename T>
Int128 plain_sum(const Array& rows) {
  Int128 out = 0;
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (!rows.is_null(row)) out += rows.value<T>(row);
  }
  return out;
}

// "Sums" in docs/format/segment.md, word for word.
model::DoubleSum page_sum(const Array& rows) {
  double sum[8] = {};
  double lost[8] = {};
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (rows.is_null(row) || !std::isfinite(rows.value<double>(row))) continue;
    const model::DoubleSum next = model::two_sum(sum[row % 8], rows.value<double>(row));
    sum[row % 8] = next.high;
    lost[row % 8] += next.low;
  }
  model::DoubleSum out;
  for (int lane = 0; lane < 8; ++lane) {
    out = model::sum_add(out, model::two_sum(sum[lane], lost[lane]));
  }
  return out;
}

constexpr Type kText{TypeKind::string};
constexpr Type kDouble{TypeKind::float64};

}  // namespace

TEST_CASE("zone: a text longer than the bounds is within them, and so is all that begins like it") {
  const std::string z16(16, 'z');
  const Zone zone = zone_of(texts({z16 + "and more", "a" + z16}));
  CHECK(zone_may_hold(zone, z16 + "and more"));
  CHECK(zone_may_hold(zone, z16 + "zzz"));
  CHECK(zone_may_hold(zone, "a" + z16));
  CHECK_FALSE(zone_may_hold(zone, "{"));
  CHECK_FALSE(zone_may_hold(zone, "a"));
}

TEST_CASE(
    "zone: a text of greatest bytes has no upper bound, a raised one keeps what is below it") {
  const std::string ff20(20, '\xff');
  const Zone open = zone_of(texts({"a", ff20}));
  CHECK((open.flags & kZoneMaxOpen) != 0);
  CHECK(zone_may_hold(open, ff20 + ff20));
  const Zone raised = zone_of(texts({"a" + ff20}));
  CHECK((raised.flags & kZoneMaxCut) != 0);
  CHECK(zone_may_hold(raised, "a" + ff20));
  CHECK_FALSE(zone_may_hold(raised, "b0"));
  Zone both = raised;
  zone_merge(both, open, kText);
  CHECK(zone_may_hold(both, ff20));
  zone_merge(both, raised, kText);
  CHECK(zone_may_hold(both, ff20));
}

TEST_CASE("zone: NaN and nulls are no bounds, infinities are") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const Zone none = zone_of(doubles({nan, nan}));
  CHECK_FALSE(none.has_bounds());
  CHECK((none.flags & kZoneHasNan) != 0);
  Zone some = zone_of(doubles({nan, 2.5, -1}));
  CHECK(some.min_as<double>() == -1);
  CHECK(some.max_as<double>() == 2.5);
  zone_merge(some, zone_of(doubles({-inf, 0})), kDouble);
  CHECK(some.min_as<double>() == -inf);
  CHECK(some.max_as<double>() == 2.5);
  CHECK((some.flags & kZoneHasNan) != 0);
}

TEST_CASE("zone: a float bound that is zero is 0.0, wherever zeros of either sign stand") {
  const auto bytes_of = [](const auto& zeros, TypeKind kind, bool nulls) {
    model::ArrayBuilder builder({kind});
    for (const auto zero : zeros) builder.append_value(zero);
    if (nulls) builder.append_null();
    ByteWriter out;
    const Zone zone = zone_of(builder.finish());
    CHECK_FALSE(std::signbit(zone.min_as<double>()));
    CHECK_FALSE(std::signbit(zone.max_as<double>()));
    zone_write(out, zone);
    return out.take();
  };
  std::mt19937_64 random(test::seed());
  for (const bool nulls : {false, true}) {
    const Bytes wanted = bytes_of(std::vector<double>(20, 0.0), TypeKind::float64, nulls);
    const Bytes narrow = bytes_of(std::vector<float>(20, 0.0f), TypeKind::float32, nulls);
    for (int round = 0; round < 100; ++round) {
      std::vector<double> zeros(20);
      for (double& zero : zeros) zero = round == 0 || random() % 2 == 0 ? -0.0 : 0.0;
      REQUIRE(bytes_of(zeros, TypeKind::float64, nulls) == wanted);
      REQUIRE(bytes_of(std::vector<float>(zeros.begin(), zeros.end()), TypeKind::float32, nulls) ==
              narrow);
    }
  }
}

TEST_CASE("zone: sums of integers are exact, at the ends of their range and across zero") {
  test::Random random(5);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const std::uint64_t rows = 1 + test::below(random, i % 20 == 0 ? kPageRowsMax : 100);
    const bool nulls = i % 2 == 0;
    const auto near = static_cast<std::int64_t>(random() >> (1 + test::below(random, 60)));
    for (const auto& [from, to] : {std::pair{INT64_MIN, INT64_MAX},
                                   {INT64_MAX - near, INT64_MAX},
                                   {INT64_MIN, INT64_MIN + near},
                                   {-near, near}}) {
      const Array wide = integers(random, TypeKind::int64, rows, from, to, nulls);
      REQUIRE(zone_of(wide).sum_integer() == plain_sum<std::int64_t>(wide));
    }
    const Array top = integers<std::uint64_t>(random, TypeKind::uint64, rows,
                                              UINT64_MAX - random() / 2, UINT64_MAX, nulls);
    REQUIRE(zone_of(top).sum_integer() == plain_sum<std::uint64_t>(top));
    const Array bytes = integers<std::int8_t>(random, TypeKind::int8, rows, -128, 127, nulls);
    REQUIRE(zone_of(bytes).sum_integer() == plain_sum<std::int8_t>(bytes));
  }
}

TEST_CASE(
    "zone: sums of floats are those the format page describes, to the bit, and nearly exact") {
  test::Random random(6);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    model::ArrayBuilder builder(kDouble);
    model::ExactSum exact;
    const std::uint64_t odd = test::below(random, 4);  // nothing, nulls, NaN and infinities, both
    for (std::uint64_t row = 0, rows = 1 + test::below(random, 3000); row < rows; ++row) {
      const double value = odd >= 2 && test::below(random, 50) == 0
                               ? std::get<double>(test::random_float(random, false))
                               : std::ldexp(static_cast<double>(random()), -40) - 1e6;
      if (odd % 2 == 1 && test::below(random, 9) == 0) {
        builder.append_null();
      } else {
        builder.append_value(value);
        if (std::isfinite(value)) exact.add(value);
      }
    }
    const Array rows = builder.finish();
    const Zone zone = zone_of(rows);
    REQUIRE(zone.has_sum());
    REQUIRE(zone.sum_float() == page_sum(rows));
    REQUIRE(zone.sum_float().high == exact.rounded());
  }
}

TEST_CASE("zone: a float sum beyond any double is left out, and stays out when zones meet") {
  Zone zone = zone_of(doubles({1e308, 1e308}));
  CHECK_FALSE(zone.has_sum());
  zone_merge(zone, zone_of(doubles({1})), kDouble);
  CHECK_FALSE(zone.has_sum());
  Zone half = zone_of(doubles({1e308}));
  CHECK(half.has_sum());
  zone_merge(half, half, kDouble);
  CHECK_FALSE(half.has_sum());
  CHECK(half.sum == Zone{}.sum);
}

TEST_CASE("zone: bounds of any rows hold each of them, merged from pages as from all at once") {
  test::Random random(11);
  for (int i = 0; i < 2000; ++i) {
    CAPTURE(i);
    const Column column{.name = "c",
                        .type = test::kAllTypes[test::below(random, std::size(test::kAllTypes))]};
    model::ArrayBuilder builder(column.type);
    for (std::uint64_t row = 0, rows = 1 + test::below(random, 40); row < rows; ++row) {
      test::append_cell(builder, column.type, test::random_cell(random, column));
    }
    const Array all = builder.finish();
    const std::uint64_t half = all.length / 2;
    Zone merged = zone_of(model::array_slice(all, 0, half));
    zone_merge(merged, zone_of(model::array_slice(all, half, all.length - half)), column.type);
    if (column.type.kind != TypeKind::float32 && column.type.kind != TypeKind::float64) {
      Zone parts = merged;
      Zone whole = zone_of(all);  // sums of floats are rounded
      if (!merged.has_sum() ||
          !whole.has_sum()) {  // a part passed 128 bits, or the other way round
        REQUIRE(column.type.precision > 18);
        whole.sum = parts.sum;
        whole.flags = static_cast<std::uint8_t>(whole.flags | kZoneNoSum);
        parts.flags = static_cast<std::uint8_t>(parts.flags | kZoneNoSum);
      }
      REQUIRE(parts == whole);
    }
    REQUIRE(merged.null_count == all.null_count);
    for (std::uint64_t row = 0; row < all.length; ++row) {
      const test::Cell cell = test::cell_of(all, row);
      if (!cell) continue;
      if (const auto* text = std::get_if<std::string>(&*cell))
        REQUIRE(zone_may_hold(merged, *text));
      if (const auto* n = std::get_if<std::int64_t>(&*cell))
        REQUIRE(zone_may_hold(merged, column.type, *n));
      if (const auto* n = std::get_if<std::uint64_t>(&*cell))
        REQUIRE(zone_may_hold(merged, column.type, *n));
      if (const auto* units = std::get_if<Decimal>(&*cell)) REQUIRE(zone_may_hold(merged, *units));
    }
    ByteWriter out;
    zone_write(out, merged);
    REQUIRE(out.size() == kZoneBytes);
    ByteReader in(out.view());
    REQUIRE(zone_parse(in, column.type) == merged);
  }
}

TEST_CASE("zone: what lies outside of decimals and booleans is not held") {
  const Type price{TypeKind::decimal, 38, 2};
  model::ArrayBuilder units(price);
  units.append_null();
  for (const std::int64_t value : {-5, 7, 3}) units.append_value(decimal_of(value));
  const Zone zone = zone_of(units.finish());
  CHECK(zone_may_hold(zone, decimal_of(-5)));
  CHECK(zone_may_hold(zone, decimal_of(7)));
  CHECK_FALSE(zone_may_hold(zone, decimal_of(-6)));
  CHECK_FALSE(zone_may_hold(zone, decimal_of(8)));
  CHECK_FALSE(zone_may_hold(zone, Decimal{7, 1}));
  CHECK_FALSE(zone_may_hold(zone_of(model::array_of_nulls(price, 3)), decimal_of(0)));
  model::ArrayBuilder truths({TypeKind::boolean});
  truths.append_value(std::uint8_t{1});
  const Zone always = zone_of(truths.finish());
  CHECK(zone_may_hold(always, {TypeKind::boolean}, std::uint64_t{1}));
  CHECK_FALSE(zone_may_hold(always, {TypeKind::boolean}, std::uint64_t{0}));
}

}  // namespace otolith::segment
