// Msgpack of others, checked and brought into the one form that Otolith keeps.
//
// Role:    the way in for bytes that another program wrote; bindings and sync hand them over here.
// Shapes:  one value, with nothing behind it; docs/format/document.md has the form: integers,
//          lengths and counts in their shortest form, floats of 64 bits and one NaN, text that is
//          UTF-8, text keys, none twice, no extension but the timestamp.
// Errors:  invalid_argument for what is no such value, with the byte; limit beyond
//          kDocumentDepthMax and kDocumentBytesMax.
// Threads: immutable.
// Why:     documents of the same fields and values in the same order have the same bytes, so "is it
//          another?" is one comparison and hashes need no tree. The order of fields is kept: people
//          see it.
#pragma once

#include "base/bytes.h"

namespace otolith::document {

Bytes canonical(BytesView msgpack);

/// Throws invalid_argument unless the canonical value is a map: documents are.
void check_is_map(BytesView canonical);

}  // namespace otolith::document
