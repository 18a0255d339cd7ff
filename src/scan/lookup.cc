#include "scan/lookup.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "base/stopping.h"
#include "scan/known_ids.h"
#include "scan/prune.h"
#include "scan/store.h"
#include "scan/tail_ids.h"
#include "scan/unit.h"
#include "segment/layout.h"

namespace otolith::scan {

namespace {

constexpr int kRenewalsMax = 3;  // of the snapshot, in one look-up

// The ids that are still looked for.
std::vector<std::string> left_of(std::span<const std::string> ids, const std::vector<bool>& open) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (open[i]) out.push_back(ids[i]);
  }
  return out;
}

// A column of row ids, as segments of many commits have them.
Column id_column(ColumnId id) {
  return {.name = "row id", .type = {TypeKind::uint64}, .nullable = false, .id = value_of(id)};
}

ColumnId body_column(const Schema& schema) {
  return ColumnId{schema.columns[schema.find(kDocumentBody).value()].id};
}

// A value of 8 bytes of one row.
std::uint64_t number_at(const RowSource& source, std::size_t piece, ColumnId column, Type wide,
                        std::uint64_t row) {
  const auto number = static_cast<std::uint32_t>(row);
  std::uint64_t out = 0;
  const bool told = source.type(column) == wide &&
                    source.gather(piece, column, row / source.page_rows(), std::span(&number, 1),
                                  reinterpret_cast<std::byte*>(&out));
  if (told) return out;
  const Column wanted{.name = "number", .type = wide, .nullable = false, .id = value_of(column)};
  return piece_values(source, piece, wanted, row, 1).value<std::uint64_t>(0);
}

FoundRow row_at(const std::shared_ptr<const RowSource>& source, std::size_t piece,
                std::uint64_t row, ColumnId time) {
  const auto of = [&](ColumnId column, TypeKind kind = TypeKind::uint64) {
    return number_at(*source, piece, column, {kind}, row);
  };
  const bool one = source->begin().has_value();
  return {one ? *source->begin() : CommitNumber{of(segment::kBeginColumn)},
          one ? source->pieces()[piece].first_ordinal + row : of(segment::kOrdinalColumn),
          {static_cast<std::int64_t>(of(time, TypeKind::timestamp))},
          source,
          piece,
          row};
}

// The rows of an id from the last on: of its revisions that is mostly the one that is shown.
template <typename Maybe, typename Row>
void each_place(const SegmentIds& index, std::string_view id, std::uint64_t hash, Maybe maybe,
                Row row) {
  index.each(id, hash, maybe, [&](const IdRows& rows) {
    for (std::uint64_t at = rows.first + rows.count; at-- > rows.first;)
      if (!row(rows.piece, at)) return false;
    return true;
  });
}

FoundRow row_of_tail(TailPlace place) {
  FoundRow row{*place.source->begin(), place.row, {}, std::move(place.source), 0, 0};
  const auto& pieces = row.source->pieces();
  while (place.row >= pieces[row.piece].first_ordinal + pieces[row.piece].rows) ++row.piece;
  row.row = place.row - pieces[row.piece].first_ordinal;
  return row;
}

}  // namespace

std::string FoundRow::body(const Schema& schema) const {
  return source->text(piece, body_column(schema), row);
}

BodyReader::BodyReader(const Schema& schema) : column_(body_column(schema)) {}

IdLookup::IdLookup(ScanContext context, std::shared_ptr<const history::Snapshot> snapshot,
                   history::DatasetEntry dataset)
    : context_(std::move(context)), snapshot_(std::move(snapshot)), dataset_(std::move(dataset)) {}

ColumnId IdLookup::column(std::string_view name) const {
  return ColumnId{dataset_.schema->columns[dataset_.schema->find(name).value()].id};
}

bool IdLookup::shown(const FoundRow& row) const {
  if (mutant("lookup-finds-ended")) return true;
  return snapshot_->shows(dataset_.id, row.id());
}

std::optional<FoundRow> IdLookup::find(const std::string& id) {
  return std::move(find(std::span(&id, 1)).front());
}

std::vector<std::optional<FoundRow>> IdLookup::find(std::span<const std::string> ids) {
  std::vector<std::optional<FoundRow>> out(ids.size());
  each_row(ids, From::shown, [&](std::size_t at, FoundRow row) {
    if (!shown(row)) return true;
    out[at] = std::move(row);
    return false;
  });
  return out;
}

