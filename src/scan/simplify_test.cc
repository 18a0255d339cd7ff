#include "scan/simplify.h"

#include <doctest/doctest.h>

#include <string>

namespace otolith::scan {

namespace {

std::string simple(std::string_view text) {
  const Schema schema{.columns = {{.name = "time", .type = {TypeKind::timestamp}},
                                  {.name = "s", .type = {TypeKind::string}},
                                  {.name = "n", .type = {TypeKind::int64}}}};
  return simplified(parse_condition(text), schema).text();
}

}  // namespace

TEST_CASE("simplify: beginnings of texts are ranges of them") {
  CHECK(simple("starts_with(s, 'AB')") == "s >= 'AB' and s < 'AC'");
  CHECK(simple("s like 'AB%'") == "s >= 'AB' and s < 'AC'");
  CHECK(simple("s like 'AB%%'") == "s >= 'AB' and s < 'AC'");
  CHECK(simple("s like 'AB'") == "s = 'AB'");
  for (const char* other :
       {"s like 'A_%'", "s like '%A'", "s like 'A%B'", "s like '%'", "contains(s, 'A')",
        "starts_with(lower(s), 'a')", "starts_with(s, '')", "starts_with(n, 'a')"}) {
    CHECK(simple(other) == other);
  }
}

TEST_CASE("simplify: years are ranges of time, and constants go to the right") {
  CHECK(simple("year(time) = 2013") ==
        "time >= '2013-01-01T00:00:00Z' and time < '2014-01-01T00:00:00Z'");
  CHECK(simple("year(time) > 2013") == "time >= '2014-01-01T00:00:00Z'");
  CHECK(simple("2013 <= year(time)") == "time >= '2013-01-01T00:00:00Z'");
  CHECK(simple("year(time) between 2013 and 2014") ==
        "time >= '2013-01-01T00:00:00Z' and time < '2015-01-01T00:00:00Z'");
  CHECK(simple("year(time) != 2013") ==
        "time < '2013-01-01T00:00:00Z' or time >= '2014-01-01T00:00:00Z'");
  CHECK(simple("year(time) < 3000") == "time < 1e999");
  CHECK(simple("year(time) = 2013.5") == "year(time) = 2013.5");
  CHECK(simple("year(n) = 2013") == "year(n) = 2013");
  CHECK(simplified(Expression(Constant(5)) < col("n"), Schema{}).text() == "n > 5");
}

}  // namespace otolith::scan
