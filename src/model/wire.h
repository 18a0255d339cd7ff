// Rows as bytes inside a commit frame: what small commits carry instead of naming a segment.
//
// Role:    ingest writes them, history keeps them as opaque bytes (the tail), scan and seal read
//          them.
// Shapes:  one commit's rows of one dataset, in ordinal order, column by column (drawing in
//          wire.cc).
// Errors:  decoding throws corrupt for any bytes that wire_encode does not make; unsupported_format
//          for a later version.
// Threads: thread-safe; decoded arrays view the bytes and keep their owner.
// Why:     columns are named by id with the type they were stored in, so rows are readable under
//          every older and newer schema of the dataset; one form only, so equal rows are equal
//          bytes.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "model/row_layout.h"
#include "otolith/batch.h"

namespace otolith::model {

/// A column as some commit stored it.
struct StoredColumn {
  ColumnId id{};
  Array array;
};

/// Rows as they were stored, whatever schema the reader has.
struct StoredRows {
  RowLayout layout;
  std::uint64_t rows = 0;
  std::vector<StoredColumn> columns{};  // ids ascend

  /// The column with this id; nullptr if it did not exist at that commit.
  const Array* find(ColumnId id) const noexcept;
};

/// The batch's rows, which must stand in the order the layout says. Every column of its schema has
/// an id.
Bytes wire_encode(const Batch& batch, const RowLayout& layout);

/// The rows. Arrays view `bytes` where they are aligned, and keep `owner` alive; with a null owner
/// all are copies.
StoredRows wire_decode(BytesView bytes, std::shared_ptr<const void> owner);

/// Stored rows under a reader's schema: columns by id, nulls where a column did not exist yet,
/// narrower types widened. Throws corrupt if a stored type does not widen to the schema's.
Batch conform(const StoredRows& rows, std::shared_ptr<const Schema> schema);
/// One column of it; `stored` may be nullptr.
Array conform_column(const Array* stored, const Column& column, std::uint64_t rows);

}  // namespace otolith::model
