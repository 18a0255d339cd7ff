// Where the rows of each key end within a piece, without reading all of them.
//
// Role:    between prune and merge: the last row of each key (asof.h), and the rows of each key
//          that can be among the first or last of a partition.
// Shapes:  rows of one piece, which stand in the order of keys.
// Errors:  those of reading the key columns.
// Threads: thread-compatible; keep_ends_of_keys works on several threads itself.
// Why:     a read by time of few rows would else sort a partition of millions: of each key only as
//          many rows count as the read wants in all.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "scan/unit.h"

namespace otolith::scan {

/// The key columns of one piece, each page read when one of its rows is looked at. The source and
/// the columns outlive it.
class PieceKeys {
 public:
  PieceKeys(const RowSource& source, std::size_t piece, const std::vector<Column>& columns);

  /// Whether two rows are of one key.
  bool same(std::uint64_t a, std::uint64_t b);
  /// Behind the last row of the key that row `first` is of, at most `end`: by growing steps, then
  /// by halving.
  std::uint64_t key_end(std::uint64_t first, std::uint64_t end);

 private:
  struct Page {
    std::vector<Array> values;
    std::vector<const Array*> pointers;
  };

  const Page& page_of(std::uint64_t row);

  const RowSource& source_;
  const std::size_t piece_;
  const std::vector<Column>& columns_;
  const std::uint64_t rows_;
  const std::uint64_t page_rows_;
  std::unordered_map<std::uint64_t, Page> pages_;
};

/// Which rows of each key are kept: the first so many, or the last.
struct KeyEnds {
  std::uint64_t rows = 0;
  bool last = false;
};

/// Leaves of each key's rows in each piece only those ends, where keys have far more rows than
/// that; else all.
void keep_ends_of_keys(std::vector<Unit>& units, const Schema& schema, KeyEnds ends,
                       unsigned threads);

}  // namespace otolith::scan
