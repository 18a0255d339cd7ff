#include "model/criterion.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"

namespace otolith::model {

namespace {

using Kind = Criterion::Kind;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Criterion of(const Expression& comparison, Type type, bool inverse = false) {
  return criterion_of(comparison.node(), inverse, type, "x");
}

template <typename T>
Array array_of(Type type, const std::vector<std::optional<T>>& values) {
  ArrayBuilder builder(type);
  for (const auto& value : values) value ? builder.append_value(*value) : builder.append_null();
  return builder.finish();
}

std::vector<bool> passing(const Criterion& criterion, const Array& array) {
  std::vector<std::uint64_t> bits(bit_words(array.length));
  criterion_rows(criterion, array, bits.data());
  std::vector<bool> out;
  for (std::uint64_t row = 0; row < array.length; ++row)
    out.push_back(((bits[row / 64] >> (row % 64)) & 1) != 0);
  return out;
}

bool refused(const Expression& comparison, Type type, std::string_view words) {
  try {
    of(comparison, type);
  } catch (const Error& error) {
    return error.code() == ErrorCode::invalid_argument &&
           error.message().find(words) != std::string::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("criterion: constants outside a type's range are never wrapped") {
  const Type byte{TypeKind::int8};
  CHECK(of(col("x") < 128, byte).kind == Kind::always);
  CHECK(of(col("x") < (1ll << 40), byte).kind == Kind::always);
  CHECK(of(col("x") > 127, byte).kind == Kind::never);
  CHECK(of(col("x") == 256, byte).kind == Kind::never);
  CHECK(of(col("x") != 256, byte).kind == Kind::always);
  CHECK(of(col("x") < kInfinity, byte).kind == Kind::always);
  CHECK(of(col("x") <= -1e300, byte).kind == Kind::never);
  CHECK(of(col("x") >= UINT64_MAX, {TypeKind::int64}).kind == Kind::never);
  CHECK(of(col("x") > -1, {TypeKind::uint64}).kind == Kind::always);
  CHECK(of(col("x") <= -0.5, {TypeKind::uint64}).kind == Kind::never);
  CHECK(of(col("x").isin({-1, 300, 1.5}), byte, false).integer_set.size() == 1);
  CHECK(of(col("x").isin({}), byte).kind == Kind::never);
  CHECK(of(col("x").isin({}), byte, true).kind == Kind::always);
}

TEST_CASE("criterion: integers against fractions and floats against integers are exact") {
  const Type wide{TypeKind::int64};
  CHECK(of(col("x") > 90.5, wide).integers.low == 91);
  CHECK(of(col("x") >= 90.5, wide).integers.low == 91);
  CHECK(of(col("x") < 90.5, wide).integers.high == 90);
  CHECK(of(col("x") < 90, wide).integers.high == 89);
  CHECK(of(col("x") == 90.5, wide).kind == Kind::never);
  CHECK(of(col("x").between(-0.5, 0.5), wide).integers.high == 0);
  const Type real{TypeKind::float64};
  const std::int64_t odd = (1ll << 53) + 1;  // between two doubles
  CHECK(of(col("x") == odd, real).kind == Kind::never);
  CHECK(of(col("x") <= odd, real).floats.high == 0x1p53);
  CHECK(of(col("x") > odd, real).floats.low == 0x1p53 + 2);
  CHECK(of(col("x") < UINT64_MAX, real).floats.high == std::nextafter(0x1p64, 0));
  const Type narrow{TypeKind::float32};
  CHECK(of(col("x") == 0.1, narrow).kind == Kind::never);
  CHECK(of(col("x") == double{0.1f}, narrow).kind == Kind::range);
  CHECK(of(col("x") > 1e300, narrow).floats.low == kInfinity);
  CHECK(of(col("x") < 1e300, narrow).floats.high == double{std::numeric_limits<float>::max()});
  CHECK(of(col("x") < -kInfinity, real).kind == Kind::never);
  CHECK(of(col("x") > kInfinity, narrow).kind == Kind::never);
}

TEST_CASE("criterion: NaN passes != and every inverse, and equals nothing") {
  const Array values =
      array_of<double>({TypeKind::float64}, {kNan, -0.0, 0.0, kInfinity, std::nullopt});
  using Bits = std::vector<bool>;
  const Type real{TypeKind::float64};
  CHECK(passing(of(col("x") < 1, real), values) == Bits{false, true, true, false, false});
  CHECK(passing(of(col("x") < 1, real, true), values) == Bits{true, false, false, true, false});
  CHECK(passing(of(col("x") != 0, real), values) == Bits{true, false, false, true, false});
  CHECK(passing(of(col("x") == -0.0, real), values) == Bits{false, true, true, false, false});
  CHECK(passing(of(col("x") == kNan, real), values) == Bits(5, false));
  CHECK(passing(of(col("x") != kNan, real), values) == Bits{true, true, true, true, false});
  CHECK(passing(of(col("x").isin({kNan, 0}), real), values) ==
        Bits{false, true, true, false, false});
  CHECK(passing(of(col("x").isin({kNan, 0}), real, true), values) ==
        Bits{true, false, false, true, false});
  CHECK(passing(of(col("x") <= kInfinity, real), values) == Bits{false, true, true, true, false});
}

TEST_CASE("criterion: decimals are compared by value, digits beyond their scale included") {
  const Type money{TypeKind::decimal, 5, 2};
  CHECK(of(col("x") == "12.50", money).integers.low == 1250);
  CHECK(of(col("x") > "12.505", money).integers.low == 1251);
  CHECK(of(col("x") <= "-12.505", money).integers.high == -1251);
  CHECK(of(col("x") == 0.1, money).kind == Kind::never);  // the double is a little more
  CHECK(of(col("x") < 0.1, money).integers.high == 10);
  CHECK(of(col("x") >= 0.5, money).integers.low == 50);
  CHECK(of(col("x") < 1000, money).kind == Kind::always);
  CHECK(of(col("x") > 999, money).integers.low == 99'901);
  CHECK(of(col("x") < 1e300, money).kind == Kind::always);
  CHECK(of(col("x") < INT64_MAX, {TypeKind::decimal, 38, 38}).kind == Kind::always);
  CHECK(refused(col("x") == "12,5", money, "number as text"));
  CHECK(refused(col("x") == ".", money, "number as text"));
}

TEST_CASE("criterion: what is not compared is refused, and says with what") {
  CHECK(refused(col("x") == "a", {TypeKind::int32}, "is int32 and is compared with text"));
  CHECK(refused(col("x") == 1, {TypeKind::string}, "give text"));
  CHECK(refused(col("x") == true, {TypeKind::int8}, "give a number"));
  CHECK(refused(col("x") == 1, {TypeKind::boolean}, "true or false"));
  CHECK(refused(col("x") > 5, {TypeKind::timestamp}, "a time"));
  CHECK(refused(col("x") > "noon", {TypeKind::timestamp}, "noon"));
  CHECK(of(col("x") > "2026-01-05", {TypeKind::timestamp}).kind == Kind::range);
}

TEST_CASE("criterion: each word of 64 rows, and the few at the end, are those of one row each") {
  for (const std::uint64_t rows : {0u, 1u, 63u, 64u, 65u, 130u, 1000u}) {
    std::vector<std::optional<std::int16_t>> values;
    for (std::uint64_t i = 0; i < rows; ++i) {
      values.push_back(static_cast<std::int16_t>(i * 7919));
      if (i % 13 == 5) values.back().reset();
    }
    const Array array = array_of<std::int16_t>({TypeKind::int16}, values);
    for (const Expression& comparison : {col("x") < 100, col("x").between(-20'000, 15'000),
                                         col("x") != -1, col("x").isin({7919})}) {
      const Criterion criterion = of(comparison, array.type);
      const std::vector<bool> found = passing(criterion, array);
      for (std::uint64_t i = 0; i < rows; ++i)
        REQUIRE(found[i] == (values[i] && criterion.holds(Int128{*values[i]})));
    }
  }
}

TEST_CASE("expression: trees too deep, too wide or with too many constants are refused") {
  Expression deep = col("x") > 1;
  CHECK_THROWS_WITH_AS(for (int i = 0; i < 200; ++i) deep = !deep, doctest::Contains("isin"),
                       Error);
  Expression wide = col("x") > 1;
  for (int i = 0; i < 1000; ++i) wide = wide && (col("x") > i);
  CHECK(wide.parts().size() == 1001);
  CHECK(wide.node().depth == 3);
  CHECK_THROWS_AS(col("x").isin(std::vector<Constant>(kExpressionValuesMax + 1, Constant(1))),
                  Error);
}

TEST_CASE("expression: a chain made in a loop is flat, at either end, and goes as it came") {
  constexpr int kLong = 40'000;
  Expression back = col("x") == 0;
  Expression front = col("x") == 0;
  for (int i = 1; i < kLong; ++i) {
    back = back || col("x") == i;
    front = col("x") == i || front;
  }
  const Expression shared = back;
  CHECK(back.node().depth == 3);
  CHECK(back.node().nodes == 2 * kLong + 1);
  const std::vector<Expression> parts = back.parts();
  REQUIRE(parts.size() == kLong);
  CHECK(std::get<std::int64_t>(parts[7].node().constants[0].value()) == 7);
  CHECK(std::get<std::int64_t>(front.parts()[0].node().constants[0].value()) == kLong - 1);
  const Expression both = (col("y") == 1 && col("y") == 2) && (front || back.node().operands[1]);
  CHECK(both.parts().size() == 3);
  CHECK(both.node().depth == 4);
  CHECK_THROWS_WITH_AS(back || front || back, doctest::Contains("isin"), Error);
}

TEST_CASE("criterion: times beyond those that are stored lie before or behind all of them") {
  const Type time{TypeKind::timestamp};
  for (const Constant& later :
       {Constant("3000-01-01"), Constant("2262-04-12"), Constant(kInfinity)}) {
    CHECK(of(col("x") < later, time).kind == Criterion::Kind::always);
    CHECK(of(col("x") >= later, time).kind == Criterion::Kind::never);
    CHECK(of(col("x") == later, time).kind == Criterion::Kind::never);
    CHECK(of(col("x").between("1600-01-01", later), time).kind == Criterion::Kind::always);
    CHECK(of(col("x").isin({later}), time).kind == Criterion::Kind::never);
  }
  for (const Constant& earlier : {Constant("1600-01-01T12:00Z"), Constant(-kInfinity)}) {
    CHECK(of(col("x") > earlier, time).kind == Criterion::Kind::always);
    CHECK(of(col("x") <= earlier, time).kind == Criterion::Kind::never);
  }
  CHECK_THROWS_AS(of(col("x") < 7.5, time), Error);
  CHECK_THROWS_AS(of(col("x") < Constant(std::nan("")), time), Error);
  CHECK_THROWS_AS(of(col("x") < "3000-13-01", time), Error);
}

}  // namespace otolith::model
