// The loops that are compiled for several machines, beside plain ones.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/vectors.h"
#include "codec/block_loops.h"
#include "codec/float_loops.h"
#include "codec/steps.h"
#include "test/budget.h"

namespace otolith::codec {

namespace {

std::vector<std::uint64_t> integers(std::mt19937_64& random, std::uint64_t count) {
  std::vector<std::uint64_t> out(count);
  for (std::uint64_t& value : out) {
    value = random() >> (random() % 64);
    if (random() % 2 == 0) value = 0 - value;
  }
  return out;
}

constexpr std::uint64_t kCounts[] = {1, 2, 3, 4, 5, 7, 16, 33, 1023, 1024};

template <typename Float, typename By>
void same_floats(const std::vector<std::uint64_t>& from, By by) {
  std::vector<std::byte> fast(from.size() * sizeof(Float));
  std::vector<std::byte> plain(fast.size());
  FloatLoops<Float, By>::to_floats(from.data(), from.size(), by, fast.data());
  FloatLoops<Float, By>::floats_plain(from.data(), from.size(), by, plain.data());
  REQUIRE(fast == plain);
#ifdef __x86_64__
  if (!has_avx2()) return;
  FloatLoops<Float, By>::floats_avx2(from.data(), from.size(), by, fast.data());
  REQUIRE(fast == plain);
#endif
}

// A block, whole rows or not, with outliers or without, to floats at once and in two steps.
template <typename Float, typename By>
void same_block(std::vector<std::uint64_t> from, By by) {
  from.resize((from.size() + kLanes - 1) / kLanes * kLanes);
  for (const std::uint64_t count : {from.size(), from.size() - 1}) {
    std::array<std::byte, kBlockBytesMax> bytes;
    const std::byte* end = block_encode(from.data(), count, kOrderMax, bytes.data());
    std::vector<std::byte> fast(count * sizeof(Float));
    std::vector<std::byte> plain(fast.size());
    FloatLoops<Float, By>::floats_plain(from.data(), count, by, plain.data());
    REQUIRE(FloatLoops<Float, By>::block_to_floats(bytes.data(), count, by, fast.data()) ==
            static_cast<std::uint64_t>(end - bytes.data()));
    REQUIRE(fast == plain);
  }
}

struct Found {
  explicit Found(std::uint64_t count) : integers(count), differ(count / kFloatGroup) {}
  void same_as(const Found& other) const {
    for (std::uint64_t group = 0; group < differ.size(); ++group) {
      REQUIRE((differ[group] == 0) == (other.differ[group] == 0));
      if (other.differ[group] != 0) continue;
      for (std::uint64_t i = group * kFloatGroup; i < (group + 1) * kFloatGroup; ++i)
        REQUIRE(integers[i] == other.integers[i]);
    }
  }

