// Columns that a few bytes describe: `constant` is one value, `linear` a regular step.
//
// Role:    regular times, numbered rows, columns that hold one thing.
// Shapes:  a page of `constant` is its value, widened to u64 (numbers.h); one of `linear` its first
//          value u64 and its step u64, row i being first + i * step (wrapping).
// Errors:  as codec.h.
// Threads: immutable.
// Why:     per page, so that a page is read alone; 16 bytes for 8,192 rows are 0.016 bits a row.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& constant_codec() noexcept;
const Codec& linear_codec() noexcept;

}  // namespace otolith::codec
