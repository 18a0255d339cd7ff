// Bodies of documents, each compressed on its own: `bodies`.
//
// Role:    binary columns: one document is read without its neighbours.
// Shapes:  binary. Pages of a chunk share a dictionary, a multiple of 8 bytes:
//
//   bytes of the dictionary u32 | zero u32 | dictionary of zstd | zero to a multiple of 8
//
//          and a page, a multiple of 8 bytes, is
//
//   bytes plain u32 | bytes packed u32 | end of each row's packed text u32 | packed texts
//   | zero to a multiple of 8
//
// Errors:  as codec.h; flaw() unpacks every text; pick() believes nothing.
// Threads: immutable.
// Why:     a page of lz4 has to be unpacked as a whole for one of its 1,024 documents; with a
//          dictionary a document alone is as small. ADR 0088.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& bodies_codec() noexcept;

}  // namespace otolith::codec
