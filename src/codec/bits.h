// Bit-packing: unsigned integers of one width, a block at a time.
//
// Role:    under every codec that makes numbers small: the last step of its encode, the first of
//          its decode.
// Shapes:  values in rows of kLanes; value i is in lane i % 16 of row i / 16. A lane's values stand
//          one behind another, least significant bit first, in its 64-bit words; word n of all 16
//          lanes makes packed row n, 128 bytes. A block has <= kBlockRows values; a short one is
//          filled up to whole rows.
// Errors:  none; sizes are the caller's to check (packed_bytes).
// Threads: thread-safe.
// Why:     rows run through memory once and in order whatever the width, in vectors of any length.
//          ADR 0031.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace otolith::codec {

inline constexpr std::uint64_t kLanes = 16;
inline constexpr unsigned kWidthMax = 64;  // bits

/// Bytes of `count` packed values of `width` bits.
constexpr std::uint64_t packed_bytes(std::uint64_t count, unsigned width) noexcept {
  const std::uint64_t rows = (count + kLanes - 1) / kLanes;
  return (rows * width + 63) / 64 * kLanes * sizeof(std::uint64_t);
}

/// `values` has `count` values, each less than 2^width behind `base` (wrapping).
void pack(const std::uint64_t* values, std::uint64_t count, unsigned width, std::uint64_t base,
          std::byte* out) noexcept;

/// The same without vectors of the machine; `width` is not 0.
void pack_plain(const std::uint64_t* values, std::uint64_t count, unsigned width,
                std::uint64_t base, std::byte* out) noexcept;

/// base + each value (wrapping); writes `count` rounded up to whole rows.
void unpack(const std::byte* in, std::uint64_t count, unsigned width, std::uint64_t base,
            std::uint64_t* out) noexcept;

/// The same, one loop for any width and machine: for short blocks, and to judge the others by.
void unpack_plain(const std::byte* in, std::uint64_t count, unsigned width, std::uint64_t base,
                  std::uint64_t* out) noexcept;

/// A whole block of one width.
using UnpackBlock = void (*)(const std::byte* in, std::uint64_t base, std::uint64_t* out) noexcept;
/// Those of this machine by width, kWidthMax + 1 of them; nullptr where unpack_plain has to do.
const UnpackBlock* unpack_blocks() noexcept;

}  // namespace otolith::codec
