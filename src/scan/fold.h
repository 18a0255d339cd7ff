// One column's count, sum and bounds while they are gathered.
//
// Role:    under statistics.h.
// Shapes:  zones of pages and chunks, and arrays of any length, in any order.
// Errors:  limit where a sum of decimals passes 128 bits.
// Threads: thread-compatible.
#pragma once

#include <string>

#include "model/exact_sum.h"
#include "scan/statistics.h"

namespace otolith::scan {

class Fold {
 public:
  explicit Fold(const Column& column) : name_(column.name), type_(column.type) {}

  /// False where a zone of this stored type does not say all that is asked.
  bool answers(const segment::Zone& zone, Type stored) const noexcept;
  void take(const segment::Zone& zone, std::uint64_t rows) noexcept;
  void take(const Array& values);
  void take_nulls(std::uint64_t rows) noexcept { nulls_ += rows; }

  /// Whether the sum's rounding is proved; else all values must be taken exactly too.
  bool proved() const noexcept;
  void take_exactly(const Array& values) noexcept;
  ColumnTotals result() const;

 private:
  bool is_float() const noexcept;
  std::optional<double> float_sum() const noexcept;
  void take_text(const Array& values);
  void put_bounds(ColumnTotals& out) const;

  std::string name_;
  Type type_;
  std::uint64_t values_ = 0;
  std::uint64_t nulls_ = 0;
  segment::Zone zone_;    // of all that was taken
  double magnitude_ = 0;  // of floats: at least the sum of all finite absolute values
  double additions_ = 0;  // of sums
  std::optional<model::ExactSum> exact_;
  std::optional<std::string> least_;  // of text
  std::optional<std::string> greatest_;
};

}  // namespace otolith::scan
