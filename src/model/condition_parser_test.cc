// Conditions as text: what they mean, and what errors point at.
#include <doctest/doctest.h>

#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "model/condition_tokens.h"
#include "otolith/expression.h"
#include "test/budget.h"
#include "test/refusal.h"
#include "test/rows.h"

namespace otolith {

namespace {

using test::tells;

std::string again(std::string_view text) { return parse_condition(text).text(); }

std::string refusal(std::string_view text, ErrorCode code = ErrorCode::invalid_argument) {
  return test::refusal_of([&] { (void)parse_condition(text); }, code);
}

}  // namespace

TEST_CASE("condition text: words of SQL and of Python mean the same") {
  CHECK(again("bid>90 AND symbol In ('A','B')") == "bid > 90 and symbol in ('A', 'B')");
  CHECK(again("a = 1 or b == 2 and not c <> 3") == "a = 1 or b = 2 and not c != 3");
  CHECK(again("(a = 1 or b = 2) and c") == "(a = 1 or b = 2) and c");
  CHECK(again("5 < x and 5 >= x and 5 = x") == "x > 5 and x <= 5 and x = 5");
  CHECK(again("x is NULL or x is not null") == "x is null or x is not null");
  CHECK(again("x between -1 and 2.50") == "x between -1 and 2.50");
  CHECK(again("x not between 1 and 2") == "not x between 1 and 2");
  CHECK(again("x not in ()") == "not x in ()");
  CHECK(again("name like 'A%'") == "name like 'A%'");
  CHECK(again("name not like '_b'") == "not name like '_b'");
  CHECK(again("flag = true and not other") == "flag = true and not other");
  CHECK(again("time >= '2026-01-05T12:00'") == "time >= '2026-01-05T12:00'");
}

TEST_CASE("condition text: arithmetic, casts and functions in both forms") {
  CHECK(again("a + b * 2 > c - -1") == "a + b * 2 > c - -1");
  CHECK(again("(a + b) * 2 > a - (b - c)") == "(a + b) * 2 > a - (b - c)");
  CHECK(again("a - b - c > -(d) // 3 % 2") == "a - b - c > -d // 3 % 2");
  CHECK(again("cast(x as decimal(12, 2)) > 0.5") == "cast(x as decimal(12,2)) > 0.5");
  CHECK(again("try_cast(name as int64) is null") == "try_cast(name as int64) is null");
  CHECK(again("symbol.str.lower() = 'a'") == "lower(symbol) = 'a'");
  CHECK(again("symbol.str.lower().str.starts_with('a')") == "starts_with(lower(symbol), 'a')");
  CHECK(again("time.dt.year = 2026 and month(time) < 3") ==
        "year(time) = 2026 and month(time) < 3");
  CHECK(again("time.dt.floor('1h') = '2026-01-05'") == "floor(time, '1h') = '2026-01-05'");
  CHECK(again("later - time > duration('1m')") == "later - time > 60000000000");
  CHECK(again("x between y and 2 * y") == "x >= y and x <= 2 * y");
  CHECK(again("x in (1, y)") == "x = 1 or x = y");
  CHECK(again("length(name) > 3") == "len(name) > 3");
}

TEST_CASE("condition text: names and texts with anything in them") {
  CHECK(parse_condition("\"a \"\"b\"\"\" = 'it''s'").node().operands[0].node().column == "a \"b\"");
  CHECK(again("\"and\" = 'it''s'") == "\"and\" = 'it''s'");
  CHECK(parse_condition("user.city = 'Oslo'").node().operands[0].node().column == "user.city");
  CHECK(again("user.city.str.upper() = 'OSLO'") == "upper(\"user.city\") = 'OSLO'");
  CHECK(again("größe > 1") == "größe > 1");
  CHECK(again("\"x.y\".dt.hour = 1") == "hour(\"x.y\") = 1");
}

TEST_CASE("condition text: numbers keep their digits") {
  const auto value = [](std::string_view digits) { return Constant::number(digits).value(); };
  CHECK(std::get<std::int64_t>(value("-9223372036854775808")) == INT64_MIN);
  CHECK(std::get<std::uint64_t>(value("18446744073709551615")) == UINT64_MAX);
  CHECK(std::get<double>(value("18446744073709551616")) == 0x1p64);
  CHECK(std::get<double>(value("1e3")) == 1000.0);
  CHECK(std::get<double>(value("1e999")) > 1e308);
  CHECK(Constant::number("0.10").digits() == "0.10");
  CHECK(Constant::number("10").digits().empty());
  CHECK_THROWS_AS(Constant::number("ten"), Error);
}

TEST_CASE("condition text: an error shows the place") {
  CHECK(refusal("bid > and x") ==
        "where: expected a value; a column of that name goes in double quotes, found \"and\" "
        "(character 7):\n  bid > and x\n        ^^^");
  CHECK(tells(refusal("bid >"), "expected a value, and it ends (character 6):\n  bid >\n       ^"));
  CHECK(tells(refusal("größe > > 1"), "(character 9):\n  größe > > 1\n          ^"));
  CHECK(tells(refusal("x = 'open"), "does not end (character 5)"));
  CHECK(tells(refusal("x = \"open"), "does not end"));
  CHECK(tells(refusal("x in (1, 2"), "expected ) at the end of the list"));
  CHECK(tells(refusal("(x > 1"), "expected ) to close the parenthesis"));
  CHECK(tells(refusal("x > 1)"), "a condition has ended here, found \")\""));
  CHECK(tells(refusal("1 < x < 3"), "between a and b"));
  CHECK(tells(refusal("x = null"), "ask is null"));
  CHECK(tells(refusal("x > 1 & y > 2"), "join with and, or, not"));
  CHECK(tells(refusal("x > 1 y > 2"), "join with and, or"));
  CHECK(tells(refusal(""), "empty"));
  CHECK(tells(refusal("x > 12abc"), "is no number"));
  CHECK(tells(refusal("x > 1 and ?"), "has no meaning here"));
  CHECK(tells(refusal("x is 5"), "expected null behind is"));
  CHECK(tells(refusal("x not 5"), "in, between or like"));
  CHECK(tells(refusal("lowr(x) = 'a'"), "did you mean \"lower\"?)"));
  CHECK(tells(refusal("x.str.lowr() = 'a'"), "did you mean \"lower\"?"));
  CHECK(tells(refusal("x.lower() = 'a'"), "follow .str. or .dt."));
  CHECK(tells(refusal("starts_with(x) "), "takes a value and one constant text"));
  CHECK(tells(refusal("starts_with(x, 5)"), "takes a text in single quotes"));
  CHECK(tells(refusal("lower(x, 'a')"), "takes one value"));
  CHECK(tells(refusal("floor(time, '1 hour') = 1"), "is no duration"));
  CHECK(tells(refusal("cast(x as int)"), "(character 11):\n  cast(x as int)\n            ^^^"));
  CHECK(tells(refusal("cast(x, int64)"), "expected as and a type"));
  CHECK(tells(refusal("x > '\xff'"), "UTF-8"));
  CHECK(tells(refusal(std::string(200, ' ') + "x >> 1" + std::string(200, ' ')), "…"));
}

TEST_CASE("condition text: any words are refused, or mean what their text means") {
  constexpr std::string_view kWords[] = {
      "x",   "\"a b\"", "'it''s'", "1",  "-2.5", "1e3", "true",  "null",   "and", "or",
      "not", "in",      "between", "is", "like", "(",   ")",     ",",      "=",   "!=",
      "<",   ">=",      "+",       "-",  "*",    "/",   "//",    "%",      ".",   "str",
      "dt",  "lower",   "year",    "as", "cast", "abs", "int64", "like '", "'%'", "user.city"};
  test::Random random(test::seed());
  std::uint64_t accepted = 0;
  for (unsigned i = 0; i < 200'000; ++i) {
    std::string words;
    for (std::uint64_t left = 1 + test::below(random, 9); left > 0; --left)
      words += std::string(kWords[test::below(random, std::size(kWords))]) + " ";
    CAPTURE(words);
    try {
      const std::string text = again(words);
      REQUIRE(again(text) == text);
      ++accepted;
    } catch (const Error& error) {
      REQUIRE(error.code() == ErrorCode::invalid_argument);
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("condition text: neither depth nor length takes more than a stack and memory hold") {
  CHECK(again(std::string(50, '(') + "x > 1" + std::string(50, ')')) == "x > 1");
  for (const std::string_view opening : {"(", "not ", "-", "cast("}) {
    std::string deep;
    for (unsigned i = 0; i < 100'000; ++i) deep += opening;
    CHECK(tells(refusal(deep + "x > 1", ErrorCode::limit), "levels"));
  }
  std::string chain = "x = 0";
  for (unsigned i = 1; i < 20'000; ++i) chain += " or x = " + std::to_string(i);
  CHECK(parse_condition(chain).parts().size() == 20'000);
  CHECK(refusal(std::string(kConditionBytesMax + 1, 'x'), ErrorCode::limit).find("bytes") !=
        std::string::npos);
}

}  // namespace otolith
