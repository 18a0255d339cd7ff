#include "model/bools.h"

namespace otolith::model {

namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;

// The last bit of each of eight bytes, the first byte's lowest. Each product lands in a place of
// its own in the highest byte, and none carries into it.
std::byte pack_eight(const std::byte* values) noexcept {
  const std::uint64_t bytes = load_le<std::uint64_t>(values) & kOnes;
  return static_cast<std::byte>((bytes * 0x0102040810204080) >> 56);
}

// Eight copies of the bits, of each of which one is left; what is not zero carries into its
// highest bit.
void unpack_eight(std::byte bits, std::byte* out) noexcept {
  const std::uint64_t one_each =
      (std::to_integer<std::uint64_t>(bits) * kOnes) & 0x8040201008040201;
  store_le(out, ((one_each + 0x7f7f7f7f7f7f7f7f) >> 7) & kOnes);
}

}  // namespace

void bools_pack(const Array& array, std::uint64_t first, std::uint64_t count,
                std::byte* out) noexcept {
  const std::byte* values = array.values.bytes.data() + first;
  std::uint64_t row = 0;
  for (; row + 8 <= count; row += 8) out[row / 8] = pack_eight(values + row);
  if (row < count) {
    unsigned rest = 0;
    for (std::uint64_t i = row; i < count; ++i)
      rest |= (std::to_integer<unsigned>(values[i]) & 1u) << (i - row);
    out[row / 8] = static_cast<std::byte>(rest);
  }
  if (array.null_count == 0) return;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (array.is_null(first + i)) out[i / 8] &= static_cast<std::byte>(~(1u << (i % 8)));
  }
}

void bools_unpack(const std::byte* bits, std::uint64_t first, std::uint64_t count,
                  std::byte* out) noexcept {
  const auto bit = [&](std::uint64_t row) {
    const std::uint64_t at = first + row;
    return static_cast<std::byte>((std::to_integer<unsigned>(bits[at / 8]) >> (at % 8)) & 1u);
  };
  std::uint64_t row = 0;
  if (first % 8 == 0) {
    for (; row + 8 <= count; row += 8) unpack_eight(bits[(first + row) / 8], out + row);
  }
  for (; row < count; ++row) out[row] = bit(row);
}

}  // namespace otolith::model
