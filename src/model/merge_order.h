// Merging sorted sources into time order: which stretch of which source comes next.
//
// Role:    `read` in time order over segments, partitions, keys and the tail.
// Shapes:  k sources, each ascending by (time, begin, ordinal); equal times keep stored order: (key
//          rank, begin, ordinal). The result names every row once, in stretches as long as can be.
// Errors:  none.
// Threads: thread-safe.
// Why:     stretches, not rows: sources that do not overlap cost one piece each, and copying
//          follows in blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"

namespace otolith::model {

/// One sorted source. Valid while the spans are.
struct MergeSource {
  std::span<const std::int64_t> times{};
  std::uint64_t key_rank = 0;                 // of all its rows
  std::span<const std::uint64_t> begins{};    // per row; empty: all rows have `begin`
  std::span<const std::uint64_t> ordinals{};  // per row; empty: they count up from `ordinal`
  CommitNumber begin{0};
  std::uint64_t ordinal = 0;
};

/// Rows first..first+count-1 of a source.
struct MergePiece {
  std::uint32_t source = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const MergePiece&) const = default;
};

std::vector<MergePiece> merge_order(std::span<const MergeSource> sources);

}  // namespace otolith::model
