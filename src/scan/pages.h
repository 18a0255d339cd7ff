// Ranges of rows of a piece, page by page.
//
// Role:    whoever reads only pages that hold rows that are wanted.
// Shapes:  pages of at most kPageRowsMax rows; where a source has none, so many rows are one.
// Errors:  those of what is called.
// Threads: thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/limits.h"
#include "base/row_set.h"
#include "scan/source.h"

namespace otolith::scan {

/// Calls `look` with each page that holds some of the rows, and with those that it holds.
template <typename Look>
void for_each_page(const RowSource& source, std::size_t piece, const RowSet& rows, Look look) {
  const std::uint64_t all = source.pieces()[piece].rows;
  const std::uint64_t page_rows = std::min<std::uint64_t>(source.page_rows(), kPageRowsMax);
  for (std::uint64_t at = rows.first_row(); at < rows.end_row();) {
    const std::uint64_t first = at / page_rows * page_rows;
    const RowRange page{first, std::min(page_rows, all - first)};
    at = page.end();
    const RowSet held = rows.within(page);
    if (!held.empty()) look(page, held);
  }
}

}  // namespace otolith::scan
