// A series as a picture: in the terminal, or as SVG.
//
// Role:    plot.
// Shapes:  a series is cut into as many steps of time as there are points across; of each step the
//          least and the greatest value are drawn, so that a peak of one row in a million shows.
// Errors:  none.
// Threads: thread-compatible.
// Why:     least and greatest per point, not means: memory is that of the picture, whatever the
//          number of rows, and nothing that stands out is smoothed away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otolith/batch.h"
#include "otolith/timestamp.h"

namespace otolith::cli {

/// One column over time.
class Series {
 public:
  Series(std::string name, Timestamp first, Timestamp last, std::size_t points);

  /// Rows of a numeric column; nulls and NaN leave gaps.
  void add(const Array& times, const Array& values);

  const std::string& name() const noexcept { return name_; }
  Timestamp first() const noexcept { return first_; }
  Timestamp last() const noexcept { return last_; }
  std::size_t points() const noexcept { return low_.size(); }
  bool has(std::size_t point) const noexcept { return low_[point] <= high_[point]; }
  double low(std::size_t point) const noexcept { return low_[point]; }
  double high(std::size_t point) const noexcept { return high_[point]; }
  /// Over all points; {0, 0} where there is no value.
  std::pair<double, double> range() const noexcept;
  std::uint64_t values() const noexcept { return values_; }

 private:
  std::string name_;
  Timestamp first_;
  Timestamp last_;
  std::vector<double> low_;
  std::vector<double> high_;
  std::uint64_t values_ = 0;
};

/// Whether a column can be drawn.
bool is_drawable(Type type) noexcept;

/// Points across that a chart of a terminal so wide has.
std::size_t terminal_points(unsigned width) noexcept;
/// A chart of braille dots with its scale and times, some lines of text.
std::string terminal_chart(const Series& series, unsigned height);
/// All series over one another as SVG.
std::string svg_chart(const std::vector<Series>& series, const std::string& title);
inline constexpr std::size_t kSvgPoints = 1000;

}  // namespace otolith::cli
