// Payloads of the frames that are no commits: tag, seal, compact, lost; sweep is reserved.
//
// Role:    maintenance and names beside the line of commits (docs/history.md 2 and 6).
// Shapes:  magic, required features, then the fields of each, as docs/format/commit.md draws them.
// Errors:  reading throws corrupt for bytes no writer makes, unsupported_format for unknown
//          features.
// Threads: thread-safe.
// Why:     frames, not commits: they change no answer, are in no lineage and in no hash of a
//          commit.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "history/snapshot.h"

namespace otolith::history {

/// Gives a commit a name, or takes the name away. Not under lineage.
struct TagRecord {
  std::string name;
  CommitNumber commit{0};  // 0: the tag is taken away
};

/// Rows of the tail of one dataset, behind `base` and up to `covers` of the seal, stand in a
/// segment now.
struct SealedRecord {
  DatasetId dataset;
  RecordNumber base{
      0};  // what the seal before it covered; a frame with another base changes nothing
  SegmentEntry segment;
};
struct SealRecord {
  RecordNumber covers{0};
  std::vector<SealedRecord> datasets;  // ascending
};

/// Segments of one dataset were joined: their rows stand in others now, with their ids.
struct CompactRecord {
  Timestamp time{};  // when: their files are swept later
  DatasetId dataset;
  std::vector<Id128> replaced;  // ascending; where any is not there the frame changes nothing
  std::vector<SegmentEntry> segments;
};

/// Relaxed records first … last were given up, by recovery of the log or because segments they name
/// are not sound; history goes on behind first - 1.
struct LostRecord {
  RecordNumber first{0};
  RecordNumber last{0};
  RecordNumber stands() const noexcept { return RecordNumber{value_of(first) - 1}; }
};

Bytes tag_write(const TagRecord& record);
TagRecord tag_read(BytesView payload);
Bytes seal_write(const SealRecord& record);
SealRecord seal_read(BytesView payload);
Bytes compact_write(const CompactRecord& record);
CompactRecord compact_read(BytesView payload);
Bytes lost_write(const LostRecord& record);
LostRecord lost_read(BytesView payload);
/// Sweep may change which files there are: a build that cannot follow it must not go on.
[[noreturn]] void reserved_read(BytesView payload);

void segment_entry_write(ByteWriter& out, const SegmentEntry& entry);
SegmentEntry segment_entry_read(ByteReader& in);

}  // namespace otolith::history
