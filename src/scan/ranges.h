// Sets of rows as runs: what is left of a piece after pruning.
//
// Role:    visibility, time and keys each give ranges; a scan reads their intersection.
// Shapes:  sorted, disjoint, not empty each; rows counted within one piece.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace otolith::scan {

struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t end() const noexcept { return first + count; }
  bool operator==(const RowRange&) const = default;
};
using RowRanges = std::vector<RowRange>;

inline std::uint64_t rows_in(const RowRanges& ranges) noexcept {
  std::uint64_t rows = 0;
  for (const RowRange& range : ranges) rows += range.count;
  return rows;
}

/// Adds rows behind all that are there, joining neighbours.
inline void append_range(RowRanges& to, std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  if (!to.empty() && to.back().end() == first)
    to.back().count += count;
  else
    to.push_back({first, count});
}

/// The rows in both.
inline RowRanges intersect(const RowRanges& a, const RowRanges& b) {
  RowRanges out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::uint64_t first = std::max(a[i].first, b[j].first);
    const std::uint64_t end = std::min(a[i].end(), b[j].end());
    if (first < end) append_range(out, first, end - first);
    a[i].end() < b[j].end() ? ++i : ++j;
  }
  return out;
}

/// The first `rows` of them, or the last.
inline RowRanges take_first(const RowRanges& ranges, std::uint64_t rows) {
  RowRanges out;
  for (const RowRange& range : ranges) {
    const std::uint64_t taken = std::min(range.count, rows);
    append_range(out, range.first, taken);
    rows -= taken;
  }
  return out;
}
inline RowRanges take_last(const RowRanges& ranges, std::uint64_t rows) {
  const std::uint64_t all = rows_in(ranges);
  std::uint64_t skip = all - std::min(all, rows);
  RowRanges out;
  for (const RowRange& range : ranges) {
    const std::uint64_t left_out = std::min(range.count, skip);
    append_range(out, range.first + left_out, range.count - left_out);
    skip -= left_out;
  }
  return out;
}

/// Appends the rows whose bits are set, 64 to a word, the first being row `first`.
inline void append_bits(RowRanges& to, std::span<const std::uint64_t> bits, std::uint64_t first) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    std::uint64_t word = bits[i];
    for (std::uint64_t at = first + i * 64; word != 0;) {
      const auto zeros = static_cast<unsigned>(std::countr_zero(word));
      word >>= zeros;
      const auto ones = static_cast<unsigned>(std::countr_one(word));
      append_range(to, at + zeros, ones);
      at += zeros + ones;
      word = ones == 64 ? 0 : word >> ones;
    }
  }
}

}  // namespace otolith::scan
