// Integers and times, packed: `frame` by their distance from a base, `delta` also by differences.
//
// Role:    what most integer columns become.
// Shapes:  a page is its blocks (block.h) one behind the other. `frame` has blocks of order 0 only;
//          those of `delta` have each the order that suits it.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     two codecs of one form: sums cost time, and what was stored without them is known to be
//          fast before it is read.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& frame_codec() noexcept;
const Codec& delta_codec() noexcept;

}  // namespace otolith::codec
