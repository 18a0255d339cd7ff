// What a recorder deletes of one dataset: requests now, row ids when the commit is decided.
//
// Role:    record -> commit: becomes the Marking that history asks for the rows
//          (history/row_questions.h).
// Shapes:  any number of requests; a row that several match is ended once.
// Errors:  those of binding a request to the schema: invalid_argument with the nearest name.
// Threads: thread-compatible.
// Why:     rows staged by the recorder itself are netted when it is asked (stage.h), so that what
//          is left asks about committed rows only, and in any order.
#pragma once

#include <vector>

#include "base/hash.h"
#include "history/request.h"
#include "history/snapshot.h"
#include "otolith/read.h"
#include "scan/scan.h"

namespace otolith::ingest {

class Removals {
 public:
  explicit Removals(history::DatasetEntry dataset) : dataset_(std::move(dataset)) {}

  void add(const ReadRequest& rows);
  const history::DatasetEntry& dataset() const noexcept { return dataset_; }
  /// Whether each row is judged by itself.
  bool by_row() const noexcept { return by_row_; }
  history::Marking marking(const scan::ScanContext& context) const;
  /// The rows that match in a state. Requests that were asked of it before are not asked again.
  const history::MarkList& found(const scan::ScanContext& context,
                                 const std::shared_ptr<const history::Snapshot>& state);

 private:
  history::DatasetEntry dataset_;
  std::vector<ReadRequest> requests_;
  bool by_row_ = true;

  std::shared_ptr<const history::Snapshot> state_;  // of found_
  std::size_t asked_ = 0;                           // requests that found_ answers
  history::MarkList found_;
};

/// Tells a retried delete from another one: what it is asked, behind which staged rows.
void hash_request(Blake3& hash, DatasetId dataset, std::uint64_t rows_before,
                  const ReadRequest& rows);

}  // namespace otolith::ingest
