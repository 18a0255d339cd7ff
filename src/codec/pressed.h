// Plain values through a general compressor: `lz4`, and `zstd` for the profile small.
//
// Role:    what no codec of ours understands and yet repeats: long texts, floats of few patterns.
// Shapes:  every type. A page, a multiple of 8 bytes:
//
//   bytes plain u32 | bytes stored u32 | of text: lengths (lengths.h) | stored bytes
//   | zero to a multiple of 8
//
//          Plain are values one behind another, zeros where there are nulls; of text its bytes.
// Errors:  as codec.h; flaw() decompresses the page.
// Threads: immutable.
// Why:     two codecs, since one is fast and one is small. What is plain is at most
//          kPageTextBytesMax, so that no page can ask for more memory. ADR 0036.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& lz4_codec() noexcept;
const Codec& zstd_codec() noexcept;

}  // namespace otolith::codec
