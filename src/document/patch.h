// A document changed by a merge patch.
//
// Role:    the verb `patch`.
// Shapes:  canonical values. A field of the patch that is a map is merged into the document's, one
//          that is null takes the field away, any other takes its place. Fields that stay keep
//          their places, new ones follow in the patch's order.
// Errors:  limit where the result is too large or too deep.
// Threads: immutable.
// Why:     RFC 7396 as it stands: an array is replaced as a whole, and null cannot be set by it.
// Source:  RFC 7396.
#pragma once

#include "base/bytes.h"

namespace otolith::document {

Bytes merge_patch(BytesView target, BytesView patch);

}  // namespace otolith::document
