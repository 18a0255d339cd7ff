// Integers and times of a regular step.
//
// Role:    times of a logger, numbered rows.
// Shapes:  a page is its first value, widened to u64 (numbers.h), and its step u64, row i being
//          first + i * step (wrapping).
// Errors:  as codec.h.
// Threads: immutable.
// Why:     per page, so that a page is read alone; 16 bytes for 8,192 rows are 0.016 bits a row.
#pragma once

#include "codec/codec.h"

namespace otolith::codec {

const Codec& linear_codec() noexcept;

}  // namespace otolith::codec
