// Values that packed integers cannot hold, kept apart with their places.
//
// Role:    outliers and strays of a block of integers; what is no integer in blocks of floats.
// Shapes:  n values of `width` bytes each | their places u16 each, ascending
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
#include "base/limits.h"

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

/// Lets `count` integers repeat their neighbours at these places, so that they cost no width.
void exceptions_level(std::uint64_t* integers, std::uint64_t count,
                      std::span<const std::uint16_t> places) noexcept;

/// What is wrong with exceptions of `count` rows that begin `bytes`; *taken are their bytes.
std::string_view exceptions_flaw(BytesView bytes, std::uint64_t exceptions, std::uint32_t width,
                                 std::uint64_t count, std::uint64_t* taken) noexcept;

/// Puts them where they belong among the values; returns their bytes.
std::uint64_t exceptions_restore(const std::byte* from, std::uint64_t exceptions,
                                 std::uint32_t width, std::byte* values) noexcept;

}  // namespace otolith::codec
