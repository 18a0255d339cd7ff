// A block of floats that become integers, or their bits where too few do.
//
// Role:    what alp and lattice have in common.
// Shapes:  <= kBlockRows floats of `width` 4 or 8 bytes. The bytes, a multiple of 8:
//
//   scheme u8 | e u8 | f u8 | zero u8 | exceptions u16 | zero u16 | integers (block.h)
//   | exceptions (exceptions.h)
//
//          Scheme 1: the integers of the floats, of order 0 or 1; e and f are alp's. Scheme 0: they
//          are the bits of the floats, of order 0; e, f and exceptions are 0.
// Errors:  float_block_flaw says what is wrong; float_block_decode relies on it.
// Threads: thread-safe.
// Why:     one form, so that a chunk's odd block costs what its bits do and no more.
#pragma once

#include "codec/decimals.h"
#include "codec/exceptions.h"
#include "codec/numbers.h"

namespace otolith::codec {

/// What became of the floats of a block.
struct FloatIntegers {
  alignas(64) BlockValues integers;
  BlockPlaces places;  // ascending, of those that do not come back
  std::uint64_t exceptions = 0;

  std::span<const std::uint16_t> odd() const noexcept {
    return std::span(places).first(exceptions);
  }
};

inline constexpr std::size_t kFloatHeadBytes = 8;
/// Integers are kept where they take no more than bits do, or have hardly any exceptions.
inline constexpr std::size_t kFloatBlockBytesMax =
    kFloatHeadBytes + kBlockBytesMax +
    exceptions_bytes(kBlockRows / kExceptionsWorth, sizeof(double));

/// Writes whichever is smaller, within kFloatBlockBytesMax; returns the end.
std::byte* float_block_encode(const std::uint64_t* values, std::uint64_t count, std::uint32_t width,
                              Exponents by, FloatIntegers& integers, std::byte* out) noexcept;
/// Writes their bits.
std::byte* float_block_bits(const std::uint64_t* values, std::uint64_t count,
                            std::byte* out) noexcept;

/// What is wrong with the block that begins `bytes`; else empty, and *taken its bytes.
std::string_view float_block_flaw(BytesView bytes, std::uint64_t count, std::uint32_t width,
                                  unsigned exponent_max, std::uint64_t* taken) noexcept;

/// What a block without flaw takes.
std::uint64_t float_block_bytes(const std::byte* bytes, std::uint64_t count,
                                std::uint32_t width) noexcept;

/// The bits of floats, cut to `width`, as their block holds them.
std::uint64_t float_bits_decode(const std::byte* bytes, std::uint64_t count, std::uint32_t width,
                                std::byte* out) noexcept;

/// Codec::gather of such blocks; `decode` as that of blocks_gather.
template <typename Decode>
void float_blocks_gather(const std::byte* at, const PageFacts& facts, const WantedRows& rows,
                         std::byte* out, Decode decode) {
  blocks_gather(
      at, facts, rows, out,
      [width = type_width(facts.type)](const std::byte* block, std::uint64_t count) {
        return float_block_bytes(block, count, width);
      },
      decode);
}

}  // namespace otolith::codec
