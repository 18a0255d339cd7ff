// Python's objects as documents, and back.
//
// Role:    collections take and give dicts; the loops are here. What an object means that is no
//          dict, list, tuple, str, int, float, bool, None, bytes or plain datetime, the Python
//          layer says (otolith/document_values.py).
// Shapes:  canonical msgpack; times are datetimes in UTC, or numpy.datetime64 where they have ns.
// Errors:  invalid_argument with the path; limit beyond kDocumentDepthMax levels and 64 bits.
// Threads: thread-compatible, under the GIL.
// Why:     a dict of ten fields is a microsecond through the C API. The path of an error is a chain
//          of frames on the stack, so that it costs nothing until somebody reads it.
#pragma once

#include "base/bytes.h"
#include "bindings.h"
#include "document/value.h"

namespace otolith::bindings {

/// What the Python layer says of other objects.
struct DocumentRules {
  /// object -> ("value", an object of the kinds above) or ("time", ns since 1970 UTC); raises
  /// InvalidArgument for what no document holds, the path being told beside it.
  nb::callable plain;
  bool naive_is_utc = true;  // else naive datetimes are asked for too
};

/// A value as canonical msgpack.
Bytes document_of(nb::handle value, const DocumentRules& rules);

/// The first value of some msgpack as Python's object. `fine`: ns since 1970 -> a time that no
/// datetime holds.
nb::object object_of(BytesView msgpack, const nb::callable& fine);

/// A document as a dict, `_id` first.
nb::object document_dict(const Document& document, const nb::callable& fine);

}  // namespace otolith::bindings
