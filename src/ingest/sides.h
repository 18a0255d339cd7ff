// Present and past: which rows of segments a state shows, and whether they should stand apart.
//
// Role:    compact writes what its base shows into one segment and all else into another, so that
//          newer states need not open the second (docs/history.md 6).
// Shapes:  sources of one dataset -> the same sources twice, with the rows of each side by piece.
// Errors:  those of reading row ids.
// Threads: thread-compatible.
// Why:     rows are asked about once, before either side is written: a segment's writer wants to
//          know how many will come.
#pragma once

#include <memory>
#include <vector>

#include "ingest/join_rows.h"
#include "ingest/recorder.h"
#include "scan/visible.h"

namespace otolith::ingest {

struct Sides {
  std::vector<JoinSource> present;
  std::vector<JoinSource> past;
};

Sides sides_of(scan::Visibility& base,
               const std::vector<std::shared_ptr<const scan::RowSource>>& sources);

/// What is worth doing about the sides of a segment that need not be joined with others.
enum class Worth : std::uint8_t {
  nothing,
  parting,  // written anew: an eighth of it is hidden, or the base would have to open a past one
  present,  // said of it in the log as of this base, and no row written: all of it is shown
  past,     // the same where none is
};
Worth worth_of_sides(const IngestContext& context,
                     const std::shared_ptr<const history::Snapshot>& base, DatasetId dataset,
                     const history::SegmentEntry& entry);

}  // namespace otolith::ingest
