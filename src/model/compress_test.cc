#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "model/array.h"
#include "model/compress.h"

namespace otolith::model {

TEST_CASE("compress: rows whose bits are set, of every width, and nothing beyond them") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const std::size_t rows = 1 + random() % 300;
    std::vector<std::uint64_t> bits((rows + 63) / 64);
    std::vector<std::size_t> wanted;
    const std::uint64_t kind = random() % 4;
    for (std::size_t row = 0; row < rows; ++row) {
      const bool in = kind == 0 || (kind == 1 && random() % 9 == 0) || (kind == 2 && random() % 2);
      if (!in) continue;
      bits[row / 64] |= 1ull << (row % 64);
      wanted.push_back(row);
    }
    for (const std::uint32_t width : {1u, 2u, 4u, 8u, 16u}) {
      // On the heap at its very size, so that a sanitizer sees what is touched beyond.
      std::vector<std::byte> values(rows * width);
      for (std::byte& byte : values) byte = static_cast<std::byte>(random());
      std::vector<std::byte> out(wanted.size() * width + 64, std::byte{0xa5});
      values_compress(values.data(), width, bits, out.data());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        REQUIRE(std::equal(out.begin() + static_cast<std::ptrdiff_t>(i * width),
                           out.begin() + static_cast<std::ptrdiff_t>((i + 1) * width),
                           values.begin() + static_cast<std::ptrdiff_t>(wanted[i] * width)));
      }
      for (std::size_t i = wanted.size() * width; i < out.size(); ++i)
        REQUIRE(out[i] == std::byte{0xa5});
    }
    std::vector<std::byte> valid(bitmap_bytes(rows));
    for (std::byte& byte : valid) byte = static_cast<std::byte>(random());
    const std::size_t at = random() % 9;
    std::vector<std::byte> out(bitmap_bytes(at + wanted.size()));
    bits_compress(valid, bits, out.data(), at);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      REQUIRE(bitmap_get(out, at + i) == bitmap_get(valid, wanted[i]));
  }
}

}  // namespace otolith::model
