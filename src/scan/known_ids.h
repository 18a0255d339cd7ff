// The indexes of ids of all segments that a snapshot has of a collection, kept side by side.
//
// Role:    between lookup.h and the open segments (store.h).
// Shapes:  per dataset those of the snapshot that was asked about last.
// Errors:  none.
// Threads: thread-safe.
// Why:     who gets documents one by one asks the same snapshot each time: which segments it has,
//          and whether it shows all rows of each, takes longer to ask than an id takes to find.
#pragma once

#include <memory>
#include <vector>

#include "history/snapshot.h"
#include "scan/segment_ids.h"

namespace otolith::scan {

class SegmentStore;

/// Of one segment.
struct KnownSegment {
  std::shared_ptr<const SegmentIds> ids;
  bool all_shown = false;  // every row of its commits
};
using KnownSegments = std::vector<KnownSegment>;

class KnownIds {
 public:
  KnownIds();
  ~KnownIds();

  /// The newest segment first; nullptr where one of them has no index.
  std::shared_ptr<const KnownSegments> find(
      SegmentStore& store, const std::shared_ptr<const history::Snapshot>& snapshot,
      DatasetId dataset);
  /// Lets go of them: some index is not to be kept.
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::scan
