// What a segment file says of itself, for inspect.
//
// Role:    from an open reader to otolith/inspect.h.
// Shapes:  one entry per column of the file, those of row ids included.
// Errors:  none: a column whose index is damaged becomes a problem.
// Threads: thread-safe.
#pragma once

#include <vector>

#include "otolith/inspect.h"
#include "segment/reader.h"

namespace otolith::db {

/// `schema` gives columns their names; nullptr where it is not known.
SegmentLayout segment_layout(const segment::SegmentReader& reader, const Schema* schema,
                             std::vector<Problem>& problems);

}  // namespace otolith::db
