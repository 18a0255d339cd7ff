// Floats that a block cannot hold as integers, kept apart with their places.
//
// Role:    the end of a block of alp, lattice and alp_rd.
// Shapes:  n values of `width` bytes each | their places in the block u16 each, ascending
//          | zero to a multiple of 8.
// Errors:  exceptions_flaw says what is wrong; exceptions_restore relies on it.
// Threads: thread-safe.
// Why:     apart from the packed integers, so that one odd value costs its own bytes and no width.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "codec/block.h"

namespace otolith::codec {

/// Room for the places of a block's exceptions.
using BlockPlaces = std::array<std::uint16_t, kBlockRows>;

/// Up to one value in so many, a block is not worth another form.
inline constexpr std::uint64_t kExceptionsWorth = 16;

constexpr std::uint64_t exceptions_bytes(std::uint64_t exceptions, std::uint64_t width) noexcept {
  return align_up(exceptions * (width + sizeof(std::uint16_t)), 8);
}

/// Writes the values at these places; returns the end.
std::byte* exceptions_put(const std::uint64_t* values, std::span<const std::uint16_t> places,
                          std::uint32_t width, std::byte* out) noexcept;

/// Lets the integers at these places repeat their neighbours, so that they cost no width.
void exceptions_level(BlockValues& integers, std::uint64_t count,
                      std::span<const std::uint16_t> places) noexcept;

/// What is wrong with exceptions that begin `bytes`; *taken are their bytes.
std::string_view exceptions_flaw(BytesView bytes, std::uint64_t exceptions, std::uint32_t width,
                                 std::uint64_t count, std::uint64_t* taken) noexcept;

/// Puts them where they belong in the floats of a block; returns their bytes.
std::uint64_t exceptions_restore(const std::byte* from, std::uint64_t exceptions,
                                 std::uint32_t width, std::byte* floats) noexcept;

}  // namespace otolith::codec
