#include "history/snapshot_view.h"

#include <algorithm>
#include <ranges>
#include <tuple>

#include "base/mutant.h"

namespace otolith::history {

namespace {

using Kind = DatasetEvent::Kind;

InLineage lineage_of(const CatalogView& view, DatasetId dataset) {
  return [&view, dataset](CommitNumber commit) {
    return commit <= view.commit && view.lineage->contains(dataset, view.commit, commit);
  };
}

// Rows of a begin outside the lineage are seen only where a mark of the lineage revived them.
bool may_show(const CatalogView& view, const DatasetVersion& dataset, CommitNumber begin) {
  return begin <= view.commit &&
         (view.lineage->contains(dataset.id, view.commit, begin) || dataset.marks->touches(begin));
}

// The place of the first entry of a commit behind this one: they come in the order of commits.
std::size_t first_behind(const Growing<StoredTail>& tail, CommitNumber commit) {
  const auto places = std::views::iota(std::size_t{0}, tail.size());
  const auto found = std::ranges::upper_bound(
      places, commit, {}, [&](std::size_t place) { return tail[place].entry.begin; });
  return static_cast<std::size_t>(found - places.begin());
}

}  // namespace

std::optional<DatasetEntry> dataset_at(const CatalogView& view, const DatasetVersion& dataset) {
  DatasetEntry entry{dataset.id, {}, nullptr};
  const InLineage in_lineage = lineage_of(view, dataset.id);
  for (std::size_t i = dataset.events->size(); i-- > 0;) {
    const DatasetEvent& event = (*dataset.events)[i];
    const bool counts = in_lineage(event.commit) ||
                        (mutant("catalog-ignores-lineage") && event.commit <= view.commit);
    if (!counts) continue;
    if (event.kind == Kind::drop) return std::nullopt;
    if (entry.name.empty()) entry.name = event.name;
    if (!entry.schema) entry.schema = event.schema;
    if (event.kind == Kind::create) return entry;
  }
  return std::nullopt;
}

const std::vector<DatasetEntry>& NameTable::entries() const {
  std::call_once(once_, [this] {
    const auto& datasets = view_.catalog->datasets;
    for (std::size_t i = 0; i < datasets.size(); ++i) {
      if (datasets[i]->id.created > view_.commit) break;
      auto entry = dataset_at(view_, *datasets[i]);
      if (entry) entries_.push_back(std::move(*entry));
    }
    std::ranges::sort(entries_, {}, &DatasetEntry::name);
  });
  return entries_;
}

const DatasetEntry* NameTable::find(std::string_view name) const {
  const auto& all = entries();
  const auto found = std::ranges::lower_bound(all, name, {}, &DatasetEntry::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::vector<DatasetEntry> SnapshotView::datasets() const {
  std::vector<DatasetEntry> out = names_->entries();
  std::erase_if(out, [](const DatasetEntry& entry) { return entry.name == kDatabaseName; });
  return out;
}

std::optional<DatasetEntry> SnapshotView::find(std::string_view name) const {
  const DatasetEntry* entry = name == kDatabaseName ? nullptr : names_->find(name);
  return entry == nullptr ? std::nullopt : std::optional(*entry);
}

std::optional<DatasetEntry> SnapshotView::database() const {
  const DatasetEntry* entry = names_->find(kDatabaseName);
  return entry == nullptr ? std::nullopt : std::optional(*entry);
}

std::optional<DatasetEntry> SnapshotView::find(DatasetId dataset) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  return version != nullptr ? dataset_at(view_, *version) : std::nullopt;
}

std::vector<SegmentEntry> SnapshotView::segments(DatasetId dataset) const {
  std::vector<SegmentEntry> out = segments_and_past(dataset);
  if (mutant("past-always-listed")) return out;
  std::erase_if(out, [&](const SegmentEntry& entry) {
    return entry.side == Side::past && stands(dataset, entry, entry.begin_first, entry.begin_last);
  });
  return out;
}

std::vector<SegmentEntry> SnapshotView::segments_and_past(DatasetId dataset) const {
  std::vector<SegmentEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr) return out;
  for (std::size_t i = 0; i < version->segments->size(); ++i) {
    const StoredSegment& stored = (*version->segments)[i];
    const SegmentEntry& entry = stored.entry;
    if (stored.generation > version->generation || entry.begin_first > view_.commit) continue;
    if (entry.many || may_show(view_, *version, entry.begin_first)) out.push_back(entry);
  }
  std::ranges::sort(out, {}, [](const SegmentEntry& entry) {
    return std::tuple(entry.begin_first, entry.begin_last, entry.ref.id);
  });
  return out;
}

std::vector<TailEntry> SnapshotView::tail(DatasetId dataset) const {
  return tail_within(dataset, kTimestampMin, kTimestampMax);
}

// Thousands of entries may be there, of which a read wants few: times are looked at first, and
// the lineage is asked once where it shows all.
std::vector<TailEntry> SnapshotView::tail_within(DatasetId dataset, Timestamp first,
                                                 Timestamp last) const {
  std::vector<TailEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || version->tail->empty()) return out;
  const CommitNumber begun = (*version->tail)[0].entry.begin;
  if (begun > view_.commit) return out;
  const bool all = view_.lineage->contains_all(dataset, view_.commit, {begun, view_.commit});
  for (std::size_t i = 0; i < version->tail->size(); ++i) {
    const TailEntry& entry = (*version->tail)[i].entry;
    if (entry.begin > view_.commit) break;
    if (entry.time_max < first || entry.time_min > last) continue;
    if (!all && !may_show(view_, *version, entry.begin)) continue;
    require_rows(entry);
    out.push_back(entry);
  }
  return out;
}

