#include "segment/summary.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/inline.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/vectors.h"

namespace otolith::segment {

namespace {

using model::DoubleSum;

constexpr std::uint64_t kLanes = 8;

template <typename T>
using Lanes = T __attribute__((vector_size(kLanes * sizeof(T))));

// ------------------------------------------------------------------------------------- integers

// Bounds, and the sum modulo 2^64.
template <typename T>
struct Integers {
  T least = std::numeric_limits<T>::max();
  T greatest = std::numeric_limits<T>::min();
  std::uint64_t wrapped = 0;
};

template <typename T>
OTO_INLINE inline void take_integers(const T* values, std::uint64_t rows,
                                     Integers<T>& to) noexcept {
  Lanes<T> least = to.least - Lanes<T>{};
  Lanes<T> greatest = to.greatest - Lanes<T>{};
  Lanes<std::uint64_t> sums{};
  std::uint64_t row = 0;
  for (; row + kLanes <= rows; row += kLanes) {
    Lanes<T> in;
    std::memcpy(&in, values + row, sizeof in);
    least = in < least ? in : least;
    greatest = in > greatest ? in : greatest;
    sums += __builtin_convertvector(in, Lanes<std::uint64_t>);
  }
  for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
    to.least = std::min<T>(to.least, least[lane]);
    to.greatest = std::max<T>(to.greatest, greatest[lane]);
    to.wrapped += sums[lane];
  }
  for (; row < rows; ++row) {
    to.least = std::min(to.least, values[row]);
    to.greatest = std::max(to.greatest, values[row]);
    to.wrapped += static_cast<std::uint64_t>(values[row]);
  }
}

// -------------------------------------------------------------------------------------- floats

struct Floats {
  Lanes<double> sum{};
  Lanes<double> lost{};  // of each lane's sum
  Lanes<double> least = std::numeric_limits<double>::infinity() - Lanes<double>{};
  Lanes<double> greatest = -std::numeric_limits<double>::infinity() - Lanes<double>{};
};

// Whole rows of lanes; `masked`: NaN stands for a null and adds nothing.
template <bool masked, typename T>
OTO_INLINE inline void take_floats(const T* values, std::uint64_t rows, Floats& to) noexcept {
  auto [sum, lost, least, greatest] = to;
  for (std::uint64_t row = 0; row < rows; row += kLanes) {
    Lanes<T> in;
    std::memcpy(&in, values + row, sizeof in);
    const auto value = __builtin_convertvector(in, Lanes<double>);
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
    const auto added = masked ? (value == value ? value : Lanes<double>{}) : value;
    const auto next = sum + added;
    const auto of_added = next - sum;
    lost += (sum - (next - of_added)) + (added - of_added);
    sum = next;
  }
  to = {sum, lost, least, greatest};
}

// ------------------------------------------------------------------------------------- dispatch

template <typename T>
struct Kernels {
  static void integers(const T* values, std::uint64_t rows, Integers<T>& to) noexcept {
    take_integers(values, rows, to);
  }
  template <bool masked>
  static void floats(const T* values, std::uint64_t rows, Floats& to) noexcept {
    take_floats<masked>(values, rows, to);
  }
#ifdef __x86_64__
  __attribute__((target("avx2"))) static void integers_avx2(const T* values, std::uint64_t rows,
                                                            Integers<T>& to) noexcept {
    take_integers(values, rows, to);
  }
  template <bool masked>
  __attribute__((target("avx2"))) static void floats_avx2(const T* values, std::uint64_t rows,
                                                          Floats& to) noexcept {
    take_floats<masked>(values, rows, to);
  }
  __attribute__((target("avx512f,avx512dq"))) static void integers_avx512(
      const T* values, std::uint64_t rows, Integers<T>& to) noexcept {
    take_integers(values, rows, to);
  }
  template <bool masked>
  __attribute__((target("avx512f,avx512dq"))) static void floats_avx512(const T* values,
                                                                        std::uint64_t rows,
                                                                        Floats& to) noexcept {
    take_floats<masked>(values, rows, to);
  }
#endif
};

template <typename T>
void run_integers(const T* values, std::uint64_t rows, Integers<T>& to) noexcept {
#ifdef __x86_64__
  if (has_avx512()) return Kernels<T>::integers_avx512(values, rows, to);
  if (has_avx2()) return Kernels<T>::integers_avx2(values, rows, to);
#endif
  Kernels<T>::integers(values, rows, to);
}

template <bool masked, typename T>
void run_floats(const T* values, std::uint64_t rows, Floats& to) noexcept {
#ifdef __x86_64__
  if (has_avx512()) return Kernels<T>::template floats_avx512<masked>(values, rows, to);
  if (has_avx2()) return Kernels<T>::template floats_avx2<masked>(values, rows, to);
#endif
  Kernels<T>::template floats<masked>(values, rows, to);
}

// Calls `take` with up to a block of values at a time, `fill` in the slots of nulls.
template <typename T, typename Fill, typename Take>
void without_nulls(const Array& rows, Fill fill, Take take) noexcept {
  T block[kBlockRows];
  const T* values = rows.values.as<T>();
  for (std::uint64_t first = 0; first < rows.length; first += kBlockRows) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, rows.length - first);
    for (std::uint64_t row = 0; row < count; ++row) {
      block[row] = rows.is_null(first + row) ? fill : values[first + row];
    }
    take(block, count);
  }
}

