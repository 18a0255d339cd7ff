// The C++ builder of expressions, by the text that says the same.
#include "otolith/expression.h"

#include <doctest/doctest.h>

#include "base/error.h"

namespace otolith {

TEST_CASE("expression: operators build what the text says") {
  const Expression a = col("a");
  const Expression b = col("b");
  CHECK((a > b && 5 < a && a != b).text() == "a > b and a > 5 and a != b");
  CHECK((1 == a || a <= b || 1.5 >= b || a >= b || a < b || a == b).text() ==
        "a = 1 or a <= b or b <= 1.5 or a >= b or a < b or a = b");
  CHECK((2 > a || 2 >= a || 2 <= a || 2 != a).text() == "a < 2 or a <= 2 or a >= 2 or a != 2");
  CHECK((a + 1 > 2 * b - 3).text() == "a + 1 > 2 * b - 3");
  CHECK(((1 + a) * b / 2 >= 7 / a % 2).text() == "(1 + a) * b / 2 >= 7 / a % 2");
  CHECK((-(a - b) < a % b).text() == "-(a - b) < a % b");
  CHECK((2 % a == floor_divide(a, b)).text() == "2 % a = a // b");
  CHECK((1 - a == a * 2).text() == "1 - a = a * 2");
  CHECK((!(a - 1).is_null() || (a + b).not_null()).text() ==
        "not a - 1 is null or a + b is not null");
  CHECK((a.cast({TypeKind::decimal, 12, 2}) == "0.10").text() ==
        "cast(a as decimal(12,2)) = '0.10'");
  CHECK(a.try_cast({TypeKind::int8}).is_null().text() == "try_cast(a as int8) is null");
  CHECK((a.call("lower").call("starts_with", {"x"}) && a.call("like", {"x%"})).text() ==
        "starts_with(lower(a), 'x') and a like 'x%'");
  CHECK((a.call("floor", {"1h"}) == timestamp_parse("2026-01-05")).text() ==
        "floor(a, '1h') = '2026-01-05T00:00:00Z'");
  CHECK(a.isin({1, 2.5, "x", true}).text() == "a in (1, 2.5, 'x', true)");
  CHECK((Expression(Constant::number("-0.10")) < a).text() == "-0.10 < a");
}

TEST_CASE("expression: calls are checked when they are made") {
  CHECK_THROWS_WITH_AS(col("a").call("lowr"), doctest::Contains("did you mean \"lower\"?"), Error);
  CHECK_THROWS_WITH_AS(col("a").call("lower", {"x"}), doctest::Contains("nothing else"), Error);
  CHECK_THROWS_WITH_AS(col("a").call("contains"), doctest::Contains("one constant text"), Error);
  CHECK_THROWS_WITH_AS(col("a").call("contains", {5}), doctest::Contains("is to be text"), Error);
  CHECK_THROWS_WITH_AS(col("a").call("floor", {"h"}),
                       doctest::Contains("where: \"floor\" of a: \"h\" is no duration"), Error);
}

}  // namespace otolith
