// Columns that hold one thing.
//
// Role:    what a column of one value becomes, nulls or not.
// Shapes:  a page is its value, widened to u64 (numbers.h); of decimals both words.
// Errors:  as codec.h.
// Threads: immutable.
// Why:     per page, so that a page is read alone; 8 bytes for 8,192 rows are 0.008 bits a row.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& constant_codec() noexcept;

}  // namespace otolith::codec
