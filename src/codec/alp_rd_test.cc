#include "codec/alp_rd.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <functional>
#include <limits>
#include <random>

#include "base/limits.h"
#include "codec/bits.h"
#include "codec/registry.h"
#include "codec/split_loops.h"
#include "test/budget.h"
#include "test/pages.h"

namespace otolith::codec {

namespace {

template <typename Float>
Array floats(TypeKind kind, const std::function<Float(std::uint64_t row)>& value,
             std::uint64_t rows = kRowGroupRowsMax) {
  model::ArrayBuilder builder({kind});
  for (std::uint64_t row = 0; row < rows; ++row) builder.append_value(value(row));
  return builder.finish();
}

// Bits a value, after every one has come back.
double bits_of(const Array& chunk) {
  REQUIRE(test::same_plain(test::encoded_and_back(alp_rd_codec(), chunk, kPageRowsMax), chunk));
  return static_cast<double>(chunk_parts(alp_rd_codec(), chunk, kPageRowsMax).values.bytes.size()) *
         8 / static_cast<double>(chunk.length);
}

}  // namespace

TEST_CASE("alp_rd: noise of both signs takes its mantissa, four bits and a few exceptions") {
  std::mt19937_64 random(test::seed());
  std::normal_distribution<double> noise;
  const Array wide = floats<double>(TypeKind::float64, [&](auto) { return noise(random); });
  CHECK(bits_of(wide) < 56.9);
  CHECK(codec_choose(Profile::hot, wide).name() == "alp_rd");
  const Array narrow = floats<float>(TypeKind::float32, [&](auto) { return float(noise(random)); });
  CHECK(bits_of(narrow) < 28.3);  // 27.8 to 28.0 by the seed
  CHECK(codec_choose(Profile::hot, narrow).name() == "alp_rd");
}

TEST_CASE("alp_rd: floats of any bits come back though it is no use") {
  std::mt19937_64 random(test::seed());
  using Limits = std::numeric_limits<double>;
  const double odd[] = {-0.0,
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        -Limits::signaling_NaN(),
                        Limits::denorm_min(),
                        Limits::max(),
                        Limits::lowest()};
  for (const double one : odd)
    CHECK(bits_of(floats<double>(TypeKind::float64, [&](auto) { return one; })) < 64.3);
  CHECK(bits_of(floats<double>(
            TypeKind::float64, [&](auto) { return odd[random() % std::size(odd)]; }, 5000)) < 82);
  bits_of(floats<double>(TypeKind::float64, [&](auto) { return std::bit_cast<double>(random()); }));
}

TEST_CASE("alp_rd: the fastest loop of this machine gives the bits of the plain one") {
  std::mt19937_64 random(test::seed());
  for (unsigned right = 16; right < 64; ++right) {
    Split split{.right = right};
    const unsigned width = right < 32 ? 32 : 64;  // upper parts have 16 bits at most
    for (std::uint64_t& upper : split.upper)
      upper = (random() >> (64 - std::min(16u, width - right))) << right;
    if (right >= 32 && right < 48) continue;
    for (const std::uint64_t count : {0u, 1u, 3u, 9u, 16u, 1023u, 1024u}) {
      std::array<std::uint64_t, kBlockRows> fast{};
      const unsigned code_bits = std::min(4u, 64 - right);
      for (std::uint64_t& word : fast) word = random() >> (64 - code_bits - right);
      std::array<std::uint64_t, kBlockRows> plain = fast;
      split_floats(fast.data(), count, split);
      split_floats_plain(plain.data(), count, split);
      const std::uint64_t mask = width == 32 ? UINT32_MAX : UINT64_MAX;
      for (std::uint64_t i = 0; i < kBlockRows; ++i) REQUIRE((fast[i] & mask) == (plain[i] & mask));
    }
  }
}

TEST_CASE("alp_rd: a head that cannot be is a flaw") {
  std::mt19937_64 random(test::seed());
  std::normal_distribution<double> noise;
  const Array chunk = floats<double>(TypeKind::float64, [&](auto) { return noise(random); }, 2000);
  const EncodedChunk encoded = chunk_parts(alp_rd_codec(), chunk, kPageRowsMax);
  const auto flawed = [&](std::size_t at, unsigned value) {
    Bytes bytes(encoded.values.bytes.begin(), encoded.values.bytes.end());
    bytes[at] = static_cast<std::byte>(value);
    const PageFacts facts{chunk.type, chunk.length};
    return !page_flaw(alp_rd_codec(), {{{}, {}, buffer_of(std::move(bytes)), 0}, facts}).empty();
  };
  const auto right = std::to_integer<unsigned>(encoded.values.bytes[0]);
  CHECK_FALSE(flawed(0, right));
  for (const unsigned wrong : {0u, 47u, 63u, 64u, 255u}) CHECK(flawed(0, wrong));
  for (const unsigned wrong : {0u, 17u, 255u}) CHECK(flawed(1, wrong));
  for (const std::size_t reserved : {2u, 7u}) CHECK(flawed(reserved, 1));
  // 16 entries where upper parts have one bit: words of 67 bits.
  Bytes wide(40 + 8 + packed_bytes(16, 67));
  wide[0] = std::byte{63};
  wide[1] = std::byte{16};
  CHECK(page_flaw(alp_rd_codec(), {{{}, {}, buffer_of(wide), 0}, {chunk.type, 16}}) != "");
  CHECK(flawed(40 + 2, 1));
  CHECK(flawed(40 + 1, 255));
}

}  // namespace otolith::codec