// A page with infinities or NaN, or whose sum overflows, value by value.
template <typename T>
void sum_slowly(const Array& rows, FloatSummary& out) noexcept {
  Floats lanes;
  out.nan = false;
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    const double value = rows.value<T>(row);
    if (rows.is_null(row)) continue;
    out.nan |= std::isnan(value);
    if (!std::isfinite(value)) continue;
    const std::uint64_t lane = row % kLanes;
    const DoubleSum next = model::two_sum(lanes.sum[lane], value);
    lanes.sum[lane] = next.high;
    lanes.lost[lane] += next.low;
  }
  out.sum = {};
  for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
    out.sum = model::sum_add(out.sum, model::two_sum(lanes.sum[lane], lanes.lost[lane]));
  }
  out.summed = out.sum.finite();
  if (!out.summed) out.sum = {};
}

}  // namespace

template <typename T>
IntegerSummary<T> integers_summary(const Array& rows) noexcept {
  Integers<T> found;
  T fill{};
  if (rows.null_count == 0) {
    run_integers(rows.values.as<T>(), rows.length, found);
  } else {
    std::uint64_t valid = 0;
    while (rows.is_null(valid)) ++valid;
    fill = rows.value<T>(valid);
    without_nulls<T>(rows, fill, [&](const T* block, std::uint64_t count) {
      run_integers(block, count, found);
    });
  }
  IntegerSummary<T> out{found.least, found.greatest, 0};
  // What the values are above the least adds up to less than 2^64, mostly: then the sum modulo 2^64
  // tells all of it.
  const auto above =
      static_cast<std::uint64_t>(found.greatest) - static_cast<std::uint64_t>(found.least);
  const bool tells = (static_cast<Uint128>(above) * rows.length) >> 64 == 0;
  if (tells || mutant("zone-sum-wraps")) {
    out.sum = static_cast<Int128>(found.least) * static_cast<Int128>(rows.length) +
              (found.wrapped - rows.length * static_cast<std::uint64_t>(found.least));
    out.sum -= static_cast<Int128>(fill) * static_cast<Int128>(rows.null_count);
    return out;
  }
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (!rows.is_null(row)) out.sum += rows.value<T>(row);
  }
  return out;
}

template <typename T>
FloatSummary floats_summary(const Array& rows) noexcept {
  constexpr T no_value = std::numeric_limits<T>::quiet_NaN();
  Floats lanes;
  FloatSummary out;
  bool odd = false;  // NaN among the values
  const auto take_rest = [&](const T* values, std::uint64_t count) {
    T rest[kLanes];
    std::fill_n(rest, kLanes, no_value);
    std::copy_n(values, count, rest);
    odd |= rows.null_count == 0 &&
           std::any_of(values, values + count, [](T value) { return value != value; });
    run_floats<true>(rest, kLanes, lanes);
  };
  if (rows.null_count == 0) {
    const std::uint64_t whole = rows.length / kLanes * kLanes;
    run_floats<false>(rows.values.as<T>(), whole, lanes);
    if (whole != rows.length) take_rest(rows.values.as<T>() + whole, rows.length - whole);
  } else {
    for (std::uint64_t row = 0; row < rows.length; ++row) {
      const T value = rows.value<T>(row);
      odd |= value != value && !rows.is_null(row);
    }
    without_nulls<T>(rows, no_value, [&](const T* block, std::uint64_t count) {
      const std::uint64_t whole = count / kLanes * kLanes;
      run_floats<true>(block, whole, lanes);
      if (whole != count) take_rest(block + whole, count - whole);
    });
  }
  out.least = std::numeric_limits<double>::infinity();
  out.greatest = -out.least;
  for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
    out.least = std::min<double>(out.least, lanes.least[lane]);
    out.greatest = std::max<double>(out.greatest, lanes.greatest[lane]);
    const double lost = mutant("zone-sum-plain") ? 0 : lanes.lost[lane];
    out.sum = model::sum_add(out.sum, model::two_sum(lanes.sum[lane], lost));
  }
  if (odd || !out.sum.finite()) sum_slowly<T>(rows, out);
  return out;
}

template IntegerSummary<std::int8_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::int16_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::int32_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::int64_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::uint8_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::uint16_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::uint32_t> integers_summary(const Array&) noexcept;
template IntegerSummary<std::uint64_t> integers_summary(const Array&) noexcept;
template FloatSummary floats_summary<float>(const Array&) noexcept;
template FloatSummary floats_summary<double>(const Array&) noexcept;

}  // namespace otolith::segment
