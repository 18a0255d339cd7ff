// Whether rows come in stored order, and whether any two share keys and time.
//
// Role:    the writer trusts nobody: a run out of order would make pruning and merging wrong;
//          verify asks the same of what was read.
// Shapes:  the columns that rows are ordered by, as keys, time and, where rows are of many commits,
//          begin and ordinal; rows of one partition of one run; neighbours only.
// Errors:  none: the writer's are the caller's fault, a reader's are damage.
// Threads: immutable.
// Why:     without keys it is one pass over the times; keys are compared one row after the other,
//          the first that differs deciding.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "otolith/batch.h"

namespace otolith::segment {

/// The worst that any two neighbours are to each other.
enum class Neighbours : std::uint8_t { differ, share_keys_and_time, disordered };

class RowOrder {
 public:
  /// `keys` columns come before the time.
  explicit RowOrder(std::size_t keys) noexcept : time_(keys) {}

  Neighbours among(std::span<const Array> columns) const;
  /// The last row of some and the first of those that follow.
  Neighbours between(std::span<const Array> before, std::span<const Array> after) const;

 private:
  Neighbours compare(std::span<const Array> a, std::uint64_t a_row, std::span<const Array> b,
                     std::uint64_t b_row) const;

  std::size_t time_;
};

/// What some rows are among themselves, and those of them that their neighbours are compared with.
struct Ends {
  Neighbours among = Neighbours::differ;
  std::vector<Array> first;
  std::vector<Array> last;
};

/// One row of every column, in memory of its own.
std::vector<Array> row_of(std::span<const Array> columns, std::uint64_t row);

}  // namespace otolith::segment
