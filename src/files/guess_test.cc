#include "files/guess.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "files/cells.h"
#include "otolith/timestamp.h"

using namespace otolith;
using namespace otolith::files;

namespace {

std::string guessed(const std::vector<std::string>& texts) {
  TypeGuess guess;
  for (const std::string& text : texts) guess.add(text);
  std::string out = type_name(guess.type());
  if (guess.ambiguous()) out += ", ambiguous";
  if (guess.type().kind == TypeKind::timestamp && guess.form() != TimeForm::iso)
    out += ", " + std::string(time_form_name(guess.form()));
  return out;
}

std::int64_t read(TimeForm form, std::string_view text) {
  std::int64_t ns = 0;
  return TimeReader(form).read(text, ns) ? ns : kNotATime;
}

}  // namespace

TEST_CASE("guess: the first type that takes every text") {
  CHECK(guessed({}) == "string");
  CHECK(guessed({"true", "FALSE"}) == "bool");
  CHECK(guessed({"1", "-2", "0"}) == "int64");
  CHECK(guessed({"9223372036854775808"}) == "uint64");
  CHECK(guessed({"18446744073709551616"}) == "float64");
  CHECK(guessed({"1", "1.5", "-3e7", "nan"}) == "float64");
  CHECK(guessed({"9007199254740993", "1.5"}) == "string");  // a float would round it
  CHECK(guessed({"007"}) == "string");
  CHECK(guessed({"0", "0.5", "-0.25"}) == "float64");
  CHECK(guessed({"1", "x"}) == "string");
  CHECK(guessed({"2026-01-05", "2026-01-05T12:00:00.5Z", "2026-01-05 12:00+02:00"}) == "timestamp");
  CHECK(guessed({"2026-01-32"}) == "string");
  CHECK(guessed({"1/2/2026"}) == "string, ambiguous");
  CHECK(guessed({"1/2/2026", "13/2/2026 10:00"}) == "timestamp, day/month/year");
  CHECK(guessed({"1.2.2026", "1.13.2026"}) == "timestamp, month/day/year");
  CHECK(guessed({"13/1/2026", "1/13/2026"}) == "string");
}

TEST_CASE("time text: ISO 8601 is read as timestamp_parse reads it") {
  for (const char* text :
       {"2026-01-05", "2026-01-05T12:00", "2026-01-05 12:00:01", "2026-01-05T12:00:01.5Z",
        "1969-12-31T23:59:59.999999999Z", "2026-01-05T12:00:00+02:00", "2026-01-05T12:00-0530",
        "1677-09-21T00:12:43.145224193Z", "2262-04-11T23:47:16.854775807Z"}) {
    CAPTURE(text);
    CHECK(read(TimeForm::iso, text) == timestamp_parse(text).ns);
  }
  for (const char* text : {"", "2026", "2026-1-5", "2026-01-05X", "2026-01-05T", "2026-01-05T1:00",
                           "2026-01-05T24:00", "2026-01-05T12:60", "2026-01-05T12:00:60",
                           "2026-01-05T12:00:00.", "2026-01-05T12:00:00.1234567891",
                           "2026-01-05T12:00+25:00", "2026-02-29", "1600-01-01", "2263-01-01"}) {
    CAPTURE(text);
    CHECK(read(TimeForm::iso, text) == kNotATime);
  }
  TimeReader reader(TimeForm::iso);  // the day is kept from one to the next
  std::int64_t ns = 0;
  CHECK(reader.read("2026-01-05T01:00", ns));
  CHECK(reader.read("2026-01-05T02:00", ns));
  CHECK(ns == timestamp_parse("2026-01-05T02:00").ns);
  CHECK(!reader.read("2026-01-35T02:00", ns));
}

TEST_CASE("time text: counts since 1970") {
  CHECK(read(TimeForm::seconds, "1.5") == 1'500'000'000);
  CHECK(read(TimeForm::seconds, "-1.25") == -1'250'000'000);
  CHECK(read(TimeForm::milliseconds, "1") == 1'000'000);
  CHECK(read(TimeForm::microseconds, "-1") == -1'000);
  CHECK(read(TimeForm::nanoseconds, "9223372036854775807") == INT64_MAX);
  CHECK(read(TimeForm::seconds, "9223372036854775807") == kNotATime);
  CHECK(read(TimeForm::seconds, "1.") == kNotATime);
  CHECK(read(TimeForm::seconds, "noon") == kNotATime);
}
