#include "scan/visible.h"

#include "base/limits.h"
#include "base/mutant.h"
#include "segment/layout.h"

namespace otolith::scan {

Visibility::Visibility(std::shared_ptr<const history::Snapshot> snapshot, DatasetId dataset)
    : snapshot_(std::move(snapshot)), dataset_(dataset) {}

const history::VisibleRows& Visibility::of(CommitNumber begin, std::uint64_t rows) {
  const auto found = known_.find(value_of(begin));
  if (found != known_.end()) return found->second;
  return known_[value_of(begin)] = snapshot_->visible(dataset_, begin, rows);
}

RowSet Visibility::of(const RowSource& source, std::size_t piece) {
  const Piece& rows = source.pieces()[piece];
  if (mutant("visibility_ignored")) return {{0, rows.rows}};
  if (!source.begin()) return among(source, piece, {{0, rows.rows}});
  return of(*source.begin(), source.rows()).slice({rows.first_ordinal, rows.rows});
}

// What is shown of a piece of many begins, as far as its bounds tell; `some`: each row has to be
// asked about.
history::VisibleRows::Kind Visibility::known(const RowSource& source, std::size_t piece) const {
  using Kind = history::VisibleRows::Kind;
  const segment::Zone& begins = *source.chunk_zone(piece, segment::kBeginColumn);
  const CommitNumber first{begins.min_as<std::uint64_t>()};
  const CommitNumber last{begins.max_as<std::uint64_t>()};
  if (snapshot_->shows_none(dataset_, first, last)) return Kind::none;
  if (const history::SegmentEntry* entry = source.entry()) {
    if (snapshot_->stands(dataset_, *entry, first, last))
      return entry->side == history::Side::present ? Kind::all : Kind::none;
  }
  return snapshot_->shows_all(dataset_, first, last) ? Kind::all : Kind::some;
}

RowSet Visibility::among(const RowSource& source, std::size_t piece, const RowSet& candidates) {
  if (candidates.empty() || mutant("visibility_ignored")) return candidates;
  using Kind = history::VisibleRows::Kind;
  const Kind kind = mutant("row-ids-always-read") ? Kind::some : known(source, piece);
  if (kind != Kind::some) return kind == Kind::all ? candidates : RowSet();
  const std::uint64_t first = candidates.first_row();
  return intersect(of_many(source, piece, {first, candidates.end_row() - first}), candidates);
}

// Row by row, but the snapshot is asked once per begin.
RowSet Visibility::of_many(const RowSource& source, std::size_t piece, RowRange within) {
  const std::uint64_t rows = within.count;
  const Array begins = source.values(piece, segment::kBeginColumn, within.first, rows);
  const Array ordinals = source.values(piece, segment::kOrdinalColumn, within.first, rows);
  RowSet out;
  const history::VisibleRows* visible = nullptr;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const auto begin = begins.value<std::uint64_t>(row);
    if (row == 0 || begin != begins.value<std::uint64_t>(row - 1)) {
      visible = &of(CommitNumber{begin}, kSegmentRowsMax);
    }
    if (visible->shows(ordinals.value<std::uint64_t>(row))) {
      out.append({within.first + row, 1});
    }
  }
  return out;
}

}  // namespace otolith::scan
