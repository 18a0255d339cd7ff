// Booleans as bits: what files and frames hold of the bytes that columns have in memory.
//
// Role:    wire and codec on the way out and in; Arrow's doors.
// Shapes:  bit i of byte i/8 is row i, least significant first, as Arrow has it; bits behind the
//          last row are zero. Bytes are 0 or 1; of what a caller left in slots of nulls the last
//          bit counts.
// Errors:  none.
// Threads: thread-safe.
// Why:     eight at a time in a 64-bit word: packing is a multiplication, which needs no special
//          instruction and keeps up with memory.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "otolith/batch.h"

namespace otolith::model {

/// Writes rows first..first+count-1 of a boolean column to (count + 7) / 8 bytes; nulls as zeros.
void bools_pack(const Array& array, std::uint64_t first, std::uint64_t count,
                std::byte* out) noexcept;

/// Writes a byte for each of `count` bits from bit `first` on.
void bools_unpack(const std::byte* bits, std::uint64_t first, std::uint64_t count,
                  std::byte* out) noexcept;

}  // namespace otolith::model
