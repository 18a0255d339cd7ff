#include "model/cast.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "model/array.h"
#include "otolith/error.h"
#include "otolith/timestamp.h"

namespace otolith::model {

namespace {

template <typename T>
Array one(TypeKind kind, T value) {
  ArrayBuilder builder({kind});
  builder.append_value(value);
  return builder.finish();
}

template <typename To, typename From>
bool becomes(TypeKind from, From value, TypeKind to, To expected) {
  const To got = cast(one(from, value), {to}, {.column = "x"}).template value<To>(0);
  return std::memcmp(&got, &expected, sizeof(To)) == 0;
}

template <typename From>
bool refused(TypeKind from, From value, TypeKind to) {
  try {
    cast(one(from, value), {to}, {.column = "x"});
  } catch (const Error& error) {
    return error.code() == ErrorCode::invalid_argument;
  }
  return false;
}

}  // namespace

TEST_CASE("cast: integers fit by value, whatever width and sign carried them") {
  CHECK(becomes<std::int8_t>(TypeKind::int64, std::int64_t{-128}, TypeKind::int8, -128));
  CHECK(becomes<std::uint64_t>(TypeKind::int8, std::int8_t{127}, TypeKind::uint64, 127));
  CHECK(becomes<std::int64_t>(TypeKind::uint64, std::uint64_t{5}, TypeKind::int64, 5));
  CHECK(refused(TypeKind::int64, std::int64_t{128}, TypeKind::int8));
  CHECK(refused(TypeKind::int8, std::int8_t{-1}, TypeKind::uint64));
  CHECK(refused(TypeKind::uint64, ~0ull, TypeKind::int64));
}

TEST_CASE("cast: integers become floats only where no digit is lost") {
  CHECK(becomes(TypeKind::int64, std::int64_t{1} << 53, TypeKind::float64, 9007199254740992.0));
  CHECK(refused(TypeKind::int64, (std::int64_t{1} << 53) + 1, TypeKind::float64));
  CHECK(becomes(TypeKind::int32, std::int32_t{1} << 24, TypeKind::float32, 16777216.0f));
  CHECK(refused(TypeKind::int32, (std::int32_t{1} << 24) + 1, TypeKind::float32));
  CHECK(refused(TypeKind::int64, INT64_MAX, TypeKind::float64));
  CHECK(refused(TypeKind::uint64, ~0ull, TypeKind::float32));
  CHECK(becomes(TypeKind::int64, INT64_MIN, TypeKind::float64, -9223372036854775808.0));
  CHECK(
      becomes(TypeKind::uint64, std::uint64_t{1} << 63, TypeKind::float64, 9223372036854775808.0));
}

TEST_CASE("cast: floats become integers only where they are integers in range") {
  CHECK(becomes<std::int8_t>(TypeKind::float64, -128.0, TypeKind::int8, -128));
  CHECK(becomes<std::uint64_t>(TypeKind::float64, 9223372036854775808.0, TypeKind::uint64,
                               1ull << 63));
  for (const double bad :
       {0.5, 128.0, -129.0, 1e300, -1e300, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CAPTURE(bad);
    CHECK(refused(TypeKind::float64, bad, TypeKind::int8));
  }
  CHECK(refused(TypeKind::float64, 9223372036854775808.0, TypeKind::int64));
  CHECK(refused(TypeKind::float64, 18446744073709551616.0, TypeKind::uint64));
  CHECK(refused(TypeKind::float32, -1.0f, TypeKind::uint8));
}

TEST_CASE("cast: float64 becomes float32 only where exact; NaN, infinities and -0.0 stay") {
  CHECK(becomes(TypeKind::float64, 0.5, TypeKind::float32, 0.5f));
  CHECK(becomes(TypeKind::float64, -0.0, TypeKind::float32, -0.0f));
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(
      becomes(TypeKind::float64, -inf, TypeKind::float32, -std::numeric_limits<float>::infinity()));
  CHECK(std::isnan(cast(one(TypeKind::float64, std::nan("")), {TypeKind::float32}, {.column = "x"})
                       .value<float>(0)));
  CHECK(refused(TypeKind::float64, 0.1, TypeKind::float32));
  CHECK(refused(TypeKind::float64, 1e39, TypeKind::float32));
  CHECK(refused(TypeKind::float64, 1e-60, TypeKind::float32));
  CHECK(becomes(TypeKind::float32, 0.1f, TypeKind::float64, static_cast<double>(0.1f)));
}

TEST_CASE("cast: integers are nanoseconds of a time, and -2^63 is none") {
  CHECK(becomes(TypeKind::int64, std::int64_t{-5}, TypeKind::timestamp, std::int64_t{-5}));
  CHECK(becomes(TypeKind::uint32, std::uint32_t{7}, TypeKind::timestamp, std::int64_t{7}));
  CHECK(refused(TypeKind::int64, INT64_MIN, TypeKind::timestamp));
  CHECK(refused(TypeKind::float64, 1.0, TypeKind::timestamp));
  CHECK(refused(TypeKind::timestamp, std::int64_t{1}, TypeKind::int64));
}

TEST_CASE("cast: times and their ISO text become each other") {
  ArrayBuilder text({TypeKind::string});
  text.append_text("2026-01-05T12:00:00.5Z");
  text.append_null();
  const Array times = cast(text.finish(), {TypeKind::timestamp}, {.column = "t"});
  CHECK(times.value<std::int64_t>(0) == timestamp_parse("2026-01-05T12:00:00.5").ns);
  CHECK(times.is_null(1));
  const Array back = cast(times, {TypeKind::string}, {.column = "t"});
  CHECK(back.text(0) == "2026-01-05T12:00:00.500Z");
  CHECK(back.is_null(1));
}

TEST_CASE("cast: the message names column, row, value and type; nulls are never looked at") {
  ArrayBuilder builder({TypeKind::int64});
  for (int i = 0; i < 2000; ++i) builder.append_value(std::int64_t{i % 100});
  builder.append_value(std::int64_t{300});
  Array array = builder.finish();
  try {
    cast(array, {TypeKind::int8}, {.column = "size", .row_first = 10});
    FAIL("a lossy cast was made");
  } catch (const Error& error) {
    CHECK(error.message() ==
          "column \"size\": row 2010 is 300, which cannot be kept without loss as int8");
  }
  std::byte* bits = nullptr;
  array.validity = buffer_allocate(bitmap_bytes(2001), &bits);
  std::memset(bits, 0xff, 250);
  bits[250] = std::byte{0};
  array.null_count = 1;
  const Array small = cast(array, {TypeKind::int8}, {.column = "size"});
  CHECK(small.is_null(2000));
  CHECK(small.value<std::int8_t>(2000) == 0);
  CHECK(small.value<std::int8_t>(1999) == 99);
}

TEST_CASE("cast: widening is what is exact for every value") {
  CHECK(cast_always_exact({TypeKind::int32}, {TypeKind::int64}));
  CHECK(cast_always_exact({TypeKind::uint32}, {TypeKind::int64}));
  CHECK(cast_always_exact({TypeKind::int32}, {TypeKind::float64}));
  CHECK(cast_always_exact({TypeKind::float32}, {TypeKind::float64}));
  CHECK_FALSE(cast_always_exact({TypeKind::int64}, {TypeKind::float64}));
  CHECK_FALSE(cast_always_exact({TypeKind::int8}, {TypeKind::uint64}));
  CHECK_FALSE(cast_always_exact({TypeKind::float32}, {TypeKind::int64}));
  CHECK_FALSE(cast_always_exact({TypeKind::int64}, {TypeKind::timestamp}));
}

TEST_CASE("cast: 0 and 1 become booleans, whatever integer carries them; booleans no numbers") {
  CHECK(becomes(TypeKind::int64, std::int64_t{1}, TypeKind::boolean, std::uint8_t{1}));
  CHECK(becomes(TypeKind::uint8, std::uint8_t{0}, TypeKind::boolean, std::uint8_t{0}));
  CHECK(refused(TypeKind::int64, std::int64_t{2}, TypeKind::boolean));
  CHECK(refused(TypeKind::int64, std::int64_t{-1}, TypeKind::boolean));
  CHECK(refused(TypeKind::float64, 1.0, TypeKind::boolean));
  CHECK(refused(TypeKind::boolean, std::uint8_t{1}, TypeKind::int8));
  CHECK_FALSE(cast_always_exact({TypeKind::boolean}, {TypeKind::int8}));
}

TEST_CASE("cast: text is no binary, and binary no text") {
  ArrayBuilder text({TypeKind::string});
  text.append_text("x");
  const Array array = text.finish();
  CHECK_THROWS_AS(cast(array, {TypeKind::binary}, {.column = "x"}), Error);
}

}  // namespace otolith::model
