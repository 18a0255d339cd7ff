// Floats that are decimal numbers, as integers: v = n * 10^f * 10^-e, bit for bit.
//
// Role:    prices, temperatures, delays: whatever was rounded before it was stored.
// Shapes:  a page is its blocks (float_block.h) one behind the other, whose integers are n.
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
