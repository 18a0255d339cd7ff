#include "codec/select.h"

#include <doctest/doctest.h>

#include <random>

#include "codec/steps.h"
#include "model/array.h"
#include "test/budget.h"
#include "test/encoded_answers.h"

namespace otolith::codec {

namespace {

using model::Criterion;

// A block of integers as it is stored.
Bytes block_of(const std::vector<std::uint64_t>& values) {
  BlockValues room{};
  std::ranges::copy(values, room.begin());
  ByteWriter out;
  block_encode(room, values.size(), 0, out);
  return out.take();
}

std::vector<bool> selected(const Bytes& block, std::uint64_t count, const IntegerTest& test) {
  std::vector<std::uint64_t> bits(model::bit_words(count), ~0ull);
  CHECK(block_select(block.data(), count, test, bits.data()) == block.size());
  std::vector<bool> out;
  for (std::uint64_t row = 0; row < bits.size() * 64; ++row)
    out.push_back(((bits[row / 64] >> (row % 64)) & 1) != 0);
  return out;
}

}  // namespace

TEST_CASE("select: a block answers as its integers do, over every end of a range, wrapping too") {
  const std::uint64_t ends[] = {0, 1, 5, 98, 99, 100, 131, 132, ~0ull - 1, ~0ull, 1ull << 63};
  for (const std::uint64_t base : {100ull, 0ull, ~0ull - 15, (1ull << 63) - 16}) {
    std::vector<std::uint64_t> values;
    for (std::uint64_t i = 0; i < 70; ++i) values.push_back(base + (i * 7) % 32);
    const Bytes block = block_of(values);
    // Values on both sides of the greatest with a sign are outliers to each other.
    const auto packed = block_packed(block.data(), values.size());
    REQUIRE((packed && packed->outliers == 0) == (base >> 60 != 7));
    for (const std::uint64_t low : ends) {
      for (const std::uint64_t steps : ends) {
        for (const bool inverse : {false, true}) {
          const IntegerTest test{{{base - 100 + low, steps}}, inverse};
          const std::vector<bool> told = selected(block, values.size(), test);
          for (std::uint64_t row = 0; row < told.size(); ++row) {
            const bool within = row < values.size() && values[row] - (base - 100 + low) <= steps;
            REQUIRE(told[row] == (row < values.size() && within != inverse));
          }
        }
      }
    }
  }
}

TEST_CASE("select: a block of which the head says enough is not unpacked") {
  std::vector<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 1024; ++i) values.push_back(1000 + i % 16);
  Bytes block = block_of(values);
  std::ranges::fill(std::span(block).subspan(kBlockHeadBytes), std::byte{0});  // all 1000
  const auto count_of = [&](const IntegerTest& test) {
    return std::ranges::count(selected(block, 1024, test), true);
  };
  CHECK(count_of({{{1000, 15}}, false}) == 1024);
  CHECK(count_of({{{1016, 500}}, false}) == 0);
  CHECK(count_of({{{1016, 500}, {0, 999}}, true}) == 1024);
  CHECK(count_of({{{1001, 15}}, false}) == 0);  // unpacked, as it says nothing of 1000
}

TEST_CASE("select: floats are told from integers at every edge of their steps") {
  std::mt19937_64 random(test::seed());
  for (const double step : {100 * 0x1p-53, 0.1, 3.3 / 4096, 1.0, 0x1p-1000, 0x1p900}) {
    const Steps by{step};
    for (int i = 0; i < 200; ++i) {
      const auto k = static_cast<std::int64_t>(random() >> (random() % 63)) - (1ll << 20);
      const double value = by.value(static_cast<std::uint64_t>(k));
      if (!std::isfinite(value)) continue;
      const double ends[] = {value, std::nextafter(value, HUGE_VAL),
                             std::nextafter(value, -HUGE_VAL), -HUGE_VAL, HUGE_VAL};
      for (const double low : ends) {
        for (const double high : ends) {
          Criterion test{.type = {TypeKind::float64}, .kind = Criterion::Kind::range};
          test.floats = {low, high};
          const IntegerTest asked = float_test<double>(test, by);
          for (std::int64_t near = k - 2; near <= k + 2; ++near) {
            const auto integer = static_cast<std::uint64_t>(near);
            const bool told = std::ranges::any_of(asked.ranges, [&](const IntegerRange& range) {
              return integer - range.low <= range.steps;
            });
            REQUIRE(told == test.holds(by.value(integer)));
          }
        }
      }
    }
  }
}

TEST_CASE("select: what a writer did not widen is cut before it is asked, as it is when read") {
  const auto test_of = [](TypeKind kind, Int128 low, Int128 high) {
    Criterion test{.type = {kind}, .kind = Criterion::Kind::range};
    test.integers = {low, high};
    return integer_test(test);
  };
  const auto count_of = [](const Bytes& block, std::uint64_t count, const IntegerTest& test) {
    return std::ranges::count(selected(block, count, test), true);
  };
  const Bytes high = block_of(std::vector<std::uint64_t>(64, 255));
  CHECK(count_of(high, 64, test_of(TypeKind::int8, -1, -1)) == 64);
  CHECK(count_of(high, 64, test_of(TypeKind::int8, 0, 127)) == 0);
  CHECK(count_of(high, 64, test_of(TypeKind::uint8, 255, 255)) == 64);
  CHECK(count_of(high, 64, test_of(TypeKind::int16, 255, 255)) == 64);
  const Bytes odd = block_of(std::vector<std::uint64_t>(64, 257));
  CHECK(count_of(odd, 64, test_of(TypeKind::boolean, 1, 1)) == 64);
  std::vector<std::uint64_t> wrapping;  // 2^32 - 32 to 2^32 + 31
  for (std::uint64_t i = 0; i < 64; ++i) wrapping.push_back((1ull << 32) - 32 + i);
  CHECK(count_of(block_of(wrapping), 64, test_of(TypeKind::int32, -32, -1)) == 32);
  CHECK(count_of(block_of(wrapping), 64, test_of(TypeKind::uint32, 0, 31)) == 32);
}

TEST_CASE("select: sets of many values are left to the values") {
  Criterion test{.type = {TypeKind::int64}, .kind = Criterion::Kind::set};
  for (std::size_t i = 0; i < kSelectRangesMax; ++i)
    test.integer_set.push_back(static_cast<Int128>(2 * i));
  CHECK(is_selectable(test));
  test.integer_set.push_back(99);
  CHECK_FALSE(is_selectable(test));
}

}  // namespace otolith::codec
