// Ranks of key values: each distinct value's place among the sorted distinct values of a column.
//
// Role:    sorting rows by a key becomes counting; a merge compares ranks instead of texts.
// Shapes:  one uint32 per row, below `distinct`; <= kRunRowsMax rows without nulls.
// Errors:  none.
// Threads: thread-safe.
// Why:     keys repeat (a thousand symbols in ten million rows), so hashing each row once and
//          sorting the few distinct values beats comparing texts n log n times.
#pragma once

#include <cstdint>
#include <vector>

#include "otolith/batch.h"

namespace otolith::model {

struct KeyRanks {
  std::vector<std::uint32_t> of_row;
  std::uint32_t distinct = 0;
};

/// Ranks of a column of any type but floats.
KeyRanks key_ranks(const Array& column);

}  // namespace otolith::model
