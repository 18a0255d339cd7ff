#include "history/past_events.h"

#include <algorithm>
#include <set>

namespace otolith::history {

namespace {

CatalogEvent::Kind kind_of(DatasetEvent::Kind kind) {
  switch (kind) {
    case DatasetEvent::Kind::create:
      return CatalogEvent::Kind::create;
    case DatasetEvent::Kind::alter:
      return CatalogEvent::Kind::alter;
    case DatasetEvent::Kind::rename:
      return CatalogEvent::Kind::rename;
    case DatasetEvent::Kind::drop:
      return CatalogEvent::Kind::drop;
  }
  return CatalogEvent::Kind::create;
}

class TimelineEvents final : public Events {
 public:
  explicit TimelineEvents(Timeline& timeline) : timeline_(timeline) {}

  std::vector<DatasetId> touched(const CommitRuns& commits) const override {
    std::set<DatasetId> found;
    each_change(commits,
                [&](CommitNumber, const MetaChange& change) { found.insert(change.dataset); });
    return {found.begin(), found.end()};
  }

  std::vector<RowsAdded> rows_added(DatasetId d, const CommitRuns& commits) const override {
    std::vector<RowsAdded> found;
    each_change(commits, [&](CommitNumber commit, const MetaChange& change) {
      if (change.dataset == d && change.added != 0) found.push_back({commit, change.added});
    });
    return found;
  }

  std::vector<CatalogEvent> catalog_events(DatasetId d, const CommitRuns& commits) const override {
    std::vector<CatalogEvent> found;
    const Growing<DatasetEvent>& events = *dataset(d).events;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (contains(commits, events[i].commit)) {
        found.push_back({events[i].commit, kind_of(events[i].kind)});
      }
    }
    return found;
  }

  const Marks& marks(DatasetId d) const override { return *dataset(d).marks; }

  DatasetFace face(DatasetId d, CommitNumber c) const override {
    const auto entry = dataset_at(timeline_.view_at(c), dataset(d));
    return entry ? DatasetFace{entry->name, entry->schema} : DatasetFace{};
  }

  std::optional<DatasetId> holder(std::string_view name) const override {
    const auto names = timeline_.names_at(timeline_.staged().commit);
    const DatasetEntry* entry = names->find(name);
    return entry != nullptr ? std::optional(entry->id) : std::nullopt;
  }

  // Expire and erase are not written by this version, and refused when read.
  bool retained(CommitNumber) const override { return true; }
  bool forgets(CommitNumber) const override { return false; }

 private:
  const DatasetVersion& dataset(DatasetId d) const {
    const DatasetVersion* found = timeline_.catalog().version()->find(d);
    OTO_INVARIANT(found != nullptr);
    return *found;
  }

  template <typename Visit>
  void each_change(const CommitRuns& commits, Visit visit) const {
    for (const CommitRun& run : commits) {
      for (CommitNumber n = run.first; n <= run.last; n = next(n)) {
        const CommitMeta meta = timeline_.index().meta(n);
        for (const MetaChange& change : meta.text.changes) visit(n, change);
      }
    }
  }

  Timeline& timeline_;
};

}  // namespace

std::unique_ptr<Events> past_events(Timeline& timeline) {
  return std::make_unique<TimelineEvents>(timeline);
}

}  // namespace otolith::history
