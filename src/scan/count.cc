// Counting rows and finding the first and last time, without reading what is wholly visible; and
// the digest, which reads everything.
#include <algorithm>

#include "base/limits.h"
#include "scan/scan.h"
#include "scan/store.h"
#include "scan/visible.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

using Kind = history::VisibleRows::Kind;

std::uint64_t visible_count(const history::VisibleRows& visible, std::uint64_t rows) {
  if (visible.kind != Kind::some) return visible.kind == Kind::all ? rows : 0;
  std::uint64_t shown = 0;
  for (const history::OrdinalRun& run : visible.runs) {
    if (run.first < rows) shown += std::min(run.count, rows - run.first);
  }
  return shown;
}

std::uint64_t visible_count(Visibility& visibility, const RowSource& source) {
  std::uint64_t rows = 0;
  for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
    rows += rows_in(visibility.of(source, piece));
  }
  return rows;
}

// What of a segment is visible, as far as that is known without reading it.
std::optional<history::VisibleRows> known_of(Visibility& visibility,
                                             const history::Snapshot& snapshot,
                                             const history::SegmentEntry& entry) {
  if (!entry.many) return visibility.of(entry.begin_first, entry.ref.rows);
  if (!snapshot.shows_all(visibility.dataset(), entry.begin_first, entry.begin_last)) return {};
  return history::VisibleRows{Kind::all, {}};
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
    for (const RowRange& range : visibility.of(source, piece)) {
      const Array values = source.values(piece, time, range.first, range.count);
      const auto* first = values.values.as<std::int64_t>();
      const auto [least, greatest] = std::minmax_element(first, first + range.count);
      times.take(*least, *greatest);
    }
  }
}

// For the length of a call: the caller keeps the snapshot.
std::shared_ptr<const history::Snapshot> borrow(const history::Snapshot& snapshot) {
  return {std::shared_ptr<const void>(), &snapshot};
}

std::uint64_t count_by_reading(const ScanContext& context, const history::Snapshot& snapshot,
                               const history::DatasetEntry& dataset) {
  ReadRequest request;
  request.columns.emplace();
  request.order = Order::stored;
  Scan scan(context, borrow(snapshot), dataset, request);
  std::uint64_t rows = 0;
  while (const auto batch = scan.next()) rows += batch->rows;
  return rows;
}

}  // namespace

std::uint64_t count_rows(const ScanContext& context, const history::Snapshot& snapshot,
                         const history::DatasetEntry& dataset) {
  const Duplicates policy = dataset.schema->duplicates;
  if (policy == Duplicates::last || policy == Duplicates::first) {
    return count_by_reading(context, snapshot, dataset);
  }
  Visibility visibility(borrow(snapshot), dataset.id);
  std::uint64_t rows = 0;
  for (const history::SegmentEntry& entry : snapshot.segments(dataset.id)) {
    const std::optional<history::VisibleRows> known = known_of(visibility, snapshot, entry);
    rows += known ? visible_count(*known, entry.ref.rows)
                  : visible_count(visibility,
                                  *segment_source(context.store->open(dataset.id, entry), entry));
  }
  for (const history::TailEntry& entry : snapshot.tail(dataset.id)) {
    rows += visible_count(visibility.of(entry.begin, entry.rows), entry.rows);
  }
  return rows;
}

std::optional<std::pair<Timestamp, Timestamp>> time_range(
    const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
    const history::DatasetEntry& dataset) {
  const ColumnId time{dataset.schema->columns[dataset.schema->time_index()].id};
  Visibility visibility(snapshot, dataset.id);
  Times times;
  std::vector<history::SegmentEntry> partly;
  for (const history::SegmentEntry& entry : snapshot->segments(dataset.id)) {
    const auto known = known_of(visibility, *snapshot, entry);
    const Kind kind = known ? known->kind : Kind::some;
    if (kind == Kind::all) times.take(entry.ref.time_min.ns, entry.ref.time_max.ns);
    if (kind == Kind::some) partly.push_back(entry);
  }
  for (const history::TailEntry& entry : snapshot->tail(dataset.id)) {
    const Kind kind = visibility.of(entry.begin, entry.rows).kind;
    if (kind == Kind::all) times.take(entry.time_min.ns, entry.time_max.ns);
    if (kind == Kind::some) take_visible(times, visibility, *tail_source(entry, time), time);
  }
  for (const history::SegmentEntry& entry : partly) {
    if (times.any && entry.ref.time_min.ns >= times.min && entry.ref.time_max.ns <= times.max)
      continue;
    take_visible(times, visibility, *segment_source(context.store->open(dataset.id, entry), entry),
                 time);
  }
  if (!times.any) return std::nullopt;
  return std::pair(Timestamp{times.min}, Timestamp{times.max});
}

model::StateDigest state_digest(const ScanContext& context,
                                std::shared_ptr<const history::Snapshot> snapshot,
                                const history::DatasetEntry& dataset) {
  ReadRequest request;
  request.order = Order::stored;
  Scan scan(context, std::move(snapshot), dataset, request);
  model::StateDigest digest;
  while (const auto batch = scan.next()) digest.add(*batch);
  return digest;
}

}  // namespace otolith::scan
