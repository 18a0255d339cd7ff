// Rows of many pieces as one batch: columns are read last, and only where a row is left.
//
// Role:    the end of a filtered read whose rows are in order already.
// Shapes:  one batch of as many rows as the pieces have together.
// Errors:  those of the sources.
// Threads: thread-safe.
// Why:     what passes a filter is little of each row group; as a batch each it would be copied
//          twice. All of it goes into one array a column, at its place, from all cores.
#pragma once

#include <memory>
#include <vector>

#include "otolith/batch.h"
#include "scan/unit.h"

namespace otolith::scan {

/// Some rows of one piece.
struct PieceRows {
  std::shared_ptr<const RowSource> source;
  std::size_t piece = 0;
  RowSet ranges;
};

/// `columns`: of the sources' schema, in the order of `schema`.
Batch materialize(const std::vector<PieceRows>& pieces, const std::vector<Column>& columns,
                  std::shared_ptr<const Schema> schema, unsigned threads);

}  // namespace otolith::scan
