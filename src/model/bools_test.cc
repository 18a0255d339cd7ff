#include "model/bools.h"

#include <doctest/doctest.h>

#include "model/array.h"
#include "test/budget.h"
#include "test/random_batch.h"

namespace otolith::model {

TEST_CASE("bools: any rows become bits and come back from any bit on, nulls as zeros") {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t rows = 1 + random() % 200;
    const Array array = test::random_array(random, {TypeKind::boolean}, rows, round % 2 == 0);
    const std::uint64_t first = random() % rows;
    const std::uint64_t count = random() % (rows - first + 1);
    Bytes bits(bitmap_bytes(count), std::byte{0xff});
    bools_pack(array, first, count, bits.data());
    for (std::uint64_t bit = 0; bit < bits.size() * 8; ++bit) {
      const bool set = ((std::to_integer<unsigned>(bits[bit / 8]) >> (bit % 8)) & 1) != 0;
      const bool expected =
          bit < count && !array.is_null(first + bit) && array.value<std::uint8_t>(first + bit) == 1;
      REQUIRE(set == expected);
    }
    const std::uint64_t from = count == 0 ? 0 : random() % count;
    Bytes back(count - from + 1, std::byte{9});
    bools_unpack(bits.data(), from, count - from, back.data());
    for (std::uint64_t row = from; row < count; ++row) {
      const bool expected =
          !array.is_null(first + row) && array.value<std::uint8_t>(first + row) == 1;
      REQUIRE(back[row - from] == std::byte{expected});
    }
    REQUIRE(back.back() == std::byte{9});
  }
}

TEST_CASE("bools: what a caller left in slots of nulls spoils no neighbour") {
  Array array{.type = {TypeKind::boolean}, .length = 16, .null_count = 8};
  Bytes values(16, std::byte{0xfe});
  for (std::size_t row = 0; row < 16; row += 2) values[row] = std::byte{1};
  array.values = buffer_of(values);
  array.validity = buffer_of({std::byte{0x55}, std::byte{0x55}});
  Bytes bits(2);
  bools_pack(array, 0, 16, bits.data());
  CHECK(bits == Bytes{std::byte{0x55}, std::byte{0x55}});
}

}  // namespace otolith::model
