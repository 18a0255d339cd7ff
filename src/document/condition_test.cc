// Conditions on documents: paths of any type, three values, and what is refused.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "document/builder.h"
#include "document/condition.h"
#include "document/json_reader.h"
#include "document/split.h"
#include "otolith/expression.h"
#include "test/refusal.h"

namespace otolith::document {

namespace {

using test::tells;

constexpr Timestamp kNoon{1'767'614'400'000'000'000};  // 2026-01-05T12:00Z

bool holds(std::string_view where, std::string_view json) {
  const Parts parts = split_id(from_json(json));
  const Condition condition(parse_condition(where));
  return condition.holds(parts.id.value_or("id"), kNoon, Value(parts.body));
}

// "true", "false" or "null": a condition, and what it is under `not`.
std::string truth(std::string_view where, std::string_view json) {
  const bool yes = holds(where, json);
  const bool no = holds(fmt::format("not ({})", where), json);
  CHECK_FALSE((yes && no));
  return yes ? "true" : no ? "false" : "null";
}

std::string refusal(std::string_view where, std::string_view json = "{}") {
  try {
    (void)holds(where, json);
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("condition: another type is never true, and neither is a missing path or a null") {
  for (const std::string_view document :
       {R"({})", R"({"x":null})", R"({"x":"5"})", R"({"x":true})", R"({"x":[5]})", R"({"x":{}})"}) {
    CAPTURE(document);
    for (const std::string_view where :
         {"x = 5", "x != 5", "x < 5", "x in (5, 6)", "x not in (6)", "x between 1 and 9",
          "x + 1 = 6", "-x < 0", "x.str.len() > 0 and x < 9", "abs(x) = 5", "x = y", "x != y"}) {
      CAPTURE(where);
      CHECK(truth(where, document) == "null");
    }
  }
  CHECK(truth("x = 'a'", R"({"x":5})") == "null");
  CHECK(truth("x = true", R"({"x":5})") == "null");
  CHECK(truth("x like 'a%'", R"({"x":5})") == "null");
  CHECK(truth("x", R"({"x":5})") == "null");
  CHECK(truth("x", R"({"x":true})") == "true");
  CHECK(truth("x", R"({"x":false})") == "false");
}

TEST_CASE("condition: the table of docs/documents.md") {
  const auto row = [](std::string_view where) {
    std::string out;
    for (const std::string_view document :
         {R"({"x":5})", R"({"x":7.5})", R"({"x":"5"})", R"({"x":[5]})", "{}"})
      out += truth(where, document) + " ";
    return out;
  };
  CHECK(row("x = 5") == "true false null null null ");
  CHECK(row("x != 5") == "false true null null null ");
  CHECK(row("x in (5, 'a')") == "true false false null null ");
  CHECK(row("x is null") == "false false false false true ");
  CHECK(row("x + 1 > 6") == "false true null null null ");
  CHECK(row("cast(x as string) = '5'") == "true false true null null ");
}

TEST_CASE("condition: and, or, not in three values; is null asks for what is missing") {
  CHECK(truth("x = 1 or y = 1", R"({"y":1})") == "true");
  CHECK(truth("x = 1 and y = 2", R"({"y":1})") == "false");
  CHECK(truth("x = 1 or y = 2", R"({"y":1})") == "null");
  CHECK(truth("x is null", R"({})") == "true");
  CHECK(truth("x is null", R"({"x":null})") == "true");
  CHECK(truth("x is null", R"({"x":[]})") == "false");
  CHECK(truth("x is not null", R"({"x":{}})") == "true");
  CHECK(truth("x + 1 is null", R"({"x":"a"})") == "true");
  CHECK(truth("(x > 1) is null", R"({"x":"a"})") == "true");
  CHECK(truth("(x is null) = (y is null)", R"({"x":1,"y":"b"})") == "true");
}

TEST_CASE("condition: numbers are compared by value, integers and floats alike") {
  CHECK(truth("x > 9007199254740992.0", R"({"x":9007199254740993})") == "true");
  CHECK(truth("x = y", R"({"x":9007199254740993,"y":9007199254740992.0})") == "false");
  CHECK(truth("x = y", R"({"x":18446744073709551615,"y":-1})") == "false");
  CHECK(truth("x = 18446744073709551615", R"({"x":18446744073709551615})") == "true");
  CHECK(truth("x + 1 > y", R"({"x":18446744073709551615,"y":18446744073709551615})") == "true");
  CHECK(truth("x = 1", R"({"x":1.0})") == "true");
  CHECK(truth("x > 0.5", R"({"x":1})") == "true");
  CHECK(truth("x // 2 = 3 and x % 2 = 1 and x / 2 = 3.5", R"({"x":7})") == "true");
  CHECK(truth("x // y = 1", R"({"x":7,"y":0})") == "null");
  CHECK(truth("x in (1, 2.5, 'a')", R"({"x":2.5})") == "true");
  CHECK(truth("x in (1, 2.5, 'a')", R"({"x":"a"})") == "true");
  CHECK(truth("x in (1, 2.5, 'a')", R"({"x":"b"})") == "false");
  CHECK(truth("x in (1, 2.5, 'a')", R"({"x":true})") == "null");
}

TEST_CASE("condition: NaN is equal to nothing and in no range, and != everything") {
  Builder out;
  out.begin_map();
  out.key("x");
  out.float64(std::numeric_limits<double>::quiet_NaN());
  out.end();
  const Bytes body = out.take();
  const auto asked = [&](std::string_view where) {
    return Condition(parse_condition(where)).holds("a", {}, Value(body));
  };
  CHECK_FALSE(asked("x = x"));
  CHECK(asked("x != x"));
  CHECK(asked("x != 1"));
  CHECK(asked("not x > 1"));
  CHECK_FALSE(asked("x between -1e300 and 1e300"));
  CHECK_FALSE(asked("x is null"));
}

TEST_CASE("condition: texts, patterns and casts mean what they do on tables") {
  const std::string_view document = R"({"s":"\u00c4rger 12","n":"12","t":"x"})";
  CHECK(truth("s.str.lower() = 'ärger 12'", document) == "true");
  CHECK(truth("s.str.len() = 8", document) == "true");
  CHECK(truth("s like '_rger%'", document) == "true");
  CHECK(truth("s.str.matches('[0-9]+$')", document) == "true");
  CHECK(truth("s.str.contains('ger') and s.str.ends_with('2')", document) == "true");
  CHECK(truth("cast(n as int64) + 1 = 13", document) == "true");
  CHECK(truth("cast(n as decimal(4,2)) * 2 = 24", document) == "true");
  CHECK(truth("try_cast(t as int64) is null", document) == "true");
  CHECK(truth("cast(m as string) = '1.0'", R"({"m":1.0})") == "true");
  CHECK(truth("s < t", R"({"s":"B","t":"a"})") == "true");
  CHECK(tells(refusal("cast(t as int64) = 1", document), "cast(t as int64): int64 does not hold"));
}

TEST_CASE("condition: times of documents and of the row; texts beside times are times") {
  Builder out;
  out.begin_map();
  out.key("seen");
  out.timestamp({kNoon.ns + 90'000'000'000});
  out.end();
  const Bytes body = out.take();
  const auto asked = [&](std::string_view where) {
    return Condition(parse_condition(where)).holds("a", kNoon, Value(body));
  };
  CHECK(asked("_time = '2026-01-05T12:00' and _id = 'a'"));
  CHECK(asked("seen > '2026-01-05T12:01' and seen < '2026-01-06'"));
  CHECK(asked("seen - _time = duration('90s')"));
  CHECK(asked("seen.dt.minute() = 1 and _time.dt.weekday() = 0"));
  CHECK(asked("seen.dt.floor('1h') = _time"));
  CHECK(asked("seen < '3000-01-01'"));
  CHECK_FALSE(asked("seen = 'no time'"));
  CHECK_FALSE(asked("seen != 'no time'"));
  CHECK_FALSE(asked("seen = 5"));
}

TEST_CASE("condition: paths lead into maps and arrays, keys with dots stand in quotes") {
  const std::string_view document = R"({"user":{"city":"Oslo"},"tags":["a",7],"a.b":3,"_id":"k"})";
  CHECK(truth("user.city = 'Oslo'", document) == "true");
  CHECK(truth("\"tags.1\" = 7", document) == "true");
  CHECK(truth("\"\"\"a.b\"\"\" = 3", document) == "true");
  CHECK(truth("_id = 'k'", document) == "true");
  const Condition condition(parse_condition("user.city = 'x' and \"tags.0\" > y or user.city = z"));
  CHECK(condition.needed_paths() == std::vector<std::string>{"user.city", "tags.0", "y", "z"});
}

TEST_CASE("condition: what no document can make true or false is refused when it is made") {
  CHECK(tells(refusal("x + 1"), "is no condition by itself"));
  CHECK(tells(refusal("x.str.matches('(')"), "is no regular expression"));
  CHECK(tells(refusal("_id + 1 = 2"), "do not go together"));
  CHECK(tells(refusal("_time = 5"), "compared"));
  CHECK(tells(refusal("_id.dt.year() = 5"), "takes times, not string"));
  CHECK(tells(refusal("\"a..b\" = 1"), "is no path"));
  CHECK(tells(refusal("5"), "is no condition by itself"));
  CHECK(refusal("true") == "accepted");
  CHECK(refusal("1 < 2") == "accepted");
  CHECK(truth("1 < 2 and not 'a' = 'b'", "{}") == "true");
}

}  // namespace otolith::document
