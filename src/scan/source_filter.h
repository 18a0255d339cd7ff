// A condition against the rows of one source, page by page.
//
// Role:    filter of the flow: what is left of a piece after its zone maps and its values were
//          asked.
// Shapes:  pages of at most kPageRowsMax rows; where a source has none, so many rows are one.
// Errors:  those of reading the columns that the condition asks about.
// Threads: thread-safe.
// Why:     a page's zone maps first, all of them; then its columns, the cheap ones first, and none
//          once no row is left.
#pragma once

#include <memory>
#include <vector>

#include "base/row_set.h"
#include "scan/condition.h"
#include "scan/source.h"

namespace otolith::scan {

class SourceFilter {
 public:
  /// Both are kept by the caller.
  SourceFilter(const Condition& condition, const Schema& schema, const RowSource& source);
  ~SourceFilter();

  /// The candidates that pass.
  RowSet rows(std::size_t piece, const RowSet& candidates) const;

 private:
  struct Step;
  struct Page;
  class PageInputs;
  const RowSource& source_;
  std::unique_ptr<const Step> root_;
};

}  // namespace otolith::scan
