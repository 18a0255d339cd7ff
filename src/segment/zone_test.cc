#include "segment/zone.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/error.h"
#include "model/array.h"
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

TEST_CASE("zone: bounds of any rows hold each of them, merged from pages as from all at once") {
  test::Random random(11);
  for (int i = 0; i < 2000; ++i) {
    CAPTURE(i);
    const Column column{.name = "c",
                        .type = {test::kAllKinds[test::below(random, std::size(test::kAllKinds))]}};
    model::ArrayBuilder builder(column.type);
    for (std::uint64_t row = 0, rows = 1 + test::below(random, 40); row < rows; ++row) {
      test::append_cell(builder, column.type, test::random_cell(random, column));
    }
    const Array all = builder.finish();
    const std::uint64_t half = all.length / 2;
    Zone merged = zone_of(model::array_slice(all, 0, half));
    zone_merge(merged, zone_of(model::array_slice(all, half, all.length - half)), column.type);
    if (column.type.kind != TypeKind::float32 && column.type.kind != TypeKind::float64) {
      REQUIRE(merged == zone_of(all));  // floats: -0.0 and 0.0 are one bound
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
    }
    ByteWriter out;
    zone_write(out, merged);
    REQUIRE(out.size() == kZoneBytes);
    ByteReader in(out.view());
    REQUIRE(zone_parse(in, column.type) == merged);
  }
}

}  // namespace otolith::segment
