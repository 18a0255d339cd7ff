#include "scan/row_ids.h"

#include <algorithm>
#include <iterator>

#include "segment/layout.h"

namespace otolith::scan {

namespace {

Array id_values(const Unit& unit, ColumnId id) {
  const Column column{
      .name = "row id", .type = {TypeKind::uint64}, .nullable = false, .id = value_of(id)};
  io::Scratch memory;
  return units_values({&unit, 1}, column, 1, memory);
}

}  // namespace

RowIds::RowIds(const Unit& unit) : begin_(unit.source->begin()) {
  if (!begin_) {
    begins_ = id_values(unit, segment::kBeginColumn);
    of_rows_ = id_values(unit, segment::kOrdinalColumn);
    return;
  }
  std::uint64_t place = 0;
  for (const Selected& part : unit.parts) {
    const std::uint64_t ordinal = unit.source->pieces()[part.piece].first_ordinal;
    for (const RowRange& range : part.ranges) {
      ordinals_.push_back({ordinal + range.first, place});
      place += range.count;
    }
  }
}

std::uint64_t RowIds::ordinal(std::uint64_t row) const {
  if (!begin_) return of_rows_.value<std::uint64_t>(row);
  const auto after = std::ranges::upper_bound(ordinals_, row, {}, &RowRange::count);
  const RowRange& range = *std::prev(after);
  return range.first + (row - range.count);
}

}  // namespace otolith::scan
