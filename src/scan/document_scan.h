// Goes through the documents that a snapshot shows of a collection, by id.
//
// Role:    find, deletes by condition, and what a commit did: as scan.h, with the row ids.
// Shapes:  batches of at most kDocumentRowsMax rows, ids ascending, or descending in reverse.
// Errors:  those of reading.
// Threads: thread-compatible; works on several threads itself.
// Why:     by id, since rows are sorted by it: what lies in several segments is merged as indexes,
//          and bodies are read a batch at a time, so that a collection larger than memory can be
//          gone through. Of a condition what columns tell of it is asked here, once for all rows;
//          times of commits and bodies are not looked at.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "document/condition.h"
#include "scan/scan.h"

namespace otolith::scan {

inline constexpr std::uint64_t kDocumentRowsMax = 4096;  // read at once

/// Some documents, side by side.
struct DocumentRows {
  std::uint64_t rows = 0;
  Array ids;
  Array times;  // as stored: kTimeOfCommit where none was stated
  Array bodies;
  std::vector<RowId> row_ids;
};

/// Which documents, told from columns and commits alone.
struct DocumentWanted {
  std::string prefix{};         // of the id
  bool reverse = false;         // the last id first
  CommitNumber begun_after{0};  // of commits behind this one only
  std::uint64_t batch_rows = kDocumentRowsMax;
  bool bodies = true;                        // read; else they are left empty
  std::vector<document::Condition> where{};  // of those left out, one is not true
};

class DocumentScan {
 public:
  DocumentScan(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
               history::DatasetEntry dataset, DocumentWanted wanted = {});
  DocumentScan(DocumentScan&&) noexcept;
  ~DocumentScan();

  /// The next documents; nullopt at the end.
  std::optional<DocumentRows> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::scan
