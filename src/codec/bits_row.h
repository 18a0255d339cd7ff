// One row of a packed block: 16 lanes of 64 bits, as the compiler's vector type.
//
// Role:    what bits.cc, bits_avx2.cc and float_loops.h share.
// Shapes:  128 bytes, at any address.
// Errors:  none.
// Threads: thread-compatible; plain values.
// Why:     the compiler splits it into the vectors of the target it compiles for.
#pragma once

#include <cstdint>

#include "base/inline.h"
#include "base/limits.h"
#include "codec/bits.h"

namespace otolith::codec {

using BitsRow [[gnu::vector_size(128), gnu::aligned(1), gnu::may_alias]] = std::uint64_t;
// Its lanes as other numbers.
using IntegerRow [[gnu::vector_size(128), gnu::aligned(1), gnu::may_alias]] = std::int64_t;
using DoubleRow [[gnu::vector_size(128), gnu::aligned(1), gnu::may_alias]] = double;
using FloatRow [[gnu::vector_size(64), gnu::aligned(1), gnu::may_alias]] = float;

inline constexpr unsigned kBitsRows = kBlockRows / kLanes;  // of a whole block
static_assert(sizeof(BitsRow) == kLanes * sizeof(std::uint64_t));

constexpr std::uint64_t width_mask(unsigned width) noexcept {
  return width >= kWidthMax ? ~0ull : (1ull << width) - 1;
}

/// Calls `take` with each row of values of any width and its number.
template <typename Take>
OTO_INLINE inline void unpack_rows(const std::byte* in, std::uint64_t rows, unsigned width,
                                   std::uint64_t base, Take take) noexcept {
  const auto* from = reinterpret_cast<const BitsRow*>(in);
  const std::uint64_t mask = width_mask(width);
  unsigned shift = 0;
  for (std::uint64_t row = 0; row < rows; ++row) {
    BitsRow value{};
    if (width != 0) value = *from >> shift;
    shift += width;
    if (shift >= 64) {
      ++from;
      shift -= 64;
      if (shift != 0) value |= *from << (width - shift);
    }
    take(row, (value & mask) + base);
  }
}

}  // namespace otolith::codec
