// Runs of equal values: each value once, and how often it stands there.
//
// Role:    columns whose values stand for a while: states, settings, sensors that seldom move,
//          hours and days of rows in order of time.
// Shapes:  a page is
//
//   runs u32 | zero u32 | blocks of integers (block.h), order 0: the rows of each run
//   | the value of each run: of floats blocks of alp, of all else blocks of integers of any order
//
// Errors:  as codec.h.
// Threads: immutable.
// Why:     of a page, not of each block: heads would be most of it. What a run's value takes is
//          left to the codecs of values, so that runs of cents are small as cents are.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& rle_codec() noexcept;

}  // namespace otolith::codec