std::vector<FoundRow> IdLookup::revisions(const std::string& id) {
  std::vector<FoundRow> out;
  const From from = mutant("revisions-without-past") ? From::shown : From::all;
  each_row(std::span(&id, 1), from, [&](std::size_t, FoundRow row) {
    const bool revived = [&] {
      const auto marks = snapshot_->marks_of(dataset_.id, row.begin, row.ordinal);
      return std::ranges::any_of(marks, &history::RowMark::revive);
    }();
    if (revived || snapshot_->sees(dataset_.id, row.begin)) out.push_back(std::move(row));
    return true;
  });
  std::ranges::sort(out, {}, &FoundRow::id);
  const auto again = std::ranges::unique(out, {}, &FoundRow::id);  // met before and after a renewal
  out.erase(again.begin(), again.end());
  return out;
}

void IdLookup::each_row(std::span<const std::string> ids, From from, const Take& take) {
  std::vector<bool> open(ids.size(), true);
  // Where a file is gone since the snapshot was taken, rows may stand in the tail no more.
  for (int renewals = 0;; ++renewals) {
    each_of_tail(ids, open, take);
    if (each_of_segments(ids, open, from, take)) return;
    if (renewals == kRenewalsMax) break;
  }
  throw_error(ErrorCode::io, "segments of {} are joined faster than they are read; ask again",
              quoted(dataset_.name));
}

void IdLookup::each_of_tail(std::span<const std::string> ids, std::vector<bool>& open,
                            const Take& take) {
  const ColumnId time = column(kDocumentTime);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    if (!open[at]) continue;
    for (TailPlace& place : context_.store->tail_ids().find(*snapshot_, dataset_, ids[at])) {
      FoundRow row = row_of_tail(std::move(place));
      row.time = {row.source->values(row.piece, time, row.row, 1).value<std::int64_t>(0)};
      if (!take(at, std::move(row))) open[at] = false;
      if (!open[at]) break;
    }
  }
}

// The newest first: there most ids are found. False where a segment is gone, and the snapshot was
// renewed.
bool IdLookup::each_of_segments(std::span<const std::string> ids, std::vector<bool>& open,
                                From from, const Take& take) {
  std::vector<history::SegmentEntry> entries = from == From::all
                                                   ? snapshot_->segments_and_past(dataset_.id)
                                                   : snapshot_->segments(dataset_.id);
  std::ranges::reverse(entries);
  for (const history::SegmentEntry& entry : entries) {
    if (std::ranges::find(open, true) == open.end()) return true;
    stop_point();
    if (const auto index = context_.store->ids(entry)) {
      each_of_index(*index, ids, open, take);
      continue;
    }
    const auto reader = context_.store->find(dataset_.id, entry);
    if (reader == nullptr) {
      snapshot_ = context_.store->renewed(*snapshot_, dataset_.id, entry);
      return false;
    }
    const auto source = segment_source(reader, entry);
    each_of_source(source, ids, open, take);
    context_.store->ids_missed(entry, source, column(kDocumentId));
  }
  return true;
}

void IdLookup::each_of_index(const SegmentIds& index, std::span<const std::string> ids,
                             std::vector<bool>& open, const Take& take) const {
  const ColumnId time = column(kDocumentTime);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    if (!open[at]) continue;
    each_place(
        index, ids[at], SegmentIds::hash_of(ids[at]), [](const IdRows&) {},
        [&](std::size_t piece, std::uint64_t row) {
          open[at] = take(at, row_at(index.source(), piece, row, time));
          return bool{open[at]};
        });
  }
}

