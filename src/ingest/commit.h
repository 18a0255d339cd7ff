// The end of every write, in the one order that keeps it durable (docs/history.md 2).
//
// Role:    segment -> commit:
//            segments written -> fsync -> their folders fsync -> history.commit, seal or compact
// Errors:  those of the file system (outcome failed) and of history. Files stay if the log may name
//          them.
// Threads: thread-safe.
// Why:     written once: recorders, seals and joins end here.
#pragma once

#include <vector>

#include "ingest/encode.h"

namespace otolith::ingest {

class DocumentChanges;  // document_changes.h

/// Makes the encoded rows part of the request and commits it. `documents`: the request's dependent
/// changes, whose files come and go while it is decided.
Commit commit_encoded(const IngestContext& context, history::CommitRequest request,
                      std::vector<Encoded> encoded, DocumentChanges* documents = nullptr);

/// Says in the log that these files hold what the tail held; false if another seal came first.
bool seal_encoded(const IngestContext& context, const history::SealRequest& request,
                  std::vector<SegmentFile> files);

/// Says in the log that these files hold what others held; false if another join came first.
bool join_encoded(const IngestContext& context, const history::CompactRequest& request,
                  std::vector<SegmentFile> made);

}  // namespace otolith::ingest
