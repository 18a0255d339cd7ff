#include "model/exact_sum.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "base/int128.h"
#include "model/double_sum.h"
#include "test/budget.h"

namespace otolith::model {

namespace {

double exact(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum.rounded();
}

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// Integers times 2^exponent: their sum is exact in 128 bits, and so is its rounding.
std::vector<double> scaled(std::mt19937_64& random, int exponent, double* sum) {
  std::vector<double> out;
  Int128 total = 0;
  for (std::uint64_t i = 0, count = random() % 50; i < count; ++i) {
    const auto whole = static_cast<std::int64_t>(random()) >> (11 + random() % 50);
    out.push_back(std::ldexp(static_cast<double>(whole), exponent));
    total += whole;
  }
  *sum = std::ldexp(static_cast<double>(total), exponent);
  return out;
}

}  // namespace

TEST_CASE("exact sum: what cancels leaves what is small, and ties go to even") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(same(exact({}), 0.0));
  CHECK(same(exact({-0.0, -0.0}), 0.0));
  CHECK(exact({1e300, 1, -1e300}) == 1);
  CHECK(exact({5e-324, 1e308, -1e308}) == 5e-324);
  CHECK(exact({1e308, 1e308, -1e308, -1e308, 3}) == 3);
  CHECK(exact({1e308, 1e308}) == inf);
  CHECK(exact({-1e308, -1e308}) == -inf);
  CHECK(exact({0x1p53, 1}) == 0x1p53);
  CHECK(exact({0x1p53, 3}) == 0x1p53 + 4);
  CHECK(exact({0x1p53, 1, 5e-324}) == 0x1p53 + 2);
  CHECK(exact({-0x1p53, -1, -5e-324}) == -0x1p53 - 2);
  CHECK(exact(std::vector<double>(10, 0.1)) == 1.0);
  CHECK(exact({inf, 1}) == inf);
  CHECK(exact({-inf, 1}) == -inf);
  CHECK(std::isnan(exact({inf, -inf})));
  CHECK(std::isnan(exact({std::nan(""), 1})));
}

TEST_CASE("exact sum: equals integers of 128 bits at any scale, in any order and grouping") {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 3000; ++i) {
    CAPTURE(i);
    double expected = 0;
    const int exponent = static_cast<int>(random() % 1900) - 1000;
    std::vector<double> values = scaled(random, exponent, &expected);
    REQUIRE(same(exact(values), expected));
    const double big = std::ldexp(1.0, static_cast<int>(random() % 2000) - 1000);
    values.insert(values.end(), {big, -big});
    std::ranges::shuffle(values, random);
    const std::size_t cut = random() % (values.size() + 1);
    ExactSum left, right;
    for (std::size_t at = 0; at < values.size(); ++at) (at < cut ? left : right).add(values[at]);
    left.add(right);
    REQUIRE(same(left.rounded(), expected));
  }
}

TEST_CASE("double sum: a rounding that is proved is the exact one") {
  std::mt19937_64 random(test::seed());
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::uint64_t proved = 0;
  constexpr std::uint64_t kCases = 3000;
  for (std::uint64_t i = 0; i < kCases; ++i) {
    CAPTURE(i);
    DoubleSum sum;
    ExactSum exactly;
    double magnitude = 0;
    const std::uint64_t count = 1 + random() % 100;
    for (std::uint64_t at = 0; at < count; ++at) {
      const double value = std::ldexp(uniform(random), static_cast<int>(random() % 60));
      sum = sum_add(sum, {value, 0});
      exactly.add(value);
      magnitude += std::abs(value);
    }
    const auto rounded = sum_rounded(sum, magnitude * static_cast<double>(count) * 0x1p-104);
    if (!rounded) continue;
    ++proved;
    REQUIRE(*rounded == exactly.rounded());
  }
  CHECK(proved > kCases * 9 / 10);
  CHECK_FALSE(sum_rounded({0x1p53, 1}, 0x1p-60).has_value());  // a tie
  CHECK_FALSE(sum_rounded({0, 0}, 0x1p-60).has_value());
  CHECK(sum_rounded({0, 0}, 0) == 0.0);
}

}  // namespace otolith::model
