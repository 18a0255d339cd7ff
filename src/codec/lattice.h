// Floats that are whole multiples of one step: v = fl(k * s), bit for bit.
//
// Role:    counts of a converter, floats that were float32, random()*s: whatever was an integer
//          before it was multiplied.
// Shapes:  a page is its step s as a double, then its blocks (float_block.h), whose integers are k,
//          signed; exponents are 0.
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