void IdLookup::each_of_source(const std::shared_ptr<const RowSource>& source,
                              std::span<const std::string> ids, std::vector<bool>& open,
                              const Take& take) {
  const Schema& schema = *dataset_.schema;
  Wanted wanted;
  wanted.time = column(kDocumentTime);
  KeyTest& test = wanted.keys.emplace_back();
  test.column = column(kDocumentId);
  test.leads = true;
  test.texts = left_of(ids, open);
  for (std::size_t piece = 0; piece < source->pieces().size(); ++piece) {
    const Piece& of = source->pieces()[piece];
    const RowSet rows = prune(*source, piece, wanted, {{0, of.rows}});
    if (rows.empty()) continue;
    const auto values = [&](const Column& column) {
      return gather_values(*source, piece, rows, column);
    };
    const Array texts = values(schema.columns[schema.find(kDocumentId).value()]);
    const Array times = values(schema.columns[schema.time_index()]);
    const bool one = source->begin().has_value();
    const Array begins = one ? Array{} : values(id_column(segment::kBeginColumn));
    const Array ordinals = one ? Array{} : values(id_column(segment::kOrdinalColumn));
    std::uint64_t place = 0;
    for (const RowRange& range : rows) {
      for (std::uint64_t row = range.first; row < range.end(); ++row, ++place) {
        const auto at = static_cast<std::size_t>(std::ranges::lower_bound(ids, texts.text(place)) -
                                                 ids.begin());
        if (!open[at]) continue;
        FoundRow found{one ? *source->begin() : CommitNumber{begins.value<std::uint64_t>(place)},
                       one ? of.first_ordinal + row : ordinals.value<std::uint64_t>(place),
                       {times.value<std::int64_t>(place)},
                       source,
                       piece,
                       row};
        open[at] = take(at, std::move(found));
      }
    }
  }
}

// ---- one document ----------------------------------------------------------------------------

bool KnownLookup::contains(std::string_view id) const {
  return in_tail(id) || in_segments(id, false).source != nullptr;
}

std::optional<std::string> KnownLookup::body(std::string_view id) const {
  if (const auto row = in_tail(id)) return row->source->text(row->piece, of_.body, row->row);
  const Place place = in_segments(id, true);
  if (place.source == nullptr) return std::nullopt;
  return place.source->text(place.piece, of_.body, place.row);
}

std::optional<FoundRow> KnownLookup::in_tail(std::string_view id) const {
  if (!of_.tail) return std::nullopt;
  for (TailPlace& place : tail_ids_->find(snapshot_, of_.dataset, id)) {
    FoundRow row = row_of_tail(std::move(place));
    if (shown(row)) return row;
  }
  return std::nullopt;
}

// Of a row nothing but its place is told where all of its segment's rows are shown.
KnownLookup::Place KnownLookup::in_segments(std::string_view id, bool with_body) const {
  const std::uint64_t hash = SegmentIds::hash_of(id);
  const auto& segments = of_.segments;
  const bool many = segments.size() > 1;
  const auto asked = many ? of_.filter.asked(segments, hash) : SegmentFilter::Bits{1};
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (SegmentFilter::has(asked, i)) segments[i].table.prefetch(hash);
  Place out;
  for (std::size_t i = 0; i < segments.size() && out.source == nullptr; ++i) {
    const KnownSegment& segment = segments[i];
    if (!SegmentFilter::has(asked, i) || !segment.table.may_have(hash)) continue;
    const auto& source = segment.ids->source();
    const auto maybe = [&](const IdRows& rows) {
      if (with_body) source->prefetch(rows.piece, of_.body, rows.first + rows.count - 1);
    };
    each_place(*segment.ids, id, hash, maybe, [&](std::size_t piece, std::uint64_t at) {
      if (segment.all_shown || shown(row_at(source, piece, at, of_.time)))
        out = {source.get(), piece, at};
      return out.source == nullptr;
    });
  }
  return out;
}

bool KnownLookup::shown(const FoundRow& row) const {
  if (mutant("lookup-finds-ended")) return true;
  return snapshot_.shows(of_.dataset.id, row.id());
}

// ---- bodies ----------------------------------------------------------------------------------

std::string_view BodyReader::body(const FoundRow& row) {
  const std::uint64_t rows = row.source->pieces()[row.piece].rows;
  const std::uint64_t page_rows = std::min(row.source->page_rows(), rows);
  const std::uint64_t first = row.row - row.row % page_rows;
  if (row.source != source_ || row.piece != piece_ || first != first_) {
    source_ = row.source;
    piece_ = row.piece;
    first_ = first;
    bodies_ = source_->values(piece_, column_, first, std::min(page_rows, rows - first));
  }
  return bodies_.text(row.row - first);
}

}  // namespace otolith::scan
