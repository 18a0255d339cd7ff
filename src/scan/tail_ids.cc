#include "scan/tail_ids.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/mutant.h"
#include "base/mutex.h"
#include "scan/segment_ids.h"

namespace otolith::scan {

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kSealedKept = 64;  // entries that may stay beside those that are in the tail

// A commit's rows, decoded.
struct Entry {
  CommitNumber begin{0};
  std::shared_ptr<const Bytes> bytes;  // tells it from another of the same number
  std::shared_ptr<const RowSource> source;
};

Array ids_of(const RowSource& source, ColumnId column, std::size_t piece) {
  return source.values(piece, column, 0, source.pieces()[piece].rows);
}

// The index of one dataset's tail.
class OfDataset {
 public:
  OfDataset(ColumnId id, ColumnId time) : id_(id), time_(time) {}

  /// Goes on to all that the snapshot has; false where what it knows is of another tail.
  bool catch_up(const history::Snapshot& snapshot, DatasetId dataset, std::uint64_t& read) {
    const CommitNumber head = snapshot.number();
    const Entry* const last = last_until(head);
    const auto first = snapshot.tail_first(dataset);
    if (last != nullptr && !same_tail(*last, snapshot, dataset, first)) return false;
    if (sealed_before(first, head)) return false;
    if (!entries_.empty() && entries_.back().begin > head) return true;
    const CommitNumber after = entries_.empty() ? CommitNumber{0} : entries_.back().begin;
    for (const history::TailEntry& entry : snapshot.tail_since(dataset, after)) {
      if (entry.begin > head) break;  // staged
      add(entry);
      ++read;
    }
    return true;
  }

  void clear() {
    entries_.clear();
    places_.clear();
    heads_.clear();
  }

  CommitNumber first() const noexcept {
    return entries_.empty() ? CommitNumber{UINT64_MAX} : entries_.front().begin;
  }

  void find(const history::Snapshot& snapshot, DatasetId dataset, std::string_view id,
            std::vector<TailPlace>& out) const {
    const auto head = heads_.find(SegmentIds::hash_of(id));
    for (std::uint32_t at = head == heads_.end() ? kNone : head->second; at != kNone;
         at = places_[at].next) {
      const Place& place = places_[at];
      const Entry& entry = entries_[place.entry];
      if (entry.begin > snapshot.number()) continue;
      const auto there = snapshot.tail_of(dataset, entry.begin);
      if (!there || there->bytes != entry.bytes) continue;  // it is in a segment by now
      if (is(*entry.source, place.row, id)) out.push_back({entry.source, place.row});
    }
  }

  /// Of one commit that the index does not hold.
  void find_in(const history::TailEntry& entry, std::string_view id,
               std::vector<TailPlace>& out) const {
    const auto source = tail_source(entry, time_);
    for (std::uint64_t row = 0; row < source->rows(); ++row) {
      if (is(*source, row, id)) out.push_back({source, row});
    }
  }

 private:
  struct Place {
    std::uint32_t entry = 0;
    std::uint32_t row = 0;
    std::uint32_t next = kNone;  // of the same hash, older
  };

  const Entry* last_until(CommitNumber head) const {
    const auto behind = std::ranges::upper_bound(entries_, head, {}, &Entry::begin);
    return behind == entries_.begin() ? nullptr : &*std::prev(behind);
  }

  // All commits up to this entry's are those that were read, if it is there, or all are sealed.
  static bool same_tail(const Entry& last, const history::Snapshot& snapshot, DatasetId dataset,
                        const std::optional<CommitNumber>& first) {
    if (mutant("tail-index-of-lost-commits")) return true;
    if (const auto there = snapshot.tail_of(dataset, last.begin)) return there->bytes == last.bytes;
    return !first || *first > last.begin;
  }

  bool sealed_before(const std::optional<CommitNumber>& first, CommitNumber head) const {
    const CommitNumber begun = first.value_or(next(head));
    const auto in_tail = std::ranges::lower_bound(entries_, begun, {}, &Entry::begin);
    const auto sealed = static_cast<std::size_t>(in_tail - entries_.begin());
    return sealed > kSealedKept + (entries_.size() - sealed);
  }

  void add(const history::TailEntry& entry) {
    entries_.push_back({entry.begin, entry.bytes, tail_source(entry, time_)});
    const RowSource& source = *entries_.back().source;
    const auto number = static_cast<std::uint32_t>(entries_.size() - 1);
    for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
      const Array ids = ids_of(source, id_, piece);
      const std::uint64_t first = source.pieces()[piece].first_ordinal;
      for (std::uint64_t row = 0; row < ids.length; ++row) {
        const auto at = static_cast<std::uint32_t>(places_.size());
        const auto [head, fresh] = heads_.try_emplace(SegmentIds::hash_of(ids.text(row)), at);
        places_.push_back(
            {number, static_cast<std::uint32_t>(first + row), fresh ? kNone : head->second});
        head->second = at;
      }
    }
  }

  bool is(const RowSource& source, std::uint64_t row, std::string_view id) const {
    for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
      const Piece& of = source.pieces()[piece];
      if (row < of.first_ordinal || row >= of.first_ordinal + of.rows) continue;
      return source.values(piece, id_, row - of.first_ordinal, 1).text(0) == id;
    }
    return false;
  }

  const ColumnId id_;
  const ColumnId time_;
  std::vector<Entry> entries_;  // ascending
  std::vector<Place> places_;
  std::unordered_map<std::uint64_t, std::uint32_t> heads_;  // the newest place of a hash
};

ColumnId column_id(const Schema& schema, std::string_view name) {
  return ColumnId{schema.columns[schema.find(name).value()].id};
}

}  // namespace

struct TailIds::State {
  mutable Mutex mutex;
  std::map<DatasetId, OfDataset> datasets OTO_GUARDED_BY(mutex);
  std::uint64_t read OTO_GUARDED_BY(mutex) = 0;
};

TailIds::TailIds() : state_(std::make_unique<State>()) {}
TailIds::~TailIds() = default;

std::vector<TailPlace> TailIds::find(const history::Snapshot& snapshot,
                                     const history::DatasetEntry& dataset, std::string_view id) {
  std::vector<TailPlace> out;
  const MutexLock lock(state_->mutex);
  auto& index = state_->datasets
                    .try_emplace(dataset.id, column_id(*dataset.schema, kDocumentId),
                                 column_id(*dataset.schema, kDocumentTime))
                    .first->second;
  for (const history::TailEntry& entry : snapshot.tail_since(dataset.id, snapshot.number()))
    index.find_in(entry, id, out);  // staged, and in no index
  std::ranges::reverse(out);
  if (!index.catch_up(snapshot, dataset.id, state_->read)) {
    index.clear();
    (void)index.catch_up(snapshot, dataset.id, state_->read);
  }
  index.find(snapshot, dataset.id, id, out);
  const auto first = snapshot.tail_first(dataset.id);
  if (!first || *first >= index.first()) return out;
  std::vector<history::TailEntry> before = snapshot.tail_since(dataset.id, CommitNumber{0});
  std::erase_if(before, [&](const auto& entry) { return entry.begin >= index.first(); });
  for (auto entry = before.rbegin(); entry != before.rend(); ++entry)
    index.find_in(*entry, id, out);
  return out;
}

std::uint64_t TailIds::entries_read() const {
  const MutexLock lock(state_->mutex);
  return state_->read;
}

}  // namespace otolith::scan
