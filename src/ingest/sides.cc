#include "ingest/sides.h"

#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "scan/store.h"

namespace otolith::ingest {

namespace {

using history::SegmentEntry;
using history::Side;

std::uint64_t shown_in(scan::Visibility& base, const scan::RowSource& source) {
  std::uint64_t rows = 0;
  for (std::size_t piece = 0; piece < source.pieces().size(); ++piece) {
    stop_point();
    rows += base.of(source, piece).rows();
  }
  return rows;
}

bool much_hidden(std::uint64_t shown, std::uint64_t rows) {
  return (rows - shown) * kPastShare >= rows;
}

// What of a segment of many begins is shown; nullopt where another join came first.
std::optional<std::uint64_t> shown_of_many(const IngestContext& context,
                                           scan::Visibility& visibility,
                                           const SegmentEntry& entry) {
  const auto reader = context.store->find(visibility.dataset(), entry);
  if (!reader) return std::nullopt;
  return shown_in(visibility, *scan::segment_source(reader, entry));
}

Worth worth_of(const IngestContext& context, const std::shared_ptr<const history::Snapshot>& base,
               DatasetId dataset, const SegmentEntry& entry) {
  if (base->stands(dataset, entry, entry.begin_first, entry.begin_last)) return Worth::nothing;
  if (base->shows_all(dataset, entry.begin_first, entry.begin_last)) return Worth::nothing;
  scan::Visibility visibility(base, dataset);
  const std::uint64_t rows = entry.ref.rows;
  if (!entry.many) {
    // One of one commit that is wholly hidden is opened by nobody as it is.
    const std::uint64_t shown = visibility.of(entry.begin_first, rows).rows_in({0, rows});
    return shown != 0 && much_hidden(shown, rows) ? Worth::parting : Worth::nothing;
  }
  const auto shown = shown_of_many(context, visibility, entry);
  if (!shown) return Worth::nothing;
  if (*shown == rows && !mutant("present-never-renewed")) return Worth::present;
  if (*shown == 0 && !mutant("past-never-renewed")) return Worth::past;
  return entry.side == Side::past || much_hidden(*shown, rows) ? Worth::parting : Worth::nothing;
}

}  // namespace

Sides sides_of(scan::Visibility& base,
               const std::vector<std::shared_ptr<const scan::RowSource>>& sources) {
  Sides out;
  for (const auto& source : sources) {
    JoinSource present{source, {}};
    JoinSource past{source, {}};
    for (std::size_t piece = 0; piece < source->pieces().size(); ++piece) {
      stop_point();
      RowSet shown = base.of(*source, piece);
      past.rows.push_back(without({{0, source->pieces()[piece].rows}}, shown));
      if (mutant("past-row-lost")) past.rows.back() = past.rows.back().first_rows(1);
      present.rows.push_back(std::move(shown));
    }
    out.present.push_back(std::move(present));
    out.past.push_back(std::move(past));
  }
  return out;
}

// A damaged one is told of by who writes it anew.
Worth worth_of_sides(const IngestContext& context,
                     const std::shared_ptr<const history::Snapshot>& base, DatasetId dataset,
                     const SegmentEntry& entry) {
  if (mutant("past-of-small-segments-only")) return Worth::nothing;
  try {
    return worth_of(context, base, dataset, entry);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) throw;
    return Worth::parting;
  }
}

}  // namespace otolith::ingest
