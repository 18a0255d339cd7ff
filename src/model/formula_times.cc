// Functions of times: fields of the calendar in UTC, and times rounded down.
#include <chrono>

#include "model/formula_loops.h"

namespace otolith::model {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kDayNs = 86'400 * kSecondNs;
constexpr std::int64_t kWeekNs = 7 * kDayNs;

constexpr std::int64_t floor_quotient(std::int64_t a, std::int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::chrono::year_month_day date_of(std::int64_t ns) noexcept {
  using namespace std::chrono;
  return sys_days{days{floor_quotient(ns, kDayNs)}};
}

// Of the whole units of a time how many there are since the greater unit began.
std::int64_t within(std::int64_t ns, std::int64_t unit, std::int64_t greater) noexcept {
  return (ns - floor_quotient(ns, greater) * greater) / unit;
}

Int128 field(FunctionId function, std::int64_t ns) noexcept {
  switch (function) {
    case FunctionId::year:
      return static_cast<int>(date_of(ns).year());
    case FunctionId::month:
      return static_cast<unsigned>(date_of(ns).month());
    case FunctionId::day:
      return static_cast<unsigned>(date_of(ns).day());
    case FunctionId::hour:
      return within(ns, 3600 * kSecondNs, kDayNs);
    case FunctionId::minute:
      return within(ns, 60 * kSecondNs, 3600 * kSecondNs);
    case FunctionId::second:
      return within(ns, kSecondNs, 60 * kSecondNs);
    default: {  // weekday: 1970 began on a Thursday
      constexpr std::int64_t kThursday = 3;
      const std::int64_t day = floor_quotient(ns, kDayNs) + kThursday;
      return day - floor_quotient(day, 7) * 7;
    }
  }
}

// Weeks begin on Mondays, all else where 1970 does.
Int128 floor_of(std::int64_t ns, std::int64_t unit) noexcept {
  const Int128 origin = unit % kWeekNs == 0 ? -3 * kDayNs : 0;
  const Int128 since = ns - origin;
  return since - (since % unit + unit) % unit + origin;
}

}  // namespace

Values call_on_times(const Formula& formula, const Values& operand, std::size_t rows) {
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  for (std::size_t row = 0; row < out.exact.size(); ++row) {
    if (out.is_null(row)) continue;
    const auto ns = static_cast<std::int64_t>(operand.exact[row]);
    if (formula.function->id != FunctionId::floor) {
      out.exact[row] = field(formula.function->id, ns);
      continue;
    }
    // Before the first time that can be told there is none.
    const Int128 floor = floor_of(ns, formula.unit_ns);
    if (floor < kTimestampMin.ns)
      set_null(out, row, rows);
    else
      out.exact[row] = floor;
  }
  return out;
}

}  // namespace otolith::model
