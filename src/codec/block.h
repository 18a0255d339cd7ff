// A block of integers made small: differences taken, packed, outliers apart.
//
// Role:    the body of the codecs frame, delta and alp.
// Shapes:  <= kBlockRows values as 64-bit integers; all sums wrap. The bytes, a multiple of 8:
//
//   width u8 | order u8 | outliers u16 | scaled u8 | zero u8 | strays u16 | base u64
//   | order 1, 2: start u64 | order 2: slope u64 | scaled 1: factor u64, offset u64
//   | packed rows of 128 bytes
//   | outliers, then strays (exceptions.h): 8 bytes and a place each
//
//          Order 0: value = base + packed. Order 1: those are differences, summed up from `start`
//          (the value before the first). Order 2: those of differences, from `slope` (the
//          difference before the first). An outlier takes the place of base + packed. Scaled: what
//          this gives, times `factor`, plus `offset`; strays take the place of that.
// Errors:  block_flaw says what is wrong; block_decode relies on it.
// Threads: thread-safe.
// Why:     outliers apart, so that one gap or jump does not widen 1,023 others; a base that wraps,
//          so that they may lie on both sides. A factor, because times often are whole seconds;
//          strays, because one in a few hundred often is not.
// Source:  patched frame of reference: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression",
//          ICDE 2006.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/limits.h"

namespace otolith::codec {

inline constexpr unsigned kOrderMax = 2;
inline constexpr std::size_t kBlockHeadBytes = 16;  // without start and slope

/// Room for a block.
using BlockValues = std::array<std::uint64_t, kBlockRows>;

/// No block takes more: all values packed as they are is one of the choices, and a factor saves at
/// least twice what its strays take.
inline constexpr std::size_t kBlockBytesMax =
    kBlockHeadBytes + (kOrderMax + 2 + kBlockRows) * sizeof(std::uint64_t);

/// Writes the first `count` values (at least one) at the cheapest order up to `order_max`; order 0
/// is kept unless another saves a tenth, because sums cost time. `out` has room for kBlockBytesMax;
/// returns the end of what it wrote.
std::byte* block_encode(const std::uint64_t* values, std::uint64_t count, unsigned order_max,
                        std::byte* out) noexcept;
/// The same, appended.
void block_encode(const BlockValues& values, std::uint64_t count, unsigned order_max,
                  ByteWriter& out);

/// What is wrong with the block that begins `bytes`; else empty, and *taken its bytes.
std::string_view block_flaw(BytesView bytes, std::uint64_t count, unsigned order_max,
                            std::uint64_t* taken) noexcept;

/// What a block without flaw takes.
std::uint64_t block_bytes(const std::byte* bytes, std::uint64_t count) noexcept;

/// A block without flaw that is neither summed nor scaled: where its parts are.
struct PackedBlock {
  unsigned width = 0;
  std::uint64_t base = 0;
  const std::byte* packed = nullptr;
  std::uint64_t outliers = 0;
  const std::byte* outlier_values = nullptr;
  const std::byte* outlier_places = nullptr;
  std::uint64_t bytes = 0;  // of the whole block
};
/// nullopt where there is more to do than unpacking and putting outliers in.
std::optional<PackedBlock> block_packed(const std::byte* bytes, std::uint64_t count) noexcept;

/// The values of a block without flaw, rounded up to kLanes; returns the bytes it takes.
std::uint64_t block_decode(const std::byte* bytes, std::uint64_t count,
                           std::uint64_t* out) noexcept;

}  // namespace otolith::codec
