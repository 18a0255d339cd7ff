// Whether shredded columns hold what their rows' documents say.
//
// Role:    `verify` of a segment: finds prune by these columns, as they do by zone maps.
// Shapes:  one segment; a few pages of each column in memory for each thread.
// Errors:  corrupt with file and offset where they differ; those of reading.
// Threads: thread-safe; works on `threads` threads.
#pragma once

#include "segment/reader.h"

namespace otolith::scan {

/// `schema`: of the segment's dataset.
void check_shredded(const segment::SegmentReader& reader, const Schema& schema, unsigned threads);

}  // namespace otolith::scan