// Also those that nobody here sees: an index of the tail holds them for other snapshots.
std::vector<TailEntry> SnapshotView::tail_since(DatasetId dataset, CommitNumber after) const {
  std::vector<TailEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr) return out;
  for (std::size_t i = first_behind(*version->tail, after); i < version->tail->size(); ++i) {
    const TailEntry& entry = (*version->tail)[i].entry;
    if (entry.begin > view_.commit) break;
    require_rows(entry);
    out.push_back(entry);
  }
  return out;
}

std::optional<TailEntry> SnapshotView::tail_of(DatasetId dataset, CommitNumber begin) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || begin > view_.commit) return std::nullopt;
  const std::size_t behind = first_behind(*version->tail, begin);
  if (behind == 0) return std::nullopt;
  const TailEntry& entry = (*version->tail)[behind - 1].entry;
  return entry.begin == begin ? std::optional(entry) : std::nullopt;
}

std::optional<CommitNumber> SnapshotView::tail_first(DatasetId dataset) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || version->tail->empty()) return std::nullopt;
  const CommitNumber first = (*version->tail)[0].entry.begin;
  return first <= view_.commit ? std::optional(first) : std::nullopt;
}

bool SnapshotView::sees(DatasetId dataset, CommitNumber commit) const {
  return lineage_of(view_, dataset)(commit);
}

std::vector<RowMark> SnapshotView::marks_of(DatasetId dataset, CommitNumber begin,
                                            std::uint64_t ordinal) const {
  std::vector<RowMark> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr) return out;
  for (const Mark& mark : version->marks->of_row(begin, ordinal)) {
    if (sees(dataset, mark.commit)) out.push_back({mark.commit, mark.run.revive});
  }
  return out;
}

bool SnapshotView::shows(DatasetId dataset, const RowId& row) const {
  if (row.begin > view_.commit) return false;
  const std::vector<RowMark> marks = marks_of(dataset, row.begin, row.ordinal);
  return marks.empty() ? sees(dataset, row.begin) : marks.back().revive;
}

VisibleRows SnapshotView::visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || begin > view_.commit) return {};
  return version->marks->visible(begin, rows, lineage_of(view_, dataset));
}

bool SnapshotView::shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || last > view_.commit) return false;
  return view_.lineage->contains_all(dataset, view_.commit, {first, last}) &&
         !version->marks->touches_any({first, last});
}

// Each row group asks, and a history may have many rollbacks.
SnapshotView::Since SnapshotView::since(const DatasetVersion& dataset, CommitNumber base,
                                        bool past) const {
  const MutexLock lock(since_mutex_);
  Since& known = since_[{dataset.id, base, past}];
  if (known) return known;
  const auto as_of = [&](CommitNumber at) -> InLineage {
    return [this, &dataset, at](CommitNumber commit) {
      return commit <= at && view_.lineage->contains(dataset.id, at, commit);
    };
  };
  const CommitNumber a = past ? view_.commit : base;
  const CommitNumber b = past ? base : view_.commit;
  auto [only_a, only_b] = view_.lineage->difference(dataset.id, a, b);
  const TwoLineages between{as_of(a), as_of(b), std::move(only_a), std::move(only_b)};
  known = std::make_shared<const Turned>(dataset.marks, between);
  return known;
}

bool SnapshotView::stands(DatasetId dataset, const SegmentEntry& entry, CommitNumber first,
                          CommitNumber last) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr || entry.side == Side::mixed) return false;
  if (entry.base == view_.commit) return true;
  const bool past = entry.side == Side::past;
  if (past ? mutant("past-whatever-came-since") : mutant("present-whatever-came-since"))
    return true;
  return !since(*version, entry.base, past)->any({first, last});
}

}  // namespace otolith::history
