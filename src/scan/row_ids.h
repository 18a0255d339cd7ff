// The row ids of a unit's rows, by their place in it.
//
// Role:    merge.h settles rows of equal keys and time by them; unique.h tells which commit added a
//          row.
// Shapes:  (begin, ordinal), as docs/history.md 3 has it.
// Errors:  those of reading the columns begin and ordinal, where rows are of many commits.
// Threads: immutable, once made.
// Why:     a unit of one commit has them for a look-up among its ranges; only others read columns.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scan/unit.h"

namespace otolith::scan {

class RowIds {
 public:
  explicit RowIds(const Unit& unit);

  CommitNumber begin(std::uint64_t row) const {
    return begin_ ? *begin_ : CommitNumber{begins_.value<std::uint64_t>(row)};
  }
  std::uint64_t ordinal(std::uint64_t row) const;

 private:
  std::optional<CommitNumber> begin_;
  // `first` is the ordinal of a range's first row, `count` the place of that row in the unit.
  std::vector<RowRange> ordinals_;
  Array begins_;
  Array of_rows_;
};

}  // namespace otolith::scan
