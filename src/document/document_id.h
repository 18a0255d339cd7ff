// Ids of documents: what one may be, and new ones.
//
// Role:    the id of a document that brings none, and the check of one that does.
// Shapes:  1 to kDocumentIdBytesMax bytes of UTF-8 without control characters, compared as bytes.
//          A new one is a UUID of version 7 in its 36 characters, lower case.
// Errors:  invalid_argument naming what is wrong with an id; limit for one that is too long.
// Threads: thread-safe.
// Why:     a UUIDv7 begins with its time, so that ids made one after another stand side by side in
//          the index. Those of one process ascend, also within a millisecond and where the clock is
//          set back a little: 74 bits go up by a random step.
// Source:  RFC 9562, sections 5.7 and 6.2 (method 2, a monotonic random).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "otolith/timestamp.h"

namespace otolith::document {

/// Random bytes that one new id takes.
inline constexpr std::size_t kIdEntropyBytes = 16;
using IdEntropy = std::array<std::byte, kIdEntropyBytes>;

/// An id that no other process makes; later than those that this one made before. `now` is the
/// time, `entropy` is random.
std::string new_id(Timestamp now, const IdEntropy& entropy);

/// Throws unless a document can have the id.
void check_id(std::string_view id);

}  // namespace otolith::document
