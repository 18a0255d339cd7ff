// Text that repeats: its distinct values once a chunk, and a small number a row.
//
// Role:    symbols, airports, states: columns of text with few values.
// Shapes:  the offsets part of the chunk is its dictionary, which all pages share:
//
//   entries u32 | scheme u8 | zero u24 | bytes of their text u32 | bytes stored u32
//   | blocks (block.h) of order 0: length of each entry | text | zero to a multiple of 8
//
//          Scheme 0: the text is plain; 1: a frame of zstd. Entries are distinct and ascending by
//          bytes, each <= kDictionaryTextBytesMax, all <= kDictionaryBytesMax. A page:
//
//   bytes of text of all rows u64 | the entry of each row: blocks (block.h), of dictionary-small
//   planes (byte_planes.h)
//
//          Rows that are null have an empty text.
// Errors:  as codec.h; flaw() decodes the page, since no number may go beyond the entries.
// Threads: immutable.
// Why:     two codecs, so that what was stored plain is known to be fast before it is read;
//          ascending entries keep the order of values, so that ranges can be asked of the numbers.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& dictionary_codec() noexcept;
/// The same, compressed: scheme 1 and planes.
const Codec& dictionary_small_codec() noexcept;

}  // namespace otolith::codec
