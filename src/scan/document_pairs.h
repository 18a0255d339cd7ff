// The documents of two states side by side: of each id what the one shows and what the other.
//
// Role:    diff of collections, and a rollback of some documents, over views of the rows that
//          differ (history/rows_view.h).
// Shapes:  ids ascending, each once; of an id one side or both.
// Errors:  those of reading.
// Threads: thread-compatible; works on several threads itself.
// Why:     both states show an id once, so two scans in the order of ids are merged a document at
//          a time: what is in memory is some thousand rows of each.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "scan/document_scan.h"

namespace otolith::scan {

/// One document as one state shows it. Texts are valid until the next pair is asked for.
struct DocumentSide {
  RowId row;
  Timestamp time{};         // as stored: kTimeOfCommit where none was stated
  std::string_view body{};  // empty where bodies are not read
};

/// An id, and who shows it.
struct DocumentPair {
  std::string_view id;
  std::optional<DocumentSide> before;
  std::optional<DocumentSide> after;
};

/// Goes through one state, a document at a time.
class DocumentCursor {
 public:
  DocumentCursor(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
                 const history::DatasetEntry& dataset, bool bodies);
  /// Whether there is a document here.
  bool there() const noexcept { return rows_.has_value(); }
  std::string_view id() const { return rows_->ids.text(at_); }
  DocumentSide side() const;
  void next();

 private:
  void fill();

  DocumentScan scan_;
  const bool bodies_;
  std::optional<DocumentRows> rows_;
  std::uint64_t at_ = 0;
};

class DocumentPairs {
 public:
  DocumentPairs(DocumentCursor before, DocumentCursor after)
      : before_(std::move(before)), after_(std::move(after)) {}
  /// nullopt at the end.
  std::optional<DocumentPair> next();

 private:
  void leave_last();

  DocumentCursor before_;
  DocumentCursor after_;
  bool of_before_ = false;  // the last pair had this side
  bool of_after_ = false;
};

}  // namespace otolith::scan
