// The last row of each key at or before a time.
//
// Role:    a read of its own beside scan.h: what was known as of a time.
// Shapes:  one row for each key that has any, in the order of keys; without keys the last row.
// Errors:  those of a scan.
// Threads: thread-safe; reads on several threads itself.
// Why:     partitions are gone through from the last one on, and none is opened once all keys that
//          were asked for are found. Rows of one key stand together, so the last one of each is
//          found by growing steps: pages between are not read. A key found in a later partition is
//          settled, whatever earlier ones hold.
#pragma once

#include <memory>
#include <vector>

#include "scan/scan.h"

namespace otolith::scan {

struct LastRows {
  std::shared_ptr<const Schema> schema;  // the columns asked for, in that order
  std::vector<Batch> batches;            // one, or none where no row is found
  std::uint64_t partitions = 0;          // gone through
};

LastRows asof(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
              const history::DatasetEntry& dataset, const AsofRequest& request);

}  // namespace otolith::scan
