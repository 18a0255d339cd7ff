#include "model/double_sum.h"

namespace otolith::model {

std::optional<double> sum_rounded(DoubleSum sum, double error) noexcept {
  if (!sum.finite() || !std::isfinite(error)) return std::nullopt;
  if (error == 0) return sum.high;
  const double room = error * 1.25 + std::abs(sum.low) * 0x1p-51;  // for these additions too
  if (sum.high + (sum.low - room) != sum.high || sum.high + (sum.low + room) != sum.high) {
    return std::nullopt;
  }
  return sum.high;
}

}  // namespace otolith::model
