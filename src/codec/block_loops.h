// Loops over the integers of a block, in the longest vectors of the machine.
//
// Role:    under block.cc: what an encode looks at, and what a decode does behind unpacking.
// Shapes:  integers as u64, as many as there are; all sums wrap.
// Errors:  none.
// Threads: thread-safe.
// Why:     the house is compiled for any x86-64, whose vectors hold two integers and can neither
//          compare nor multiply them; each loop is compiled again for AVX2, which compares, and for
//          AVX-512DQ, which multiplies, and chosen at run time.
#pragma once

#include <array>
#include <cstdint>

#include "codec/bits.h"

namespace otolith::codec {

/// Signed.
struct BlockRange {
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
};
BlockRange block_range(const std::uint64_t* values, std::uint64_t count) noexcept;

/// How many of every `step`-th value have which width in bits over `base`; returns how many it saw.
using BlockWidths = std::array<std::uint32_t, kWidthMax + 1>;
std::uint64_t block_widths(const std::uint64_t* values, std::uint64_t count, std::uint64_t step,
                           std::uint64_t base, BlockWidths& out) noexcept;

/// out[i] = values[i] - values[i - 1] from 1 on.
void block_differences(const std::uint64_t* values, std::uint64_t count,
                       std::uint64_t* out) noexcept;

/// Each value becomes `before` + all values up to it.
void block_sums(std::uint64_t* values, std::uint64_t count, std::uint64_t before) noexcept;

/// values[i] * factor + offset.
void block_scale(std::uint64_t* values, std::uint64_t count, std::uint64_t factor,
                 std::uint64_t offset) noexcept;

/// What block_scale made these from: signed, exact where there is such a thing. False if a value is
/// no multiple of the factor's power of two; one that is none of its odd part becomes anything.
bool block_divide(const std::uint64_t* values, std::uint64_t count, std::uint64_t factor,
                  std::uint64_t offset, std::uint64_t* out) noexcept;

/// out[i] = first + i * step.
void block_line(std::uint64_t first, std::uint64_t step, std::uint64_t count,
                std::uint64_t* out) noexcept;
/// Whether that is what all values are.
bool block_is_line(const std::uint64_t* values, std::uint64_t count, std::uint64_t first,
                   std::uint64_t step) noexcept;

}  // namespace otolith::codec
