// Booleans as bits.
//
// Role:    what boolean columns become, but for constant ones.
// Shapes:  a page is (rows + 7) / 8 bytes, bit i of byte i/8 is row i, as Arrow has it; zero up to
//          a multiple of 8.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     a bit is what a boolean is worth unless it repeats, and eight become bytes by one
//          multiplication.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& bitmap_codec() noexcept;

}  // namespace otolith::codec
