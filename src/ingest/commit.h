// The end of every write, in the one order that keeps it durable (docs/history.md 2).
//
// Role:    segment -> commit:
//            segments written -> fsync -> their folders fsync -> history.commit or history.seal
// Errors:  those of the file system (outcome failed) and of history. Files stay if the log may name
//          them.
// Threads: thread-safe.
// Why:     written once: recorders and seals end here.
#pragma once

#include <vector>

#include "ingest/encode.h"

namespace otolith::ingest {

/// Makes the encoded rows part of the request and commits it.
Commit commit_encoded(const IngestContext& context, history::CommitRequest request,
                      std::vector<Encoded> encoded);

/// Says in the log that these files hold what the tail held; false if another seal came first.
bool seal_encoded(const IngestContext& context, const history::SealRequest& request,
                  std::vector<SegmentFile> files);

}  // namespace otolith::ingest
