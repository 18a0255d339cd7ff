// Whether the rows of a commit, wherever they stand now, are those that its hash is of.
//
// Role:    `verify` of a whole history: the leaves of a commit's rows hashed again (docs/history.md
//          7).
// Shapes:  one commit and dataset -> a verdict; of its rows one column at a time in memory.
// Errors:  those of reading.
// Threads: thread-safe; reads on several threads.
// Why:     checksums show that bytes are those that somebody wrote; only the chain of commits,
//          which names the root of their leaves, shows that nobody wrote others since.
#pragma once

#include <memory>

#include "history/history.h"
#include "scan/scan.h"

namespace otolith::scan {

enum class RowsVerdict : std::uint8_t {
  same,
  differ,
  unknown,  // sorted in several runs, and joined with others since: where they began is not stored
};

/// `snapshot` is of the commit or a later one; `dataset` as of the commit.
RowsVerdict rows_verdict(const ScanContext& context,
                         const std::shared_ptr<const history::Snapshot>& snapshot,
                         const history::DatasetEntry& dataset, const history::RowsProof& proof);

}  // namespace otolith::scan
