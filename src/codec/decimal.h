// Decimals as blocks of 64-bit integers: their low words, and their high words where need be.
//
// Role:    what decimal columns become that do not look random.
// Shapes:  a page is a head of 8 bytes, then for each block of kBlockRows its low words, and in
//          scheme 1 its high words, both as blocks of integers (block.h) of any order.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     units of most decimals fit 64 bits: then a decimal costs what an int64 does, and the
//          high word is the sign. Where some do not, the high words are small numbers, which pack.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& decimal_codec() noexcept;

}  // namespace otolith::codec
