// XXH3 of long inputs on machines with AVX2.
//
// Role:    under hash.cc.
// Shapes:  as xxh3 of hash.h, and the same value.
// Errors:  none.
// Threads: thread-safe.
// Why:     a checksum of a page is a pass over it, and pages are checked by every first read.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace otolith {

/// Only where has_avx2() (vectors.h).
std::uint64_t xxh3_avx2(BytesView bytes, std::uint64_t seed) noexcept;

}  // namespace otolith
