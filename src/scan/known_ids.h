// A collection in one state as look-ups want it: name, columns, the indexes of its segments.
//
// Role:    between lookup.h and the open segments (store.h).
// Shapes:  per dataset that of the snapshot that was asked about last.
// Errors:  none.
// Threads: thread-safe.
// Why:     who gets documents one by one asks the same snapshot each time: which dataset has the
//          name, which segments it has, and whether it shows all rows of each, takes longer to ask
//          than an id takes to find.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "history/snapshot.h"
#include "scan/segment_ids.h"

namespace otolith::scan {

class SegmentStore;

/// Of one segment.
struct KnownSegment {
  std::shared_ptr<const SegmentIds> ids;
  IdTable table;           // its own, side by side with those of the others
  bool all_shown = false;  // every row of its commits
};

/// Which segments may have an id: bits of 16 for each part of all hashes. Made once look-ups have
/// cost as much as making it does; thread-safe.
class SegmentFilter {
 public:
  using Bits = std::uint16_t;
  static constexpr std::size_t kBits = 16;  // segment i has bit i % kBits

  /// Of these segments; before it is asked.
  void expect(const std::vector<KnownSegment>& segments) noexcept;
  /// Those that may have an id of this hash; all of them while it is not made.
  Bits asked(const std::vector<KnownSegment>& segments, std::uint64_t hash) const;
  static bool has(Bits bits, std::size_t segment) noexcept {
    return (bits >> (segment % kBits) & 1u) != 0;
  }

 private:
  void make(const std::vector<KnownSegment>& segments) const;
  std::size_t part_of(std::uint32_t tag) const noexcept { return tag >> shift_; }

  std::uint64_t ids_ = 0;
  mutable std::atomic<std::uint64_t> look_ups_{0};  // not all of them: threads may lose some
  mutable std::once_flag once_;
  mutable std::atomic<bool> made_{false};
  mutable std::vector<Bits> parts_;  // written once, before made_
  mutable unsigned shift_ = 0;
};

/// A collection of which every segment has its index.
struct KnownCollection {
  history::DatasetEntry dataset;
  ColumnId time{};
  ColumnId body{};
  std::vector<KnownSegment> segments;  // the newest first
  SegmentFilter filter;
  bool tail = false;  // rows may be in none of them
};

/// Which one: by its identity, where that is known.
struct CollectionWanted {
  std::optional<DatasetId> dataset;
  std::string_view name;
};

class KnownIds {
 public:
  KnownIds();
  ~KnownIds();

  /// nullptr where the snapshot has no such collection, or one of its segments has no index.
  std::shared_ptr<const KnownCollection> find(
      SegmentStore& store, const std::shared_ptr<const history::Snapshot>& snapshot,
      const CollectionWanted& wanted);
  /// Lets go of them: some index is not to be kept.
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::scan