  std::vector<std::uint64_t> integers;
  std::vector<std::uint64_t> differ;
};

template <typename Float, typename By>
void same_integers(const std::vector<std::uint64_t>& floats, By by) {
  using Loops = FloatLoops<Float, By>;
  const std::uint64_t groups = floats.size() / kFloatGroup;
  Found plain(floats.size());
  Found fast(floats.size());
  Loops::integers_plain(floats.data(), groups, by, plain.integers.data(), plain.differ.data());
  Loops::to_groups(floats.data(), groups, by, fast.integers.data(), fast.differ.data());
  fast.same_as(plain);
#ifdef __x86_64__
  if (!has_avx2()) return;
  Found avx2(floats.size());
  Loops::integers_avx2(floats.data(), groups, by, avx2.integers.data(), avx2.differ.data());
  avx2.same_as(plain);
#endif
}

}  // namespace

TEST_CASE(
    "loops: integers of a block are ranged, subtracted, summed, scaled and divided as one by one") {
  std::mt19937_64 random(test::seed());
  for (const std::uint64_t count : kCounts) {
    CAPTURE(count);
    const auto values = integers(random, count);
    const BlockRange range = block_range(values.data(), count);
    BlockWidths widths;
    REQUIRE(block_widths(values.data(), count, 1, values[0], widths) == count);
    for (const std::uint64_t value : values)
      --widths[static_cast<unsigned>(std::bit_width(value - values[0]))];
    REQUIRE(widths == BlockWidths{});
    REQUIRE(block_widths(values.data(), count, 3, 0, widths) == (count + 2) / 3);
    std::vector<std::uint64_t> out(count);
    block_differences(values.data(), count, out.data());
    std::uint64_t before = random();
    std::vector<std::uint64_t> sums = values;
    block_sums(sums.data(), count, before);
    const std::uint64_t factor = (random() >> (random() % 62)) | 4;
    const std::uint64_t offset = random();
    std::vector<std::uint64_t> scaled = values;
    block_scale(scaled.data(), count, factor, offset);
    std::int64_t least = INT64_MAX;
    std::int64_t greatest = INT64_MIN;
    for (std::uint64_t i = 0; i < count; ++i) {
      least = std::min(least, static_cast<std::int64_t>(values[i]));
      greatest = std::max(greatest, static_cast<std::int64_t>(values[i]));
      if (i != 0) REQUIRE(out[i] == values[i] - values[i - 1]);
      before += values[i];
      REQUIRE(sums[i] == before);
      REQUIRE(scaled[i] == values[i] * factor + offset);
    }
    REQUIRE(range.least == least);
    REQUIRE(range.greatest == greatest);
    std::vector<std::uint64_t> small(count);
    for (std::uint64_t& value : small) value = random() % 2001 - 1000;
    std::vector<std::uint64_t> products = small;
    const std::uint64_t by = random() % 1'000'000 + 1;
    block_scale(products.data(), count, by, offset);
    REQUIRE(block_divide(products.data(), count, by, offset, out.data()));
    REQUIRE(out == small);
    products.back() += 1;
    if (by % 2 == 0) REQUIRE_FALSE(block_divide(products.data(), count, by, offset, out.data()));
  }
}

TEST_CASE("loops: floats of any integers are the same from every loop") {
  std::mt19937_64 random(test::seed());
  for (const std::uint64_t count : kCounts) {
    const auto from = integers(random, count);
    for (const double step : {0.1, 100 * 0x1p-53, 1e300, 0x1p-1022, 3.3 / 4096}) {
      same_floats<double>(from, Steps{step});
      same_floats<float>(from, Steps{step});
    }
    for (const Exponents by :
         {Exponents{0, 0}, Exponents{2, 0}, Exponents{18, 18}, Exponents{14, 3}}) {
      same_floats<double>(from, Decimals(by));
      same_floats<float>(from, Decimals(by));
    }
  }
}

TEST_CASE(
    "loops: integers of any floats, and which do not come back, are the same from every loop") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint64_t> floats(kBlockRows);
    for (std::uint64_t& bits : floats) {
      bits = random() % 4 == 0 && round % 2 == 0
                 ? random()
                 : std::bit_cast<std::uint64_t>(double(random() % 100'000) * 0.01);
    }
    same_integers<double>(floats, Steps{0.01});
    same_integers<double>(floats, Decimals(Exponents{2, 0}));
    for (std::uint64_t& bits : floats)
      bits = float_bits<float>(static_cast<double>(random() % 1000) / 100);
    same_integers<float>(floats, Steps{0.01});
    same_integers<float>(floats, Decimals(Exponents{2, 0}));
  }
}

TEST_CASE("loops: blocks of integers are the same floats in one step and in two") {
  std::mt19937_64 random(test::seed());
  for (const std::uint64_t count : {16u, 33u, 1008u, 1024u}) {
    for (const unsigned bits : {0u, 1u, 13u, 53u, 64u}) {
      std::vector<std::uint64_t> from(count);
      for (std::uint64_t& value : from) value = bits == 0 ? 7 : random() >> (64 - bits);
      if (bits != 0) {
        same_block<double>(from, Steps{0.01});
        from[count / 2] = random();  // an outlier
      }
      same_block<double>(from, Steps{100 * 0x1p-53});
      same_block<float>(from, Steps{0.1});
      same_block<double>(from, Decimals(Exponents{14, 3}));
      same_block<float>(from, Decimals(Exponents{2, 0}));
    }
  }
}

TEST_CASE("loops: steps of integers close to 2^53 and beyond are the same from every loop") {
  std::mt19937_64 random(test::seed());
  constexpr double step = 100 * 0x1p-53;
  for (int round = 0; round < 100; ++round) {
    std::vector<std::uint64_t> floats(kBlockRows);
    for (std::uint64_t& bits : floats) {
      const auto k = round % 2 == 0 ? double(random() >> 11) : 0x1p53 - 8 + double(random() % 16);
      bits = std::bit_cast<std::uint64_t>((random() % 2 == 0 ? k : -k) * step);
    }
    same_integers<double>(floats, Steps{step});
    floats[static_cast<std::size_t>(round)] = std::bit_cast<std::uint64_t>(HUGE_VAL);
    floats[static_cast<std::size_t>(round) + 200] = std::bit_cast<std::uint64_t>(std::nan(""));
    floats[static_cast<std::size_t>(round) + 400] = std::bit_cast<std::uint64_t>(0x1p80 * step);
    floats[static_cast<std::size_t>(round) + 600] = std::bit_cast<std::uint64_t>(-0.0);
    same_integers<double>(floats, Steps{step});
  }
}

TEST_CASE("loops: a line is what its values are, and one value beside it is noticed") {
  std::mt19937_64 random(test::seed());
  for (const std::uint64_t count : kCounts) {
    CAPTURE(count);
    const std::uint64_t first = random();
    const std::uint64_t step = random() >> (random() % 64);
    std::vector<std::uint64_t> out(count);
    block_line(first, step, count, out.data());
    for (std::uint64_t i = 0; i < count; ++i) REQUIRE(out[i] == first + i * step);
    REQUIRE(block_is_line(out.data(), count, first, step));
    for (const std::uint64_t at : {std::uint64_t{0}, random() % count, count - 1}) {
      out[at] ^= 1ull << (random() % 64);
      REQUIRE_FALSE(block_is_line(out.data(), count, first, step));
      out[at] = first + at * step;
    }
  }
}

}  // namespace otolith::codec
