#include "history/rows_view.h"

#include <algorithm>
#include <tuple>

#include "base/mutant.h"

namespace otolith::history {

RowsView::RowsView(std::shared_ptr<const Snapshot> base, DatasetEntry dataset,
                   std::vector<RowsOfBegin> rows)
    : base_(std::move(base)),
      view_(dynamic_cast<const SnapshotView&>(*base_).view()),
      dataset_(std::move(dataset)),
      rows_(std::move(rows)) {}

std::shared_ptr<const Snapshot> RowsView::renewed(const Renew& renew) const {
  auto base = renew(*base_);
  if (base == nullptr) return nullptr;
  return std::make_shared<RowsView>(std::move(base), dataset_, rows_);
}

std::optional<DatasetEntry> RowsView::find(std::string_view name) const {
  return name == dataset_.name ? std::optional(dataset_) : std::nullopt;
}

std::optional<DatasetEntry> RowsView::find(DatasetId dataset) const {
  return dataset == dataset_.id ? std::optional(dataset_) : std::nullopt;
}

const RowsOfBegin* RowsView::of(CommitNumber begin) const noexcept {
  const auto found = std::ranges::lower_bound(rows_, begin, {}, &RowsOfBegin::begin);
  return found != rows_.end() && found->begin == begin ? &*found : nullptr;
}

// Segments that lineage hides are listed too: their rows may have been chosen.
std::vector<SegmentEntry> RowsView::segments(DatasetId dataset) const {
  std::vector<SegmentEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr) return out;
  for (std::size_t i = 0; i < version->segments->size(); ++i) {
    const StoredSegment& stored = (*version->segments)[i];
    const SegmentEntry& entry = stored.entry;
    const bool there = stored.generation <= version->generation;
    if (there && !shows_none(dataset, entry.begin_first, entry.begin_last)) out.push_back(entry);
  }
  std::ranges::sort(out, {}, [](const SegmentEntry& entry) {
    return std::tuple(entry.begin_first, entry.begin_last, entry.ref.id);
  });
  return out;
}

std::vector<TailEntry> RowsView::tail(DatasetId dataset) const {
  std::vector<TailEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || dataset != dataset_.id) return out;
  for (std::size_t i = 0; i < version->tail->size(); ++i) {
    const TailEntry& entry = (*version->tail)[i].entry;
    if (of(entry.begin) == nullptr) continue;
    require_rows(entry);
    out.push_back(entry);
  }
  return out;
}

VisibleRows RowsView::visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const {
  const RowsOfBegin* chosen = dataset == dataset_.id ? of(begin) : nullptr;
  if (chosen == nullptr) return {};
  return {chosen->rows, chosen->rows.end_row(), false, rows};
}

bool RowsView::shows_none(DatasetId dataset, CommitNumber first, CommitNumber last) const {
  if (dataset != dataset_.id) return true;
  if (mutant("chosen-rows-unpruned")) return false;
  const auto next = std::ranges::lower_bound(rows_, first, {}, &RowsOfBegin::begin);
  return next == rows_.end() || next->begin > last;
}

std::uint64_t rows_in(const std::vector<RowsOfBegin>& rows) noexcept {
  std::uint64_t count = 0;
  for (const RowsOfBegin& of_begin : rows) count += of_begin.rows.rows();
  return count;
}

}  // namespace otolith::history
