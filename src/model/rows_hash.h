// A hash of rows, whichever way they are cut, ordered and stored.
//
// Role:    tells a retry under a change id from another request.
// Shapes:  any batch that batch_check has judged; hashes of batches add up to that of their rows.
// Errors:  invalid_argument where the rows are no longer what was judged.
// Threads: thread-safe.
// Why:     a sum of one hash per row: the same rows come again in other pieces, under another
//          memory budget and cut into other runs, so nothing of that may count. Not for what must
//          stand against an adversary: leaves are (model/leaf.h).
#pragma once

#include <cstdint>

#include "otolith/batch.h"

namespace otolith::model {

std::uint64_t rows_hash(const Batch& batch);

}  // namespace otolith::model
