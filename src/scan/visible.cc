#include "scan/visible.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "segment/layout.h"

namespace otolith::scan {

namespace {

using Kind = history::VisibleRows::Kind;

bool shown(const history::VisibleRows& rows, std::uint64_t ordinal) {
  if (rows.kind != Kind::some) return rows.kind == Kind::all;
  const auto after = std::ranges::upper_bound(rows.runs, ordinal, {}, &history::OrdinalRun::first);
  return after != rows.runs.begin() && ordinal - std::prev(after)->first < std::prev(after)->count;
}

// Ordinals first..first+rows-1 as rows 0..rows-1.
RowRanges of_ordinals(const history::VisibleRows& visible, std::uint64_t first,
                      std::uint64_t rows) {
  if (visible.kind == Kind::none) return {};
  if (visible.kind == Kind::all) return {{0, rows}};
  RowRanges out;
  const std::uint64_t end = first + rows;
  auto run = std::ranges::upper_bound(visible.runs, first, {}, &history::OrdinalRun::first);
  if (run != visible.runs.begin()) --run;
  const auto behind =
      std::ranges::lower_bound(run, visible.runs.end(), end, {}, &history::OrdinalRun::first);
  out.reserve(static_cast<std::size_t>(behind - run));
  for (; run != behind; ++run) {
    const std::uint64_t from = std::max(run->first, first);
    const std::uint64_t to = std::min(run->first + run->count, end);
    if (from < to) append_range(out, from - first, to - from);
  }
  return out;
}

}  // namespace

Visibility::Visibility(std::shared_ptr<const history::Snapshot> snapshot, DatasetId dataset)
    : snapshot_(std::move(snapshot)), dataset_(dataset) {}

const history::VisibleRows& Visibility::of(CommitNumber begin, std::uint64_t rows) {
  const auto found = known_.find(value_of(begin));
  if (found != known_.end()) return found->second;
  return known_[value_of(begin)] = snapshot_->visible(dataset_, begin, rows);
}

RowRanges Visibility::of(const RowSource& source, std::size_t piece) {
  const Piece& rows = source.pieces()[piece];
  if (mutant("visibility_ignored")) return {{0, rows.rows}};
  if (!source.begin()) return of_many(source, piece, {0, rows.rows});
  return of_ordinals(of(*source.begin(), source.rows()), rows.first_ordinal, rows.rows);
}

RowRanges Visibility::among(const RowSource& source, std::size_t piece,
                            const RowRanges& candidates) {
  if (candidates.empty() || mutant("visibility_ignored")) return candidates;
  const std::uint64_t first = candidates.front().first;
  const std::uint64_t end = candidates.back().first + candidates.back().count;
  return intersect(of_many(source, piece, {first, end - first}), candidates);
}

// Row by row, but the snapshot is asked once per begin.
RowRanges Visibility::of_many(const RowSource& source, std::size_t piece, RowRange within) {
  const std::uint64_t rows = within.count;
  const Array begins = source.values(piece, segment::kBeginColumn, within.first, rows);
  const Array ordinals = source.values(piece, segment::kOrdinalColumn, within.first, rows);
  RowRanges out;
  const history::VisibleRows* visible = nullptr;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const auto begin = begins.value<std::uint64_t>(row);
    if (row == 0 || begin != begins.value<std::uint64_t>(row - 1)) {
      visible = &of(CommitNumber{begin}, kSegmentRowsMax);
    }
    if (shown(*visible, ordinals.value<std::uint64_t>(row))) {
      append_range(out, within.first + row, 1);
    }
  }
  return out;
}

}  // namespace otolith::scan
