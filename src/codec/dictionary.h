// Text that repeats: its distinct values once a chunk, and a small number a row.
//
// Role:    symbols, airports, states: columns of text with few values.
// Shapes:  the offsets part of the chunk is its dictionary, which all pages share:
//
//   entries u32 | zero u32 | end of each entry's text u32 each | their text | zero to a multiple of
//   8
//
//          Entries are distinct and ascending by bytes, each <= kDictionaryTextBytesMax. A page:
//
//   bytes of text of all rows u64 | blocks (block.h) of order 0: the entry of each row
//
//          Rows that are null have an empty text.
// Errors:  as codec.h; flaw() decodes the page, since no number may go beyond the entries.
// Threads: immutable.
// Why:     ascending entries keep the order of values, so that ranges can be asked of the numbers.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& dictionary_codec() noexcept;

}  // namespace otolith::codec
