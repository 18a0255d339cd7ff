// Which segments are joined, and into how many.
//
// Role:    compact asks for each dataset until nothing is left to join (docs/history.md 6).
// Shapes:  segments of one dataset -> groups, each to become one, or as many as sizes ask for.
// Errors:  none.
// Threads: thread-safe.
// Why:     tiers: of small segments, by begin, an older one is left alone while it is twice as
//          large as the next. So there are as many at most as halvings of kJoinRowsMax, and a
//          segment is written again only when it grows by half. *Siblings*, what one join made of
//          one side, count as one segment and are joined together.
#pragma once

#include <vector>

#include "history/snapshot.h"

namespace otolith::ingest {

using JoinGroup = std::vector<history::SegmentEntry>;

/// At most `together_max` to a group, which is at least 2. Of segments that are left alone nothing
/// is in it.
std::vector<JoinGroup> join_plan(std::vector<history::SegmentEntry> segments,
                                 std::size_t together_max, const SegmentSizes& sizes = {});

/// Segments and their siblings, by first begin.
std::vector<JoinGroup> siblings_of(std::vector<history::SegmentEntry> segments);
/// How many files that many rows and bytes become.
std::uint64_t pieces_of(std::uint64_t rows, std::uint64_t bytes,
                        const SegmentSizes& sizes) noexcept;
/// Whether siblings are far more files than were asked for, or far fewer.
bool worth_cutting_anew(const JoinGroup& siblings, const SegmentSizes& sizes) noexcept;

/// Bytes of their files, and rows in them.
std::uint64_t bytes_of(const JoinGroup& group) noexcept;
std::uint64_t rows_of(const JoinGroup& group) noexcept;

}  // namespace otolith::ingest
