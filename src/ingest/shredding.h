// The shredded columns of a segment of documents, added to its rows before they are written.
//
// Role:    encode of the flow, seals and joins: each segment of a collection has its own.
// Shapes:  batches of documents; columns are added behind all others.
// Errors:  those of document/shred.h.
// Threads: thread-compatible; works on `threads` threads inside with_columns.
// Why:     beside the writer, which knows columns and no documents: rows come to it with all that
//          it is to write (docs/adr/0096).
#pragma once

#include <vector>

#include "document/shred.h"
#include "otolith/batch.h"
#include "segment/writer.h"

namespace otolith::ingest {

class Shredding {
 public:
  /// Of no columns, as of a table.
  Shredding() : Shredding(std::vector<Column>(), 1) {}
  Shredding(std::vector<Column> columns, unsigned threads);
  /// Chosen from the rows; none where they are no documents.
  Shredding(const Batch& rows, unsigned threads);

  /// What the writer has to know.
  const std::vector<Column>& columns() const noexcept { return shredder_.columns(); }
  /// The rows with them behind their own.
  Batch with_columns(Batch rows);
  /// Tells the writer what was met.
  void tell(segment::SegmentWriter& writer) const;

 private:
  document::Shredder shredder_;
  std::vector<bool> strays_;
  unsigned threads_;
};

}  // namespace otolith::ingest
