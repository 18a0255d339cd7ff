// Scan: a snapshot's visible rows of one dataset, as batches under the snapshot's schema.
//
// Role:    prune -> scan of the flow; where segments, tail and visibility meet.
// Shapes:  batches of at most one row group; rows in the order asked for, limit and range applied.
// Errors:  invalid_argument for unknown columns and keys (nearest name given); corrupt with file,
//          offset and the commits concerned; not_found never.
// Threads: thread-compatible: a Scan is one thread's; many may run beside each other.
// Why:     one reader for users, recorders, seals and checks, so that visibility is decided in one
//          place.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "history/snapshot.h"
#include "model/state_digest.h"
#include "otolith/batch.h"
#include "otolith/read.h"

namespace otolith::scan {

class SegmentStore;  // store.h

/// What every scan of one handle shares.
struct ScanContext {
  std::shared_ptr<SegmentStore> store;
  unsigned threads = 1;
  std::uint64_t step_rows = kRowGroupRowsMax;  // filtered first where there is a limit; tests: few
};

/// Rows of one dataset as of one snapshot. The snapshot is kept until the Scan goes.
class Scan {
 public:
  Scan(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
       history::DatasetEntry dataset, const ReadRequest& request);
  Scan(Scan&&) noexcept;
  ~Scan();

  /// Columns of the result, in the order asked for.
  std::shared_ptr<const Schema> schema() const;
  /// The next rows; nullopt at the end.
  std::optional<Batch> next();
  /// All rows that are left: columns of fixed width side by side in memory, decoded at once. Those
  /// that a filter let through come as one batch, of as many row groups as they are scattered over.
  std::vector<Batch> rest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Visible rows, without reading data where segments are wholly visible.
std::uint64_t count_rows(const ScanContext& context, const history::Snapshot& snapshot,
                         const history::DatasetEntry& dataset);

/// Times of the first and the last visible row.
std::optional<std::pair<Timestamp, Timestamp>> time_range(
    const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
    const history::DatasetEntry& dataset);

/// The digest of all visible rows in all columns: the same for one commit, wherever its rows are.
model::StateDigest state_digest(const ScanContext& context,
                                std::shared_ptr<const history::Snapshot> snapshot,
                                const history::DatasetEntry& dataset);

}  // namespace otolith::scan
