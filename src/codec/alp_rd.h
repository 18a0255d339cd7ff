// Floats that are no decimals: their upper bits by a dictionary, their lower bits packed.
//
// Role:    measurements and results that nobody rounded: floats whose signs and exponents are few.
// Shapes:  a page is its head, then its blocks; all multiples of 8 bytes. The head:
//
//   right u8 | entries u8 | zero u16 u32 | the upper parts u16 x 16, zero behind the last
//
//          and a block:
//
//   exceptions u16 | zero u16 u32 | packed words of code and right part (bits.h)
//   | exceptions: upper part u16 each | their places u16 each, ascending | zero to a multiple of 8
//
//          A float has `right` lower bits; its upper part, at most 16 bits, is entry `code`. A word
//          is code << right | lower bits; codes have as few bits as the entries need.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     one packing of code and lower bits together, so that a block is unpacked once. The head
//          is the page's, as sixteen entries would weigh on a block.
// Source:  as alp.h, section 4.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& alp_rd_codec() noexcept;

}  // namespace otolith::codec
