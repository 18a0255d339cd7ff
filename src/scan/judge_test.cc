#include "scan/judge.h"

#include <doctest/doctest.h>

#include <optional>

#include "model/array.h"
#include "otolith/decimal.h"

namespace otolith::scan {

namespace {

template <typename T>
Array array_of(Type type, const std::vector<std::optional<T>>& values) {
  model::ArrayBuilder builder(type);
  for (const auto& value : values) value ? builder.append_value(*value) : builder.append_null();
  return builder.finish();
}

Verdict verdict_of(const Array& rows, const Expression& where, bool inverse = false) {
  return judge(segment::zone_of(rows), model::criterion_of(where.node(), inverse, rows.type, "x"),
               rows.length);
}

}  // namespace

TEST_CASE("judge: zone maps of decimals decide as far as their bounds go") {
  const Type type{TypeKind::decimal, 38, 2};
  const Array rows = array_of<Decimal>(type, {decimal_of(-250), decimal_of(1000)});
  CHECK(verdict_of(rows, col("x") > 10) == Verdict::none);
  CHECK(verdict_of(rows, col("x") >= "10.00") == Verdict::some);
  CHECK(verdict_of(rows, col("x") >= "-2.50") == Verdict::all);
  CHECK(verdict_of(rows, col("x") > "-2.50") == Verdict::some);
  CHECK(verdict_of(rows, col("x").isin({11, 12})) == Verdict::none);
  CHECK(verdict_of(rows, col("x").isin({11, 12}), true) == Verdict::all);
  CHECK(verdict_of(rows, col("x").between(-3, 10)) == Verdict::all);
  const Array with_null = array_of<Decimal>(type, {decimal_of(5), std::nullopt});
  CHECK(verdict_of(with_null, col("x") > 0) == Verdict::some);
  CHECK(verdict_of(with_null, col("x") > 1) == Verdict::none);
  CHECK(verdict_of(with_null, col("x") > 1, true) == Verdict::some);
}

TEST_CASE("judge: zone maps of booleans tell where all are one value") {
  using Bits = std::vector<std::optional<std::uint8_t>>;
  const auto rows = [](const Bits& bits) {
    return array_of<std::uint8_t>({TypeKind::boolean}, bits);
  };
  CHECK(verdict_of(rows({1, 1}), col("x") == true) == Verdict::all);
  CHECK(verdict_of(rows({1, 1}), col("x") == false) == Verdict::none);
  CHECK(verdict_of(rows({1, 1}), col("x") == false, true) == Verdict::all);
  CHECK(verdict_of(rows({0, 1}), col("x") == true) == Verdict::some);
  CHECK(verdict_of(rows({std::nullopt, 0}), col("x") == false) == Verdict::some);
  CHECK(verdict_of(rows({std::nullopt, 0}), col("x") == true) == Verdict::none);
}

}  // namespace otolith::scan
