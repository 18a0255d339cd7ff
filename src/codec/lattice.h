// Floats that are whole multiples of one step: v = fl(k * s), bit for bit.
//
// Role:    counts of a converter, floats that were float32, random()*s: whatever was an integer
//          before it was multiplied.
// Shapes:  a page is its step s as a double, then its blocks; a block, a multiple of 8 bytes:
//
//   scheme u8 | zero u8 | exceptions u16 | zero u32 | integers (block.h)
//   | exceptions (exceptions.h)
//
//          Scheme 1: the integers are k, signed, of order 0 or 1. Scheme 0: they are the bits of
//          the floats, of order 0, and there are no exceptions.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     noise that was made as k * 2^-53 * 100 has 53 bits a value, though its floats differ in
//          56; nothing but its step can find that. The step is found on a sample, and every value
//          is computed back when it is written: what differs in a bit is an exception.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& lattice_codec() noexcept;

}  // namespace otolith::codec
