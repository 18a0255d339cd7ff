#include "segment/order.h"

#include <algorithm>

#include "model/array.h"
#include "model/compare.h"

namespace otolith::segment {

namespace {

// Whether each time is later than the one before: without a branch, and by signs, as any vectors
// can subtract 64 bits, but not compare them.
bool ascend(const std::int64_t* times, std::uint64_t rows) noexcept {
  std::uint64_t signs = ~0ull;
  for (std::uint64_t row = 1; row < rows; ++row) {
    const auto before = static_cast<std::uint64_t>(times[row - 1]);
    const auto time = static_cast<std::uint64_t>(times[row]);
    signs &= (before & ~time) | (~(before ^ time) & (before - time));  // of before < time
  }
  return (signs >> 63) != 0;
}

}  // namespace

// Equal in keys and time: begin and ordinal, where they are columns, must ascend.
Neighbours RowOrder::compare(std::span<const Array> a, std::uint64_t a_row,
                             std::span<const Array> b, std::uint64_t b_row) const {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto order = model::value_compare(a[i], a_row, b[i], b_row);
    if (order > 0) return Neighbours::disordered;
    if (order < 0) return i <= time_ ? Neighbours::differ : Neighbours::share_keys_and_time;
  }
  return a.size() - 1 == time_ ? Neighbours::share_keys_and_time : Neighbours::disordered;
}

Neighbours RowOrder::among(std::span<const Array> columns) const {
  const auto* times = columns[time_].values.as<std::int64_t>();
  const std::uint64_t rows = columns[time_].length;
  const bool keys = time_ != 0;
  if (!keys && ascend(times, rows)) return Neighbours::differ;
  Neighbours worst = Neighbours::differ;
  for (std::uint64_t row = 1; row < rows; ++row) {
    if (!keys && times[row - 1] < times[row]) continue;
    worst = std::max(worst, compare(columns, row - 1, columns, row));
  }
  return worst;
}

Neighbours RowOrder::between(std::span<const Array> before, std::span<const Array> after) const {
  return compare(before, before[time_].length - 1, after, 0);
}

std::vector<Array> row_of(std::span<const Array> columns, std::uint64_t row) {
  std::vector<Array> out;
  for (const Array& column : columns) {
    model::ArrayBuilder copy(column.type);
    copy.append_rows(column, row, 1);
    out.push_back(copy.finish());
  }
  return out;
}

}  // namespace otolith::segment
