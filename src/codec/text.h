// Text of many values: what occurs often in it stands for one byte.
//
// Role:    names, URLs, log lines, identifiers with common parts; binary values alike.
// Shapes:  the offsets part of the chunk is its table of symbols (symbols.h), which all pages
//          share. A page, a multiple of 8 bytes:
//
//   bytes of text u32 | bytes packed u32 | lengths (lengths.h) | packed text of all rows
//   | zero to a multiple of 8
//
//          Symbols may begin in one row and end in another.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     half the bytes of most text at gigabytes a second; a dictionary is no help where values
//          do not repeat, and zstd is three times slower. ADR 0036.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& text_codec() noexcept;

}  // namespace otolith::codec
