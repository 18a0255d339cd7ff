// Which reverts took a commit out of a lineage or put it back.
//
// Role:    the half of lineage that is not path: asked for a commit, the latest revert on a path
//          that holds it.
// Shapes:  runs of commits, each split into blocks of 2^level commits; per block the reverts,
//          ascending.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a query looks at one block per level in use, however many runs and reverts there are;
//          searching the reverts one by one took milliseconds at 10^5 of them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/mutant.h"
#include "history/commit_runs.h"

namespace otolith::history {

class DeltaIndex {
 public:
  struct Entry {
    std::uint64_t revert = 0;  // the commit that reverted
    bool added = false;        // put back, not taken out
  };

  /// Makes room for so many runs more.
  void reserve(std::size_t runs) { blocks_.reserve(blocks_.size() + runs); }
  /// Reverts are added in ascending order.
  void add(CommitRun run, Entry entry);
  /// Takes back the newest entry of the run's blocks.
  void pop(CommitRun run);

  /// The latest entry <= `limit` that holds the commit and is accepted. `floor(revert)` gives
  /// `revert` to accept it, else the greatest commit below it that can still be.
  template <typename Floor>
  std::optional<Entry> latest(std::uint64_t commit, std::uint64_t limit, Floor floor) const {
    std::optional<Entry> found;
    for (std::uint64_t levels = levels_; levels != 0; levels &= levels - 1) {
      const int level = std::countr_zero(levels);
      const auto block = blocks_.find(key(level, commit >> level));
      if (block == blocks_.end()) continue;
      const auto entry = latest_of(block->second, found ? found->revert : commit, limit, floor);
      if (entry) found = entry;
    }
    return found;
  }

 private:
  using Entries = std::vector<Entry>;
  static std::uint64_t key(int level, std::uint64_t block) noexcept {
    return static_cast<std::uint64_t>(level) << 58 | block;
  }
  template <typename Visit>
  void each_block(CommitRun run, Visit visit);

  template <typename Floor>
  static std::optional<Entry> latest_of(const Entries& entries, std::uint64_t above,
                                        std::uint64_t limit, Floor& floor) {
    if (mutant("lineage-delta-order-ignored")) limit = std::min(limit, entries.front().revert);
    while (true) {
      const auto behind = std::ranges::upper_bound(entries, limit, {}, &Entry::revert);
      if (behind == entries.begin() || std::prev(behind)->revert <= above) return std::nullopt;
      const Entry& entry = *std::prev(behind);
      limit = floor(entry.revert);
      if (limit == entry.revert) return entry;
    }
  }

  std::unordered_map<std::uint64_t, Entries> blocks_;
  std::uint64_t levels_ = 0;  // bit i: blocks of 2^i commits are in use
};

}  // namespace otolith::history
