#include "scan/known_ids.h"

#include <algorithm>
#include <bit>
#include <ranges>
#include <utility>

#include "base/mutant.h"
#include "base/mutex.h"
#include "scan/store.h"

namespace otolith::scan {

namespace {

constexpr std::size_t kDatasetsKept = 64;

using Known = std::shared_ptr<const KnownCollection>;

struct Kept {
  std::weak_ptr<const history::Snapshot> snapshot;  // what a recorder staged is not held for it
  Known known;

  bool of(const std::shared_ptr<const history::Snapshot>& other) const noexcept {
    return !snapshot.owner_before(other) && !other.owner_before(snapshot);
  }
  bool is(const CollectionWanted& wanted) const noexcept {
    return wanted.dataset ? known->dataset.id == *wanted.dataset
                          : known->dataset.name == wanted.name;
  }
};

ColumnId column_of(const Schema& schema, std::string_view name) {
  return ColumnId{schema.columns[schema.find(name).value()].id};
}

bool has_tail(const history::Snapshot& snapshot, DatasetId dataset) {
  return snapshot.tail_first(dataset) || !snapshot.tail_since(dataset, snapshot.number()).empty();
}

// Behind a join that parted rows, whatever marks lie on others of the same commits.
bool all_shown(const history::Snapshot& snapshot, DatasetId dataset,
               const history::SegmentEntry& entry) {
  if (mutant("lookup-shows-all")) return true;
  const bool present = entry.side == history::Side::present &&
                       snapshot.stands(dataset, entry, entry.begin_first, entry.begin_last);
  return present || snapshot.shows_all(dataset, entry.begin_first, entry.begin_last);
}

Known ask(SegmentStore& store, const history::Snapshot& snapshot, const CollectionWanted& wanted) {
  auto dataset = wanted.dataset ? snapshot.find(*wanted.dataset) : snapshot.find(wanted.name);
  if (!dataset || dataset->schema->kind != DatasetKind::collection) return nullptr;
  auto out = std::make_shared<KnownCollection>();
  const auto entries = snapshot.segments(dataset->id);
  for (const history::SegmentEntry& entry : std::views::reverse(entries)) {
    auto ids = store.ids(entry);
    if (ids == nullptr) return nullptr;
    const IdTable table = ids->table();
    out->segments.push_back({std::move(ids), table, all_shown(snapshot, dataset->id, entry)});
  }
  out->filter.expect(out->segments);
  out->tail = has_tail(snapshot, dataset->id);
  out->time = column_of(*dataset->schema, kDocumentTime);
  out->body = column_of(*dataset->schema, kDocumentBody);
  out->dataset = *std::move(dataset);
  return out;
}

}  // namespace

// A look-up in all segments costs as much as this many ids of the filter.
constexpr std::uint64_t kIdsALookUp = 32;

void SegmentFilter::expect(const std::vector<KnownSegment>& segments) noexcept {
  for (const KnownSegment& segment : segments) ids_ += segment.ids->ids();
}

SegmentFilter::Bits SegmentFilter::asked(const std::vector<KnownSegment>& segments,
                                         std::uint64_t hash) const {
  if (made_.load(std::memory_order_acquire)) return parts_[part_of(IdTable::tag_of(hash))];
  const std::uint64_t look_ups = look_ups_.load(std::memory_order_relaxed) + 1;
  look_ups_.store(look_ups, std::memory_order_relaxed);
  if (look_ups * kIdsALookUp >= ids_) std::call_once(once_, [&] { make(segments); });
  return static_cast<Bits>(~Bits{0});
}

void SegmentFilter::make(const std::vector<KnownSegment>& segments) const {
  const auto bits = static_cast<unsigned>(std::bit_width(ids_ | 1));  // one to two parts an id
  shift_ = 32 - std::min(bits, 31u);
  parts_.resize(std::size_t{1} << (32 - shift_));
  for (std::size_t segment = 0; segment < segments.size(); ++segment) {
    const auto bit =
        static_cast<Bits>(mutant("segment-filter-of-one") ? 1u : 1u << (segment % kBits));
    segments[segment].table.each_tag([&](std::uint32_t tag) { parts_[part_of(tag)] |= bit; });
  }
  made_.store(true, std::memory_order_release);
}

struct KnownIds::State {
  Mutex mutex;
  std::vector<Kept> kept OTO_GUARDED_BY(mutex);
  std::uint64_t cleared OTO_GUARDED_BY(mutex) = 0;  // how often

  void keep(Kept one, std::uint64_t asked) {
    const MutexLock lock(mutex);
    if (cleared != asked) return;  // an index that it has may have been dropped meanwhile
    const DatasetId dataset = one.known->dataset.id;
    const auto before = std::ranges::find_if(
        kept, [&](const Kept& other) { return other.known->dataset.id == dataset; });
    if (before != kept.end()) {
      *before = std::move(one);
      return;
    }
    if (kept.size() == kDatasetsKept) kept.clear();
    kept.push_back(std::move(one));
  }
};

KnownIds::KnownIds() : state_(std::make_unique<State>()) {}
KnownIds::~KnownIds() = default;

Known KnownIds::find(SegmentStore& store, const std::shared_ptr<const history::Snapshot>& snapshot,
                     const CollectionWanted& wanted) {
  std::uint64_t asked = 0;
  {
    const MutexLock lock(state_->mutex);
    const bool any = mutant("known-ids-of-another-snapshot");
    for (const Kept& kept : state_->kept)
      if (kept.is(wanted) && (any || kept.of(snapshot))) return kept.known;
    asked = state_->cleared;
  }
  auto known = ask(store, *snapshot, wanted);
  if (known != nullptr) state_->keep({snapshot, known}, asked);
  return known;
}

void KnownIds::clear() {
  const MutexLock lock(state_->mutex);
  state_->kept.clear();
  ++state_->cleared;
}

}  // namespace otolith::scan
