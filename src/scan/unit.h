// The wanted rows of one run of one source within one partition.
//
// Role:    what pruning leaves and merging puts in order; columns are read from it late.
// Shapes:  rows in stored order; positions count the wanted rows only, from 0.
// Errors:  those of the source; corrupt where a stored type does not widen to the schema's.
// Threads: immutable, once made.
// Why:     late: a column is read for rows that time, keys and visibility left, and no others.
#pragma once

#include <memory>
#include <vector>

#include "otolith/batch.h"
#include "scan/ranges.h"
#include "scan/source.h"

namespace otolith::scan {

/// The wanted rows of one piece.
struct Selected {
  std::size_t piece = 0;
  RowRanges ranges;
};

struct Unit {
  std::shared_ptr<const RowSource> source;
  std::vector<Selected> parts;  // in order, none empty
  std::uint64_t rows = 0;
  std::int64_t time_min = 0;  // bounds, not always reached
  std::int64_t time_max = 0;
};

/// Rows first..first+rows-1 of a piece as the schema's column: nulls where it did not exist yet,
/// widened. In the target where that costs nothing.
Array piece_values(const RowSource& source, std::size_t piece, const Column& column,
                   std::uint64_t first, std::uint64_t rows, const codec::Target& target = {});

/// All rows of a unit.
Array unit_values(const Unit& unit, const Column& column);

}  // namespace otolith::scan
