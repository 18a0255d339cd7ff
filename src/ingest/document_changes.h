// The documents of a commit: made for a state, kept right until it is decided.
//
// Role:    encode -> segment -> commit, for documents: the dependent changes of a request
//          (history/request.h).
// Shapes:  up to the inline limit of rows in the frame, more in a segment file of each collection.
// Errors:  those of the operations (document_stage.h) and of the file system.
// Threads: thread-compatible: history asks on one thread at a time.
// Why:     where another commit changed one of the documents, all is worked out and written anew:
//          few documents under the append lock, so that many writers of one id share a batch; many
//          without it, and under it once, in the last round (docs/history.md 5).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ingest/document_stage.h"
#include "ingest/encode.h"
#include "ingest/recorder.h"

namespace otolith::ingest {

class DocumentChanges final : public history::DependentChanges {
 public:
  /// `inline_bytes`: of documents that may stand in the frame.
  DocumentChanges(IngestContext context, std::map<std::string, DocumentStage> stages,
                  std::uint64_t inline_bytes);

  bool little(const history::ChangeState& state) const override;
  bool hold(const history::ChangeState& state) override;
  void make(const history::ChangeState& state, history::CommitRequest& request) override;

  /// The files that the request names now, and the datasets they are of.
  struct File {
    SegmentFile* file = nullptr;
    DatasetId dataset;
  };
  std::vector<File> files();

 private:
  // One collection: what it came to, and what was made of it.
  struct Made {
    std::optional<DatasetId> dataset;  // nullopt: the commit makes it
    DatasetId in_request;
    std::vector<DocumentOutcome::Seen> seen;
    bool by_condition = false;
    std::optional<SegmentFile> file;
  };

  scan::ScanContext scan_context() const;
  Encoded encode(const history::DatasetEntry& dataset, const Batch& rows, std::uint64_t& room);
  bool holds(const Made& made, const std::string& name, const history::ChangeState& state) const;

  const IngestContext context_;
  const std::map<std::string, DocumentStage> stages_;
  const std::uint64_t inline_bytes_;
  std::optional<FileOwner> owner_;  // of the files, from the first one on
  std::map<std::string, Made> made_;
};

}  // namespace otolith::ingest
