#include <doctest/doctest.h>

#include <random>

#include "otolith/error.h"
#include "otolith/timestamp.h"
#include "test/budget.h"

namespace otolith {

TEST_CASE("timestamp: every ISO form that users write is read") {
  const std::int64_t noon = 1'767'614'400'000'000'000;  // 2026-01-05T12:00Z
  for (const char* text :
       {"2026-01-05T12:00", "2026-01-05 12:00", "2026-01-05T12:00Z", "2026-01-05T12:00:00Z",
        "2026-01-05T12:00:00.000", "2026-01-05T14:00+02:00", "2026-01-05T14:00:00+0200",
        "2026-01-05T14:00+02", "2026-01-05t06:30:00,0-05:30", "2026-01-06T00:00+12:00"}) {
    CAPTURE(text);
    CHECK(timestamp_parse(text).ns == noon);
  }
  CHECK(timestamp_parse("2026-01-05").ns == noon - 43'200'000'000'000);
  CHECK(timestamp_parse("2026-01-05 12:00:00.123456789+00:00").ns == noon + 123'456'789);
  CHECK(timestamp_parse("1969-12-31T23:59:59.9").ns == -100'000'000);
}

TEST_CASE("timestamp: text that is no time is refused") {
  for (const char* text : {"",
                           "2026",
                           "2026-1-5",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-01-05T",
                           "2026-01-05T24:00",
                           "2026-01-05T12",
                           "2026-01-05T12:60",
                           "2026-01-05T12:00:60",
                           "2026-01-05T12:00:00.",
                           "2026-01-05T12:00:00.1234567890",
                           "2026-01-05T12:00+24:00",
                           "2026-01-05T12:00+1",
                           "2026-01-05T12:00Zz",
                           "2026-01-05Z",
                           " 2026-01-05",
                           "2026-01-05 ",
                           "20260105",
                           "x"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(timestamp_parse(text), Error);
  }
}

TEST_CASE("timestamp: the range ends at the int64 nanoseconds, and -2^63 is refused") {
  CHECK(timestamp_parse("1677-09-21T00:12:43.145224193Z") == kTimestampMin);
  CHECK(timestamp_parse("2262-04-11T23:47:16.854775807Z") == kTimestampMax);
  for (const char* text : {"1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775808Z",
                           "0001-01-01", "9999-12-31T23:59:59"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(timestamp_parse(text), Error);
  }
  CHECK(timestamp_format(kTimestampMin) == "1677-09-21T00:12:43.145224193Z");
  CHECK(timestamp_format(kTimestampMax) == "2262-04-11T23:47:16.854775807Z");
}

TEST_CASE("timestamp: as many fractional digits are written as the value needs") {
  CHECK(timestamp_format({0}) == "1970-01-01T00:00:00Z");
  CHECK(timestamp_format({-1}) == "1969-12-31T23:59:59.999999999Z");
  CHECK(timestamp_format({5'000'000}) == "1970-01-01T00:00:00.005Z");
  CHECK(timestamp_format({5'000}) == "1970-01-01T00:00:00.000005Z");
}

TEST_CASE("timestamp: any time written is the time read") {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 20'000; ++i) {
    std::int64_t ns = static_cast<std::int64_t>(random()) >> (random() % 40);
    if (ns == kNotATime) ns = 0;
    const std::string text = timestamp_format({ns});
    CAPTURE(text);
    REQUIRE(timestamp_parse(text).ns == ns);
  }
}

}  // namespace otolith
