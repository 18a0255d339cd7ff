#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "history/snapshot.h"

namespace otolith::history {

VisibleRows VisibleRows::all_or_none(bool all) noexcept {
  VisibleRows out;
  out.kind_ = all ? Kind::all : Kind::none;
  return out;
}

VisibleRows::VisibleRows(RowSet set, std::uint64_t end, bool behind, std::uint64_t rows)
    : end_(end), behind_(behind) {
  const std::uint64_t within = std::min(end, rows);
  const std::uint64_t shown = set.rows_in({0, within}) + (behind ? rows - within : 0);
  kind_ = shown == 0 ? Kind::none : shown == rows ? Kind::all : Kind::some;
  if (kind_ == Kind::some) set_ = std::make_shared<const RowSet>(std::move(set));
}

bool VisibleRows::shows(std::uint64_t ordinal) const noexcept {
  if (kind_ != Kind::some) return kind_ == Kind::all;
  return ordinal < end_ ? set_->contains(ordinal) : behind_;
}

std::uint64_t VisibleRows::rows_in(RowRange range) const noexcept {
  if (kind_ != Kind::some) return kind_ == Kind::all ? range.count : 0;
  const std::uint64_t beyond = range.end() - std::clamp(end_, range.first, range.end());
  return set_->rows_in({range.first, range.count - beyond}) + (behind_ ? beyond : 0);
}

RowSet VisibleRows::slice(RowRange range) const {
  if (kind_ == Kind::none) return {};
  if (kind_ == Kind::all) return {{0, range.count}};
  const std::uint64_t beyond = range.end() - std::clamp(end_, range.first, range.end());
  RowSet out = set_->slice({range.first, range.count - beyond});
  if (behind_ && !mutant("rows-behind-marks-hidden")) out.append({range.count - beyond, beyond});
  return out;
}

RowSet VisibleRows::among(const RowSet& rows) const {
  if (kind_ == Kind::none) return {};
  if (kind_ == Kind::all) return rows;
  RowSet out = intersect(rows, *set_);
  if (behind_ && rows.end_row() > end_) {
    const std::uint64_t from = std::max(end_, rows.first_row());
    out.append(rows.within({from, rows.end_row() - from}));
  }
  return out;
}

std::vector<TailEntry> Snapshot::tail_within(DatasetId dataset, Timestamp first,
                                             Timestamp last) const {
  std::vector<TailEntry> out = tail(dataset);
  std::erase_if(
      out, [&](const TailEntry& entry) { return entry.time_max < first || entry.time_min > last; });
  return out;
}

std::vector<TailEntry> Snapshot::tail_since(DatasetId dataset, CommitNumber after) const {
  std::vector<TailEntry> out = tail(dataset);
  std::erase_if(out, [&](const TailEntry& entry) { return entry.begin <= after; });
  return out;
}

std::optional<TailEntry> Snapshot::tail_of(DatasetId dataset, CommitNumber begin) const {
  for (TailEntry& entry : tail(dataset)) {
    if (entry.begin == begin) return std::move(entry);
  }
  return std::nullopt;
}

bool Snapshot::shows(DatasetId dataset, const RowId& row) const {
  return visible(dataset, row.begin, row.ordinal + 1).shows(row.ordinal);
}

std::optional<CommitNumber> Snapshot::tail_first(DatasetId dataset) const {
  const std::vector<TailEntry> entries = tail(dataset);
  return entries.empty() ? std::nullopt : std::optional(entries.front().begin);
}

// As in a history without rollbacks, reverts and marks.
bool Snapshot::sees(DatasetId, CommitNumber commit) const { return commit <= number(); }

std::vector<RowMark> Snapshot::marks_of(DatasetId, CommitNumber, std::uint64_t) const { return {}; }

}  // namespace otolith::history
