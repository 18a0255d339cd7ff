// The documents of a text that comes in windows, one at a time.
//
// Role:    import of documents: NDJSON, a JSON array, or objects one behind another.
// Shapes:  windows of UTF-8 as files/text_source gives them; a document with its line, from 1.
// Errors:  as JsonReader, with the name and the line of the source; invalid_argument where an array
//          is none, or does not end.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "document/json_reader.h"
#include "document/json_records.h"

namespace otolith::document {

struct JsonDocument {
  Bytes body;
  std::uint64_t line = 0;
};

/// One that is not read yet; valid as its window is.
struct JsonText {
  std::string_view text;
  std::uint64_t line = 0;
};

class JsonDocuments {
 public:
  /// `name` of the source, for messages.
  explicit JsonDocuments(const std::string& name) : name_(name), records_(name, JsonShape::any) {}

  /// The next document of the window from `at` on, which is moved behind it; nullopt where the
  /// window has no whole one more: what stands before `at` is done with, the rest has to stand at
  /// the beginning of the next window. `last`: nothing follows the window. A document that is
  /// refused was passed over: the next call gives the one behind it.
  std::optional<JsonDocument> next(std::string_view window, std::size_t& at, bool last);
  /// The same, to be read by others: several threads at once.
  std::optional<JsonText> next_text(std::string_view window, std::size_t& at, bool last);

 private:
  std::string name_;
  JsonRecords records_;
  JsonReader reader_;
};

}  // namespace otolith::document
