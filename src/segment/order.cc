#include "segment/order.h"

#include "base/error.h"
#include "model/compare.h"

namespace otolith::segment {

RowOrder::RowOrder(const Schema& schema)
    : time_(schema.time_index()), keys_(schema.key_indexes()) {}

bool RowOrder::differ(const Batch& a, std::uint64_t a_row, const Batch& b,
                      std::uint64_t b_row) const {
  for (const std::size_t key : keys_) {
    const auto order = model::value_compare(a.columns[key], a_row, b.columns[key], b_row);
    OTO_INVARIANT(order <= 0);
    if (order < 0) return true;
  }
  const auto order = model::value_compare(a.columns[time_], a_row, b.columns[time_], b_row);
  OTO_INVARIANT(order <= 0);
  return order < 0;
}

bool RowOrder::unique(const RowAt& before, const Batch& batch, std::uint64_t first,
                      std::uint64_t rows) const {
  bool out = before.batch == nullptr || differ(*before.batch, before.row, batch, first);
  const auto* times = batch.columns[time_].values.as<std::int64_t>();
  for (std::uint64_t row = first + 1; row < first + rows; ++row) {
    if (times[row] <= times[row - 1]) out &= differ(batch, row - 1, batch, row);
  }
  return out;
}

}  // namespace otolith::segment
