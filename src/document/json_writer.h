// A document as JSON text.
//
// Role:    what `get`, `export` and the console show; JSON out.
// Shapes:  UTF-8, on one line or indented; fields in their order. Integers whole; floats as the
//          shortest text that reads back as the same float64, with a point or an exponent; times
//          as ISO 8601 text in UTC; binary as base64 (RFC 4648, with its padding).
// Errors:  invalid_argument where a float is none that JSON has, naming where it stands; corrupt
//          as Value.
// Threads: immutable.
// Why:     a float stays a float ("1.0") and an integer an integer, so that what is read back is
//          the same document; times and binary come back as text, for JSON has neither.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace otolith::document {

struct JsonStyle {
  /// NaN and the infinities: refused; null; or NaN, Infinity and -Infinity, which Python and
  /// JavaScript read and others may not.
  enum class NotFinite : std::uint8_t { refuse, null, words };

  unsigned indent = 0;  // blanks for a level, to 16; 0: all on one line
  NotFinite not_finite = NotFinite::refuse;
};

/// Appends.
void to_json(BytesView body, std::string& out, const JsonStyle& style = {});

}  // namespace otolith::document
