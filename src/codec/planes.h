// Numbers as small as they get: differences or decimals of a page, as compressed planes of bytes.
//
// Role:    what the profile `small` takes where no cheaper codec is as small.
// Shapes:  integers, times and floats. A page, a multiple of 8 bytes:
//
//   scheme u8 | order u8 | scaled u8 | e u8 | f u8 | zero u8 | exceptions u16
//   | order 1, 2: start u64 | order 2: slope u64 | scaled 1: factor u64, offset u64
//   | planes (byte_planes.h)
//   | exceptions: bits of each float | their places in the page u16 each | zero to a multiple of 8
//
//          Scheme 0: the integers are the widened values, of floats their bits. Scheme 1: they are
//          decimals (decimals.h). Order, start, slope, factor and offset are those of block.h.
// Errors:  as codec.h; flaw() decompresses the page.
// Threads: immutable.
// Why:     one transformation a page, not a block, so that a plane has enough bytes for a table of
//          codes. ADR 0036.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& planes_codec() noexcept;

}  // namespace otolith::codec
