// One row of a packed block: 16 lanes of 64 bits, as the compiler's vector type.
//
// Role:    what bits.cc and bits_avx2.cc share.
// Shapes:  128 bytes, at any address.
// Errors:  none.
// Threads: thread-compatible; plain values.
// Why:     the compiler splits it into the vectors of the target it compiles for.
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "codec/bits.h"

namespace otolith::codec {

using BitsRow [[gnu::vector_size(128), gnu::aligned(1), gnu::may_alias]] = std::uint64_t;

inline constexpr unsigned kBitsRows = kBlockRows / kLanes;  // of a whole block
static_assert(sizeof(BitsRow) == kLanes * sizeof(std::uint64_t));

constexpr std::uint64_t width_mask(unsigned width) noexcept {
  return width >= kWidthMax ? ~0ull : (1ull << width) - 1;
}

}  // namespace otolith::codec
