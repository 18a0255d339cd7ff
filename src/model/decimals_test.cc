#include "model/decimals.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "model/array.h"
#include "model/cast.h"
#include "otolith/error.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

namespace {

constexpr Type kPrice{TypeKind::decimal, 6, 2};
constexpr Type kLongest{TypeKind::decimal, 38, 0};
constexpr Type kFraction{TypeKind::decimal, 38, 38};

std::string text_as(std::string_view text, Type type) {
  const DecimalText read = decimal_from_text(text, type);
  if (!read.is_number) return "no number";
  return read.units ? decimal_format(*read.units, type.scale) : "lossy";
}

std::string nines(int count) { return std::string(static_cast<std::size_t>(count), '9'); }

Array texts(std::initializer_list<const char*> values) {
  ArrayBuilder builder({TypeKind::string});
  for (const char* value : values) {
    if (value == nullptr)
      builder.append_null();
    else
      builder.append_text(value);
  }
  return builder.finish();
}

std::string refusal(const Array& from, Type to) {
  try {
    cast(from, to, {.column = "x"});
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("decimal: text is read by its value, whatever its zeros, sign and exponent") {
  CHECK(text_as("12.5", kPrice) == "12.50");
  CHECK(text_as("-0012.500000", kPrice) == "-12.50");
  CHECK(text_as("+.5", kPrice) == "0.50");
  CHECK(text_as("5.", kPrice) == "5.00");
  CHECK(text_as("-0", kPrice) == "0.00");
  CHECK(text_as("1.2e3", kPrice) == "1200.00");
  CHECK(text_as("1200E-3", kPrice) == "1.20");
  CHECK(text_as("1e+3", kPrice) == "1000.00");
  CHECK(text_as("0e99999999999999999999", kPrice) == "0.00");
  CHECK(text_as("9999.99", kPrice) == "9999.99");
  CHECK(text_as("10000", kPrice) == "lossy");
  CHECK(text_as("0.001", kPrice) == "lossy");
  CHECK(text_as("1e99999999999999999999", kPrice) == "lossy");
  CHECK(text_as("1e-99999999999999999999", kPrice) == "lossy");
  for (const char* text : {"", "-", ".", "+-1", "1.2.3", "1e", "e5", "1e+-2", "1e1.5", "NaN", "inf",
                           "1 ", " 1", "0x10", "1_000", "12,5"}) {
    CAPTURE(text);
    CHECK(text_as(text, kPrice) == "no number");
  }
}

TEST_CASE("decimal: 38 digits fit, before the point and behind it, and 39 do not") {
  CHECK(text_as(nines(38), kLongest) == nines(38));
  CHECK(text_as("-" + nines(38), kLongest) == "-" + nines(38));
  CHECK(text_as("1" + std::string(38, '0'), kLongest) == "lossy");
  CHECK(text_as(nines(39), kLongest) == "lossy");
  CHECK(text_as("0." + nines(38), kFraction) == "0." + nines(38));
  CHECK(text_as("0." + nines(39), kFraction) == "lossy");
  CHECK(text_as("1", kFraction) == "lossy");
  CHECK(text_as("0." + std::string(37, '0') + "1" + std::string(60, '0'), kFraction) ==
        "0." + std::string(37, '0') + "1");
  CHECK(decimal_fits(decimal_parse(nines(38), kLongest), kLongest));
  CHECK_FALSE(decimal_fits(Decimal{~0ull, INT64_MAX}, kLongest));
  CHECK_FALSE(decimal_fits(Decimal{0, INT64_MIN}, kLongest));
  CHECK(decimal_format(Decimal{0, INT64_MIN}, 0) == "-170141183460469231731687303715884105728");
}

TEST_CASE("decimal: order is that of the numbers") {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 2000; ++i) {
    const Decimal a = test::random_decimal(random, kLongest);
    const Decimal b = test::random_decimal(random, kLongest);
    REQUIRE((a < b) == (int128_of(a) < int128_of(b)));
    REQUIRE((a == b) == (int128_of(a) == int128_of(b)));
    REQUIRE(decimal_of_int128(int128_of(a)) == a);
    REQUIRE(decimal_parse(decimal_format(a, 0), kLongest) == a);
    REQUIRE(decimal_parse(decimal_format(a, 38), kFraction) == a);
  }
}

TEST_CASE("decimal: only floats that are the very number become one, and back") {
  const Type type{TypeKind::decimal, 38, 20};
  const auto as_text = [&](double value) {
    const auto units = decimal_from_float(value, type);
    return units ? decimal_format(*units, type.scale).substr(0, 8) : std::string("none");
  };
  CHECK(as_text(0.5) == "0.500000");
  CHECK(as_text(-1.25) == "-1.25000");
  CHECK(as_text(0x1p-20) == "0.000000");
  CHECK(as_text(0x1p-21) == "none");
  CHECK(as_text(0.1) == "none");
  CHECK(as_text(1e17) == "10000000");
  CHECK(as_text(1e18) == "none");
  CHECK(as_text(1e300) == "none");
  CHECK(as_text(5e-324) == "none");
  CHECK(as_text(std::nan("")) == "none");
  CHECK(as_text(std::numeric_limits<double>::infinity()) == "none");
  CHECK(decimal_from_float(-0.0, type) == Decimal{});
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 2000; ++i) {
    const double value = std::ldexp(double(random() >> 11), -int(random() % 60));
    const auto units = decimal_from_float(value, type);
    if (units) REQUIRE(decimal_to_float(*units, type.scale) == value);
  }
  CHECK(decimal_to_float(decimal_of(10), 2) == std::nullopt);  // 0.1
  CHECK(decimal_to_float(decimal_of(25), 2) == 0.25);
  CHECK(decimal_to_float(decimal_of((1ll << 53) + 1), 0) == std::nullopt);
  CHECK(decimal_to_float(Decimal{~0ull, INT64_MAX}, 0) == std::nullopt);
}

TEST_CASE("cast: numbers, text and decimals of any scale become decimals where nothing is lost") {
  ArrayBuilder numbers({TypeKind::int32});
  numbers.append_value(std::int32_t{-7});
  numbers.append_null();
  numbers.append_value(std::int32_t{9999});
  const Array units = cast(numbers.finish(), kPrice, {.column = "x"});
  CHECK(units.value<Decimal>(0) == decimal_of(-700));
  CHECK(units.is_null(1));
  CHECK(units.value<Decimal>(2) == decimal_of(999'900));
  const Array wide = cast(units, {TypeKind::decimal, 38, 10}, {.column = "x"});
  CHECK(decimal_format(wide.value<Decimal>(0), 10) == "-7.0000000000");
  CHECK(test::same_array(cast(wide, kPrice, {.column = "x"}), units));
  const Array back = cast(units, {TypeKind::int16}, {.column = "x"});
  CHECK(back.value<std::int16_t>(2) == 9999);
  const Array as_text = cast(units, {TypeKind::string}, {.column = "x"});
  CHECK(as_text.text(0) == "-7.00");
  CHECK(test::same_array(cast(as_text, kPrice, {.column = "x"}), units));
  const Array floats = cast(units, {TypeKind::float32}, {.column = "x"});
  CHECK(floats.value<float>(0) == -7.0f);
  CHECK(test::same_array(cast(floats, kPrice, {.column = "x"}), units));
}

TEST_CASE("cast: what does not fit a decimal, or is left behind by one, is named") {
  CHECK(refusal(texts({"1", nullptr, "12.345"}), kPrice) ==
        "column \"x\": row 2 is \"12.345\", which cannot be kept without loss as decimal(6,2)");
  CHECK(refusal(texts({"1", "none"}), kPrice) ==
        "column \"x\": row 1 is \"none\", which is no number");
  ArrayBuilder large({TypeKind::uint64});
  large.append_value(~0ull);
  CHECK(refusal(large.finish(), {TypeKind::decimal, 20, 1}).find("18446744073709551615") !=
        std::string::npos);
  ArrayBuilder tenth({TypeKind::float64});
  tenth.append_value(0.1);
  CHECK(refusal(tenth.finish(), kPrice).find("is the float 0.1") != std::string::npos);
  const Array price = cast(texts({"12.50"}), kPrice, {.column = "x"});
  CHECK(refusal(price, {TypeKind::int64}).find("row 0 is 12.50") != std::string::npos);
  CHECK(refusal(price, {TypeKind::decimal, 4, 1}) == "");
  CHECK(refusal(price, {TypeKind::decimal, 4, 0}).find("decimal(4,0)") != std::string::npos);
  const Array three = cast(texts({"300"}), kPrice, {.column = "x"});
  CHECK(refusal(three, {TypeKind::int8}) != "");
  CHECK(refusal(three, {TypeKind::uint64}) == "");
  CHECK(refusal(cast(texts({"-1"}), kPrice, {.column = "x"}), {TypeKind::uint64}) != "");
  CHECK(refusal(cast(texts({"0.1"}), kPrice, {.column = "x"}), {TypeKind::float64}) != "");
  CHECK(refusal(three, {TypeKind::boolean}) != "");
  CHECK(refusal(three, {TypeKind::decimal, 200, 100}) != "");
  Array hostile = three;
  hostile.type = {TypeKind::decimal, 255, 200};
  CHECK(refusal(hostile, kPrice) != "");
}

TEST_CASE("cast: decimals widen in digits before the point and behind it, integers into them") {
  using enum TypeKind;
  CHECK(cast_always_exact({decimal, 6, 2}, {decimal, 7, 3}));
  CHECK(cast_always_exact({decimal, 6, 2}, {decimal, 6, 2}));
  CHECK_FALSE(cast_always_exact({decimal, 6, 2}, {decimal, 6, 3}));
  CHECK_FALSE(cast_always_exact({decimal, 6, 2}, {decimal, 10, 1}));
  CHECK(cast_always_exact({int64}, {decimal, 19, 0}));
  CHECK_FALSE(cast_always_exact({int64}, {decimal, 18, 0}));
  CHECK(cast_always_exact({uint64}, {decimal, 22, 2}));
  CHECK_FALSE(cast_always_exact({uint64}, {decimal, 21, 2}));
  CHECK_FALSE(cast_always_exact({float64}, {decimal, 38, 10}));
  CHECK_FALSE(cast_always_exact({boolean}, {decimal, 38, 10}));
  CHECK_FALSE(cast_always_exact({string}, {decimal, 38, 10}));
  CHECK_FALSE(cast_always_exact({decimal, 3, 0}, {int64}));
}

}  // namespace otolith::model
