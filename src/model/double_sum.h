// A sum of doubles in two doubles, and the one rounding at its end.
//
// Role:    sums in zone maps (segment) and of scans; whoever adds floats up adds these up.
// Shapes:  high + low, of which high is the sum rounded to nearest; both finite unless it
//          overflowed.
// Errors:  none.
// Threads: immutable.
// Why:     some 106 bits, so that the rounded result does not tell how rows were put into pages,
//          chunks and threads; where a bound of the error cannot prove that, exact_sum.h can.
// Source:  Knuth, TAOCP 2, 4.2.2 (two_sum); Joldes, Muller, Popescu, "Tight and rigorous error
//          bounds for basic building blocks of double-word arithmetic", TOMS 2017, algorithm 6.
#pragma once

#include <cmath>
#include <optional>

namespace otolith::model {

struct DoubleSum {
  double high = 0;
  double low = 0;

  bool finite() const noexcept { return std::isfinite(high) && std::isfinite(low); }
  bool operator==(const DoubleSum&) const = default;
};

/// a + b without loss, whichever is larger.
constexpr DoubleSum two_sum(double a, double b) noexcept {
  const double sum = a + b;
  const double of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

/// Of two sums; off by less than 3 * 2^-106 of the result.
constexpr DoubleSum sum_add(DoubleSum a, DoubleSum b) noexcept {
  const auto add = [](double large, double small) {  // without loss where |large| >= |small|
    const double sum = large + small;
    return DoubleSum{sum, small - (sum - large)};
  };
  const DoubleSum high = two_sum(a.high, b.high);
  const DoubleSum low = two_sum(a.low, b.low);
  const DoubleSum both = add(high.high, high.low + low.high);
  return add(both.high, low.low + both.low);
}

/// The double nearest to the true sum, which is off from this one by at most `error`; nullopt where
/// that leaves two to choose from.
std::optional<double> sum_rounded(DoubleSum sum, double error) noexcept;

}  // namespace otolith::model
