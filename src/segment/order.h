// Whether rows come in stored order, and whether any two share keys and time.
//
// Role:    the writer trusts nobody: a run out of order would make pruning and merging wrong.
// Shapes:  rows of one partition of one run; neighbours only.
// Errors:  a broken invariant where rows are out of order.
// Threads: immutable.
// Why:     looks at the keys only where time does not rise, so that it costs one pass over the
//          times.
#pragma once

#include <cstdint>
#include <vector>

#include "otolith/batch.h"

namespace otolith::segment {

/// A row of a batch; nullptr: none.
struct RowAt {
  const Batch* batch = nullptr;
  std::uint64_t row = 0;
};

class RowOrder {
 public:
  explicit RowOrder(const Schema& schema);

  /// False if two neighbours among rows first..first+rows-1, or `before` and the first of them,
  /// share keys and time.
  bool unique(const RowAt& before, const Batch& batch, std::uint64_t first,
              std::uint64_t rows) const;

 private:
  bool differ(const Batch& a, std::uint64_t a_row, const Batch& b, std::uint64_t b_row) const;

  std::size_t time_;
  std::vector<std::size_t> keys_;
};

}  // namespace otolith::segment
