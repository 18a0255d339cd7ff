// The wanted rows of one run of one source within one partition.
//
// Role:    what pruning leaves and merging puts in order; columns are read from it late.
// Shapes:  rows in stored order; positions count the wanted rows only, from 0.
// Errors:  those of the source; corrupt where a stored type does not widen to the schema's.
// Threads: immutable, once made.
// Why:     late: a column is read for rows that time, keys and visibility left, and no others.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/row_set.h"
#include "io/large_memory.h"
#include "otolith/batch.h"
#include "scan/source.h"

namespace otolith::scan {

/// The wanted rows of one piece.
struct Selected {
  std::size_t piece = 0;
  RowSet ranges;
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

/// Some rows of a piece: a view where they lie side by side, else gathered from the pages that hold
/// any.
Array selected_values(const RowSource& source, const Selected& part, const Column& column);

/// Rows of a piece of a fixed-width column, into `out`; returns the bitmap of validity, empty where
/// none is null.
Bytes gather_fixed(const RowSource& source, std::size_t piece, const RowSet& rows,
                   const Column& column, const codec::Target& out);
/// The same of any column, as an Array.
Array gather_values(const RowSource& source, std::size_t piece, const RowSet& rows,
                    const Column& column);

/// Rows of all units, counted through them one after the other.
std::uint64_t rows_in(std::span<const Unit> units) noexcept;

/// All rows of all units, one behind the other, decoded on several threads; in the scratch's memory
/// where there is more than one part to them.
Array units_values(std::span<const Unit> units, const Column& column, unsigned threads,
                   io::Scratch& scratch);

}  // namespace otolith::scan
