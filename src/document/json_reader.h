// JSON text as a canonical document.
//
// Role:    JSON in: `put` of text, import of documents.
// Shapes:  one object, UTF-8, with nothing behind it (RFC 8259). A number without point and
//          exponent is an integer of 64 bits; another is the nearest float64, and -0.0 keeps its
//          sign. Fields keep their order.
// Errors:  invalid_argument with line and column (from 1, in characters): what is no JSON or no
//          object, a key that is there twice, an integer beyond 64 bits, a float beyond float64,
//          text that is no UTF-8 or half of a surrogate pair. limit beyond kDocumentDepthMax,
//          kDocumentBytesMax and kJsonTextBytesMax.
// Threads: thread-compatible.
// Why:     RapidJSON's reader (docs/adr/0086) hands over numbers as they are written, so none
//          goes through a float; it goes down by calls, and ends where this says that it is too
//          deep. Names of a map stand beside the builder's, in one place for all ways in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace otolith::document {

Bytes from_json(std::string_view text);

/// Where a text comes from, for messages.
struct JsonOrigin {
  std::string_view name{};  // of a file; empty: the text came alone
  std::uint64_t line = 1;   // of it, on which the text begins
};

/// The same for many texts, its memory kept between them.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;

  Bytes read(std::string_view text, const JsonOrigin& origin = {});

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

/// "notes.json:12:5", or "JSON line 12, column 5": where the byte at `offset` stands.
std::string json_place(std::string_view text, std::size_t offset, const JsonOrigin& origin);

}  // namespace otolith::document
