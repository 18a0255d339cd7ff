// How the rows that one commit adds to one dataset lie behind each other: runs, and partitions in
// them.
//
// Role:    numbers ordinals (docs/history.md 3), places leaves (section 7), cuts row groups.
// Shapes:  rows stand in the order (run, partition, key, time, arrival); ordinals count from 0 over
//          all of it. Within a run buckets ascend and no partition is empty.
// Errors:  corrupt where bytes that say a layout contradict themselves.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace otolith::model {

/// Rows of one partition within one run.
struct PartitionRows {
  std::int64_t bucket = 0;
  std::uint64_t rows = 0;
  bool operator==(const PartitionRows&) const = default;
};

/// What was sorted at once.
using Run = std::vector<PartitionRows>;

struct RowLayout {
  std::vector<Run> runs;
  bool operator==(const RowLayout&) const = default;
};

std::uint64_t run_rows(const Run& run) noexcept;
std::uint64_t layout_rows(const RowLayout& layout) noexcept;

/// As bytes, for frames and segment footers.
void layout_write(ByteWriter& out, const RowLayout& layout);
RowLayout layout_read(ByteReader& in);

}  // namespace otolith::model
