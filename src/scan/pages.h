// Ranges of rows of a piece, page by page.
//
// Role:    whoever reads only pages that hold rows that are wanted.
// Shapes:  pages of at most kPageRowsMax rows; where a source has none, so many rows are one.
// Errors:  those of what is called.
// Threads: thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/limits.h"
#include "scan/ranges.h"
#include "scan/source.h"

namespace otolith::scan {

/// Calls `look` with each page that holds some of the ranges, and with what it holds of them.
template <typename Look>
void for_each_page(const RowSource& source, std::size_t piece, const RowRanges& ranges, Look look) {
  const std::uint64_t rows = source.pieces()[piece].rows;
  const std::uint64_t page_rows = std::min<std::uint64_t>(source.page_rows(), kPageRowsMax);
  RowRanges held;
  for (std::size_t at = 0; at < ranges.size();) {
    const std::uint64_t begun = held.empty() ? ranges[at].first : held.back().end();
    const std::uint64_t first = std::max(begun, ranges[at].first) / page_rows * page_rows;
    const std::uint64_t end = std::min(first + page_rows, rows);
    held.clear();
    for (; at < ranges.size() && ranges[at].first < end; ++at) {
      const std::uint64_t from = std::max(ranges[at].first, first);
      append_range(held, from, std::min(ranges[at].end(), end) - from);
      if (ranges[at].end() > end) break;
    }
    look(RowRange{first, end - first}, held);
  }
}

/// The same of ascending rows by number.
template <typename Look>
void for_each_page(const RowSource& source, std::size_t piece, std::span<const std::uint32_t> rows,
                   Look look) {
  const std::uint64_t all = source.pieces()[piece].rows;
  const std::uint64_t page_rows = std::min<std::uint64_t>(source.page_rows(), kPageRowsMax);
  while (!rows.empty()) {
    const std::uint64_t first = rows.front() / page_rows * page_rows;
    const std::uint64_t end = std::min(first + page_rows, all);
    const auto behind = std::ranges::lower_bound(rows, end);
    const auto held = static_cast<std::size_t>(behind - rows.begin());
    look(RowRange{first, end - first}, rows.first(held));
    rows = rows.subspan(held);
  }
}

}  // namespace otolith::scan
