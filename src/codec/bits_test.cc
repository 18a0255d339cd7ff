#include "codec/bits.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "test/budget.h"

namespace otolith::codec {

namespace {

// Values of a width, packed; `values` has room for whole rows.
struct Packed {
  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> expected;
  Bytes bytes;
};

Packed packed_of(std::mt19937_64& random, std::uint64_t count, unsigned width, std::uint64_t base) {
  Packed out;
  out.values.resize(kBlockRows);
  const std::uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t bits = i % 7 == 0 ? mask : random() & mask;
    out.values[i] = base + bits;
  }
  out.expected.assign(out.values.begin(), out.values.begin() + static_cast<std::ptrdiff_t>(count));
  out.bytes.resize(packed_bytes(count, width), std::byte{0xee});
  pack(out.values.data(), count, width, base, out.bytes.data());
  return out;
}

}  // namespace

TEST_CASE("bits: every width and length comes back, and every kernel agrees with the plain one") {
  std::mt19937_64 random(test::seed());
  for (unsigned width = 0; width <= kWidthMax; ++width) {
    for (const std::uint64_t count : {1u, 15u, 16u, 17u, 500u, 1023u, 1024u}) {
      CAPTURE(width);
      CAPTURE(count);
      const std::uint64_t base = random();
      const Packed packed = packed_of(random, count, width, base);
      std::array<std::uint64_t, kBlockRows> out{};
      std::array<std::uint64_t, kBlockRows> plain{};
      unpack(packed.bytes.data(), count, width, base, out.data());
      unpack_plain(packed.bytes.data(), count, width, base, plain.data());
      REQUIRE(out == plain);
      if (const UnpackBlock* blocks = unpack_blocks(); blocks != nullptr && count == kBlockRows) {
        out.fill(0);
        blocks[width](packed.bytes.data(), base, out.data());
        REQUIRE(out == plain);
      }
      Bytes again(packed.bytes.size());
      if (width != 0) pack_plain(packed.values.data(), count, width, base, again.data());
      REQUIRE(again == packed.bytes);
      for (std::uint64_t i = 0; i < count; ++i) REQUIRE(out[i] == packed.expected[i]);
    }
  }
}

TEST_CASE("bits: value i is in lane i % 16, least significant bit first") {
  std::array<std::uint64_t, kBlockRows> values{};
  for (std::uint64_t i = 0; i < kBlockRows; ++i) values[i] = i % 16 == 3 ? i / 16 % 4 : 0;
  Bytes bytes(packed_bytes(kBlockRows, 2));
  REQUIRE(bytes.size() == 256);
  pack(values.data(), kBlockRows, 2, 0, bytes.data());
  for (std::size_t word = 0; word < 32; ++word) {
    CHECK(load_le<std::uint64_t>(&bytes[word * 8]) == (word % 16 == 3 ? 0xe4e4e4e4e4e4e4e4ull : 0));
  }
}

TEST_CASE("bits: a short block takes whole rows of 128 bytes, no more") {
  CHECK(packed_bytes(0, 10) == 0);
  CHECK(packed_bytes(1, 10) == 128);
  CHECK(packed_bytes(100, 10) == 256);
  CHECK(packed_bytes(1024, 10) == 1280);
  CHECK(packed_bytes(1024, 64) == 8192);
  CHECK(packed_bytes(1000, 0) == 0);
}

}  // namespace otolith::codec
