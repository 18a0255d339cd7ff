// Counting rows and finding the first and last time, without reading what is wholly visible; and
// the digest, which reads everything.
#include <algorithm>

#include "base/limits.h"
#include "scan/policy.h"
#include "scan/prune.h"
#include "scan/scan.h"
#include "scan/store.h"
#include "scan/visible.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

using Kind = history::VisibleRows::Kind;

std::uint64_t visible_count(Visibility& visibility, const RowSource& source) {
  std::uint64_t rows = 0;
  for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
    rows += visibility.of(source, piece).rows();
  }
  return rows;
}

// What of a segment is visible, as far as that is known without reading it.
std::optional<history::VisibleRows> known_of(Visibility& visibility,
                                             const history::Snapshot& snapshot,
                                             const history::SegmentEntry& entry) {
  if (!entry.many) return visibility.of(entry.begin_first, entry.ref.rows);
  const DatasetId dataset = visibility.dataset();
  if (snapshot.stands(dataset, entry, entry.begin_first, entry.begin_last))
    return history::VisibleRows::all_or_none(entry.side == history::Side::present);
  if (!snapshot.shows_all(dataset, entry.begin_first, entry.begin_last)) return {};
  return history::VisibleRows::all_or_none(true);
}

// Bounds of visible times so far.
struct Times {
  std::int64_t min = kTimestampMax.ns;
  std::int64_t max = kTimestampMin.ns;
  bool any = false;

  void take(std::int64_t from, std::int64_t to) {
    min = std::min(min, from);
    max = std::max(max, to);
    any = true;
  }
  bool within(const Piece& piece) const {
    return any && piece.time_min >= min && piece.time_max <= max;
  }
};

void take_visible(Times& times, Visibility& visibility, const RowSource& source, ColumnId time) {
  for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
    if (times.within(source.pieces()[piece])) continue;
    const RowSet shown = visibility.of(source, piece);
    if (shown.empty()) continue;
    const std::uint64_t from = shown.first_row();
    const Array values = source.values(piece, time, from, shown.end_row() - from);
    for (const RowRange& range : shown) {
      const auto* first = values.values.as<std::int64_t>() + (range.first - from);
      const auto [least, greatest] = std::minmax_element(first, first + range.count);
      times.take(*least, *greatest);
    }
  }
}

// Looks at a snapshot, and again at the same commit as it is stored now where a segment was joined
// with others and swept since. `look` gives nullopt where it did not find the segment `gone`.
template <typename Look>
auto looked(const ScanContext& context, std::shared_ptr<const history::Snapshot> snapshot,
            DatasetId dataset, Look look) {
  for (;;) {
    history::SegmentEntry gone;
    if (auto found = look(snapshot, gone)) return *std::move(found);
    snapshot = context.store->renewed(*snapshot, dataset, gone);
  }
}

// For the length of a call: the caller keeps the snapshot.
std::shared_ptr<const history::Snapshot> borrow(const history::Snapshot& snapshot) {
  return {std::shared_ptr<const void>(), &snapshot};
}

std::optional<std::uint64_t> count_stored(const ScanContext& context,
                                          const std::shared_ptr<const history::Snapshot>& snapshot,
                                          DatasetId dataset, history::SegmentEntry& gone) {
  Visibility visibility(snapshot, dataset);
  std::uint64_t rows = 0;
  for (const history::SegmentEntry& entry : snapshot->segments(dataset)) {
    if (const auto known = known_of(visibility, *snapshot, entry)) {
      rows += known->rows_in({0, entry.ref.rows});
      continue;
    }
    gone = entry;
    const auto reader = context.store->find(dataset, entry);
    if (!reader) return std::nullopt;
    rows += visible_count(visibility, *segment_source(reader, entry));
  }
  for (const history::TailEntry& entry : snapshot->tail(dataset)) {
    rows += visibility.of(entry.begin, entry.rows).rows_in({0, entry.rows});
  }
  return rows;
}

// Of stored rows; nullopt where the segment `gone` is.
std::optional<Times> times_stored(const ScanContext& context,
                                  const std::shared_ptr<const history::Snapshot>& snapshot,
                                  DatasetId dataset, ColumnId time, history::SegmentEntry& gone) {
  Visibility visibility(snapshot, dataset);
  Times times;
  std::vector<history::SegmentEntry> partly;
  for (const history::SegmentEntry& entry : snapshot->segments(dataset)) {
    const auto known = known_of(visibility, *snapshot, entry);
    const Kind kind = known ? known->kind() : Kind::some;
    if (kind == Kind::all) times.take(entry.ref.time_min.ns, entry.ref.time_max.ns);
    if (kind == Kind::some) partly.push_back(entry);
  }
  for (const history::TailEntry& entry : snapshot->tail(dataset)) {
    const Kind kind = visibility.of(entry.begin, entry.rows).kind();
    if (kind == Kind::all) times.take(entry.time_min.ns, entry.time_max.ns);
    if (kind == Kind::some) take_visible(times, visibility, *tail_source(entry, time), time);
  }
  for (const history::SegmentEntry& entry : partly) {
    if (times.any && entry.ref.time_min.ns >= times.min && entry.ref.time_max.ns <= times.max)
      continue;
    gone = entry;
    const auto reader = context.store->find(dataset, entry);
    if (!reader) return std::nullopt;
    take_visible(times, visibility, *segment_source(reader, entry), time);
  }
  return times;
}

// Where rows may be hidden, each segment says whether any share keys and time.
std::uint64_t count_shown(const ScanContext& context, const history::Snapshot& snapshot,
                          const history::DatasetEntry& dataset) {
  Walk walk(context.store, borrow(snapshot), dataset, wanted_of({}, *dataset.schema), false);
  std::uint64_t rows = 0;
  for (auto units = walk.next(); !units.empty(); units = walk.next()) {
    hide_duplicates(units, *dataset.schema, context.threads);
    rows += rows_in(units);
  }
  return rows;
}

// The dataset with every visible row shown.
history::DatasetEntry without_policy(history::DatasetEntry dataset) {
  Schema schema = *dataset.schema;
  schema.duplicates = Duplicates::keep;
  dataset.schema = std::make_shared<const Schema>(std::move(schema));
  return dataset;
}

}  // namespace

std::uint64_t count_rows(const ScanContext& context, const history::Snapshot& snapshot,
                         const history::DatasetEntry& dataset) {
  if (hides_rows(*dataset.schema)) return count_shown(context, snapshot, dataset);
  return looked(context, borrow(snapshot), dataset.id, [&](const auto& at, auto& gone) {
    return count_stored(context, at, dataset.id, gone);
  });
}

std::optional<std::pair<Timestamp, Timestamp>> time_range(
    const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
    const history::DatasetEntry& dataset) {
  const ColumnId time{dataset.schema->columns[dataset.schema->time_index()].id};
  const Times times = looked(context, snapshot, dataset.id, [&](const auto& at, auto& gone) {
    return times_stored(context, at, dataset.id, time, gone);
  });
  if (!times.any) return std::nullopt;
  return std::pair(Timestamp{times.min}, Timestamp{times.max});
}

model::StateDigest state_digest(const ScanContext& context,
                                std::shared_ptr<const history::Snapshot> snapshot,
                                const history::DatasetEntry& dataset) {
  ReadRequest request;
  request.order = Order::stored;
  Scan scan(context, std::move(snapshot), without_policy(dataset), request);
  model::StateDigest digest;
  while (const auto batch = scan.next()) digest.add(*batch);
  return digest;
}

}  // namespace otolith::scan
