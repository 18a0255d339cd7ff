#include "scan/known_ids.h"

#include <ranges>
#include <utility>

#include "base/mutant.h"
#include "base/mutex.h"
#include "scan/store.h"

namespace otolith::scan {

namespace {

constexpr std::size_t kDatasetsKept = 64;

struct Kept {
  DatasetId dataset;
  std::weak_ptr<const history::Snapshot> snapshot;  // what a recorder staged is not held for it
  std::shared_ptr<const KnownSegments> segments;

  bool of(const std::shared_ptr<const history::Snapshot>& other) const noexcept {
    return !snapshot.owner_before(other) && !other.owner_before(snapshot);
  }
};

std::shared_ptr<const KnownSegments> ask(SegmentStore& store, const history::Snapshot& snapshot,
                                         DatasetId dataset) {
  auto out = std::make_shared<KnownSegments>();
  const auto entries = snapshot.segments(dataset);
  for (const history::SegmentEntry& entry : std::views::reverse(entries)) {
    auto ids = store.ids(entry);
    if (ids == nullptr) return nullptr;
    const bool all = snapshot.shows_all(dataset, entry.begin_first, entry.begin_last);
    out->push_back({std::move(ids), all || mutant("lookup-shows-all")});
  }
  return out;
}

}  // namespace

struct KnownIds::State {
  Mutex mutex;
  std::vector<Kept> kept OTO_GUARDED_BY(mutex);
  std::uint64_t cleared OTO_GUARDED_BY(mutex) = 0;  // how often

  Kept* of(DatasetId dataset) OTO_REQUIRES(mutex) {
    const auto found = std::ranges::find(kept, dataset, &Kept::dataset);
    return found == kept.end() ? nullptr : &*found;
  }

  void keep(Kept one, std::uint64_t asked) {
    const MutexLock lock(mutex);
    if (cleared != asked) return;  // an index that it has may have been dropped meanwhile
    if (Kept* before = of(one.dataset)) {
      *before = std::move(one);
      return;
    }
    if (kept.size() == kDatasetsKept) kept.clear();
    kept.push_back(std::move(one));
  }
};

KnownIds::KnownIds() : state_(std::make_unique<State>()) {}
KnownIds::~KnownIds() = default;

std::shared_ptr<const KnownSegments> KnownIds::find(
    SegmentStore& store, const std::shared_ptr<const history::Snapshot>& snapshot,
    DatasetId dataset) {
  std::uint64_t asked = 0;
  {
    const MutexLock lock(state_->mutex);
    const Kept* const known = state_->of(dataset);
    const bool any = mutant("known-ids-of-another-snapshot");
    if (known != nullptr && (any || known->of(snapshot))) return known->segments;
    asked = state_->cleared;
  }
  auto segments = ask(store, *snapshot, dataset);
  if (segments != nullptr) state_->keep({dataset, snapshot, segments}, asked);
  return segments;
}

void KnownIds::clear() {
  const MutexLock lock(state_->mutex);
  state_->kept.clear();
  ++state_->cleared;
}

}  // namespace otolith::scan
