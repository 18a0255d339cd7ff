// The codec that changes nothing: values in Arrow layout, mappable.
//
// Role:    zero-copy reads; the fallback where encoding saves too little.
// Shapes:  offsets: rows + 1 int64, the first 0, relative to the values part; values: rows * width
//          bytes, for text its bytes.
// Errors:  as codec.h.
// Threads: immutable.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& raw_codec() noexcept;

}  // namespace otolith::codec
