// Rows of a result, the last one first.
//
// Role:    tail is a read from the end, shown in ascending order.
// Shapes:  as many batches and rows as before.
// Errors:  none.
// Threads: thread-safe.
#pragma once

#include "otolith/data.h"

namespace otolith::db {

/// The same rows, the last one first.
Data reversed(const Data& data);

}  // namespace otolith::db
