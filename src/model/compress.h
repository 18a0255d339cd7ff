// Picks the rows whose bits are set, in their order.
//
// Role:    where much of a page is wanted: what a filter or a delete left of it.
// Shapes:  a bit for each row, the lowest first; as many values out as bits are set.
// Errors:  none.
// Threads: thread-safe.
// Why:     eight values at once where the machine can; by row numbers each value costs a load of
//          its own, and the numbers have to be made first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace otolith::model {

/// Values of `width` bytes. Nothing is read or written beyond those picked.
void values_compress(const std::byte* values, std::uint32_t width,
                     std::span<const std::uint64_t> rows, std::byte* out) noexcept;

/// The same of bits (validity), put to bit `at` of `out` on, whose bits from there on are zero.
void bits_compress(BytesView bits, std::span<const std::uint64_t> rows, std::byte* out,
                   std::uint64_t at) noexcept;

}  // namespace otolith::model
