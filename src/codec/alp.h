// Floats that are decimal numbers, as integers: v = n * 10^f * 10^-e, bit for bit.
//
// Role:    prices, temperatures, delays: whatever was rounded before it was stored.
// Shapes:  a page is its blocks one behind the other; a block, a multiple of 8 bytes:
//
//   scheme u8 | e u8 | f u8 | zero u8 | exceptions u16 | zero u16 | integers (block.h)
//   | exceptions: value (width of the type) each | their places u16 each, ascending
//   | zero to a multiple of 8
//
//          Scheme 1: the integers are n, of order 0 or 1. Scheme 0: they are the bits of the
//          floats, of order 0; e, f and exceptions are 0.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     the float is computed in doubles in this order, for float32 rounded once more, and every
//          value was so computed when it was written: what does not come back to the bit (NaN,
//          -0.0, infinities, what has no short decimal) is an exception.
// Source:  Afroozeh, Kuffo, Boncz: "ALP: Adaptive Lossless floating-Point Compression", SIGMOD
//          2024.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& alp_codec() noexcept;

}  // namespace otolith::codec
