// Which small segments are joined.
//
// Role:    compact asks for each dataset until nothing is left to join (docs/history.md 6).
// Shapes:  segments of one dataset -> groups of two or more, each to become one.
// Errors:  none.
// Threads: thread-safe.
// Why:     tiers: of small segments, by begin, an older one is left alone while it is twice as
//          large as the next. So there are as many at most as halvings of kJoinRowsMax, and a
//          segment is written again only when it grows by half.
#pragma once

#include <vector>

#include "history/snapshot.h"

namespace otolith::ingest {

using JoinGroup = std::vector<history::SegmentEntry>;

/// At most `together_max` to a group, which is at least 2.
std::vector<JoinGroup> join_plan(std::vector<history::SegmentEntry> segments,
                                 std::size_t together_max);

/// Bytes of their files, and rows in them.
std::uint64_t bytes_of(const JoinGroup& group) noexcept;
std::uint64_t rows_of(const JoinGroup& group) noexcept;

}  // namespace otolith::ingest
