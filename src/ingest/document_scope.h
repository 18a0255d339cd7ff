// Which documents a rollback of part of a collection takes back.
//
// Role:    the Marking of a scope in a collection, as removals.h has those of tables.
// Shapes:  ids, and a half-open range of the documents' times; all that is named must hold.
// Errors:  those of reading.
// Threads: thread-compatible.
// Why:     a document is inside where either state has it inside, and then all of its id goes back:
//          were rows judged one by one, one whose time differs would be shown twice, or never
//          (docs/history.md 4).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "history/request.h"
#include "history/snapshot.h"
#include "scan/scan.h"

namespace otolith::ingest {

struct DocumentScope {
  std::optional<std::vector<std::string>> ids{};
  std::optional<Timestamp> start{};
  std::optional<Timestamp> stop{};
};

/// Makes the documents of the scope those of commit `to`.
history::Marking marking_back(const scan::ScanContext& context,
                              const history::DatasetEntry& dataset, const DocumentScope& scope,
                              CommitNumber to);

}  // namespace otolith::ingest
