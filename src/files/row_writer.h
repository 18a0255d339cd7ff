// Rows as text: a table for people, CSV, JSON lines, or one JSON array.
//
// Role:    the end of every verb that shows rows, and of export.
// Shapes:  batches of one schema, in their order; UTF-8; a line feed ends each line. In CSV a null
//          is empty, and a text that would be read as a null or otherwise than it is, is quoted.
// Errors:  invalid_argument where JSON has no word for a value (NaN, infinities) and was not told
//          what to do; whatever the sink throws.
// Threads: thread-compatible.
// Why:     one interface, so that --json, --ndjson and --csv mean the same everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "otolith/batch.h"

namespace otolith::files {

using TextSink = std::function<void(std::string_view)>;

enum class RowFormat : std::uint8_t { table, csv, ndjson, json };

/// What JSON holds where a float is NaN or infinite.
enum class NanAs : std::uint8_t { refused, null, text };

/// How rows are shown.
struct RowLook {
  unsigned width = 0;   // columns of the terminal; 0: none, nothing is cut
  bool colour = false;  // a bold head
  NanAs nan = NanAs::refused;
  char separator = ',';  // of CSV
};

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  /// Writes all rows of a batch of the schema.
  virtual void rows(const Batch& batch) = 0;
  /// Writes what comes behind the last row; once, at the end.
  virtual void end() = 0;
};

/// A writer of rows of a schema; what it writes goes to the sink in large pieces.
std::unique_ptr<RowWriter> row_writer(RowFormat format, std::shared_ptr<const Schema> schema,
                                      TextSink sink, const RowLook& look = {});

}  // namespace otolith::files
