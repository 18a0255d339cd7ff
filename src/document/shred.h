// Frequent paths of documents as columns beside the bodies: which of them, and their values.
//
// Role:    encode of the flow, for segments of collections; scan asks the columns before it asks
//          bodies (scan/document_filter.h), verify holds them against the bodies.
// Shapes:  bodies are canonical maps; a column is named by its path as path_with writes it, is
//          nullable, and of boolean, int64, float64, string or timestamp.
// Errors:  corrupt as Value.
// Threads: immutable: a Shredder works for several threads at once.
// Why:     chosen from what a segment holds, so that nobody declares anything and the choice
//          follows the data. A column says of a row its path's value, or nothing: what is missing,
//          null, of another kind or too long is null there, and whoever asks looks at the body.
//          Through maps only: a place in an array is rarely asked for, and would shift with each
//          item before it (docs/adr/0096).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"
#include "otolith/batch.h"

namespace otolith::document {

inline constexpr std::size_t kShreddedPathsMax = 32;        // of one segment
inline constexpr std::size_t kShreddedPathBytesMax = 1024;  // of one path's text
inline constexpr std::size_t kShreddedTextBytesMax = 256;   // of one value; longer ones are null
inline constexpr std::uint64_t kShredSampleRowsMax = 2048;  // that a choice looks at
inline constexpr std::uint64_t kShredSampleBytesMax = 8 << 20;

/// Which of so many rows a choice looks at, evenly spread; `bytes` is the size of all bodies.
std::vector<std::uint64_t> shred_sample(std::uint64_t rows, std::uint64_t bytes);

/// The paths of the documents that are worth a column, in the order in which they first appear.
std::vector<Column> shredded_columns(std::span<const std::string_view> bodies);
/// The same of a sample of them.
std::vector<Column> shredded_columns(const Array& bodies);

/// What a column holds of some documents.
struct Shredded {
  Array values;
  bool strays = false;  // a value at the path, not null, is null in the column
};

class Shredder {
 public:
  explicit Shredder(std::vector<Column> columns);

  const std::vector<Column>& columns() const noexcept { return columns_; }
  /// Of rows first..first+count-1 of the bodies, in the order of columns().
  std::vector<Shredded> shred(const Array& bodies, std::uint64_t first, std::uint64_t count) const;

 private:
  struct Node;
  class Rows;

  std::vector<Column> columns_;
  std::shared_ptr<const Node> root_;
};

}  // namespace otolith::document
