#include "history/snapshot_view.h"

#include <algorithm>
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

std::optional<DatasetEntry> SnapshotView::find(std::string_view name) const {
  const DatasetEntry* entry = names_->find(name);
  if (entry == nullptr) return std::nullopt;
  return *entry;
}

std::optional<DatasetEntry> SnapshotView::find(DatasetId dataset) const {
  const DatasetVersion* version = view_.catalog->find(dataset);
  return version != nullptr ? dataset_at(view_, *version) : std::nullopt;
}

std::vector<SegmentEntry> SnapshotView::segments(DatasetId dataset) const {
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
  std::vector<TailEntry> out;
  const DatasetVersion* version = view_.catalog->find(dataset);
  if (version == nullptr) return out;
  for (std::size_t i = 0; i < version->tail->size(); ++i) {
    const TailEntry& entry = (*version->tail)[i].entry;
    if (!may_show(view_, *version, entry.begin)) continue;
    if (!entry.bytes) {
      throw_error(ErrorCode::corrupt,
                  "rows of commit {} were stripped from the log and stand in no segment: restore "
                  "the database from a backup",
                  value_of(entry.begin));
    }
    out.push_back(entry);
  }
  return out;
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

}  // namespace otolith::history
