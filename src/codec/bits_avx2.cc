// Unpacking of a whole block for AVX2, one function per width.
//
// A width that is known to the compiler unrolls into loads, shifts by constants and stores without
// a branch. These 65 functions take longer to compile than the rest of the room, hence this file.
#include <array>
#include <utility>

#include "base/vectors.h"
#include "codec/bits_row.h"

namespace otolith::codec {

#ifdef __x86_64__

namespace {

// Bounds of a block are checked before; instrumenting each of 4,000 loads would take minutes.
#define OTO_AVX2_KERNEL \
  __attribute__((target("avx2"), no_sanitize("address", "undefined", "thread")))

template <unsigned width>
OTO_AVX2_KERNEL void unpack_block(const std::byte* in, std::uint64_t base,
                                  std::uint64_t* out) noexcept {
  const auto* from = reinterpret_cast<const BitsRow*>(in);
  auto* to = reinterpret_cast<BitsRow*>(out);
#pragma clang loop unroll(full)
  for (unsigned row = 0; row < kBitsRows; ++row) {
    BitsRow value{};
    if constexpr (width != 0) {
      const unsigned word = row * width / 64;
      const unsigned shift = row * width % 64;
      value = from[word] >> shift;
      if (shift + width > 64) value |= from[word + 1] << ((64 - shift) % 64);
      value &= width_mask(width);
    }
    to[row] = value + base;
  }
}

template <unsigned... widths>
constexpr auto blocks_of(std::integer_sequence<unsigned, widths...>) {
  return std::array<UnpackBlock, sizeof...(widths)>{unpack_block<widths>...};
}

constexpr auto kBlocks = blocks_of(std::make_integer_sequence<unsigned, kWidthMax + 1>());

}  // namespace

const UnpackBlock* unpack_blocks() noexcept { return has_avx2() ? kBlocks.data() : nullptr; }

#else

const UnpackBlock* unpack_blocks() noexcept { return nullptr; }

#endif

}  // namespace otolith::codec
