// Which rows of a page pass a test, told from the integers that it stores.
//
// Role:    filter of the flow, on encoded data: what Codec::select is made of.
// Shapes:  blocks of <= kBlockRows; answers are bits, 64 rows to a word, least significant first,
//          zeros behind the last row. The bit of a null is anything.
// Errors:  none; the blocks have no flaw.
// Threads: thread-safe.
// Why:     the constant goes to the integers once, instead of every value to the constant: no float
//          and no text is made. A block whose base and width say enough is not even unpacked.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include "codec/float_block.h"
#include "codec/float_loops.h"
#include "model/criterion.h"

namespace otolith::codec {

/// `steps` integers behind `low`, and itself; all wraps, so that they need no sign.
struct IntegerRange {
  std::uint64_t low = 0;
  std::uint64_t steps = 0;
};

/// A test of stored integers, cut to `width` bytes: they lie in one of the ranges, or with
/// `inverse` in none.
struct IntegerTest {
  std::vector<IntegerRange> ranges;
  bool inverse = false;
  std::uint32_t width = sizeof(std::uint64_t);
  bool has_sign = false;
};

/// Asking for more ranges than that takes as long as asking the values.
inline constexpr std::size_t kSelectRangesMax = 8;
/// True if the test is of few enough.
bool is_selectable(const model::Criterion& test) noexcept;

/// A selectable test of integers, times, booleans and decimals, as one of their low 64 bits.
IntegerTest integer_test(const model::Criterion& test);
/// One of text, by places among entries that ascend.
IntegerTest entry_test(const model::Criterion& test, std::uint64_t entries,
                       const std::function<std::string_view(std::uint64_t)>& entry);
/// One of floats that `by` makes of integers (float_loops.h).
template <typename Float, typename By>
IntegerTest float_test(const model::Criterion& test, By by);

/// The integers that pass.
void integers_select(const std::uint64_t* values, std::uint64_t count, const IntegerTest& test,
                     std::uint64_t* bits) noexcept;
/// The rows of a block (block.h) that pass; returns the bytes it takes.
std::uint64_t block_select(const std::byte* bytes, std::uint64_t count, const IntegerTest& test,
                           std::uint64_t* bits) noexcept;
/// The rows of a block of floats (float_block.h) that pass; `test_by` makes exponents to the test
/// of its integers.
template <typename Float, typename TestBy>
std::uint64_t float_block_select(const std::byte* bytes, std::uint64_t count,
                                 const model::Criterion& test, std::uint64_t* bits, TestBy test_by);

// -------------------------------------------------------------------------------------- as floats

/// The least integer within bounds for which `holds`, as it does for all above; one above the
/// greatest where there is none. `guess` is where to look first.
template <typename Holds>
Int128 least_integer(Int128 guess, model::IntegerBounds within, Holds holds) {
  Int128 low = within.low;
  Int128 high = within.high + 1;
  Int128 at = std::clamp(guess, within.low, within.high);
  const bool down = holds(at);
  for (Int128 step = 1; low < high; step *= 4) {
    const bool held = holds(at);
    (held ? high : low) = held ? at : at + 1;
    if (held != down) break;
    at = down ? std::max(low, at - step) : std::min(high - 1, at + step);
  }
  while (low < high) {
    const Int128 middle = low + (high - low) / 2;
    (holds(middle) ? high : low) = holds(middle) ? middle : middle + 1;
  }
  return low;
}

template <typename Float, typename By>
IntegerTest float_test(const model::Criterion& test, By by) {
  const auto value = [by](Int128 at) {
    return double{static_cast<Float>(by.value(static_cast<std::uint64_t>(at)))};
  };
  IntegerTest out{.ranges = {}, .inverse = test.inverse};
  const auto add = [&](double low, double high) {
    const model::IntegerBounds all = By::kIntegers;
    const auto least = [&](double bound, auto holds) {
      std::uint64_t guess = 0;
      (void)by.round_trip(bound, &guess);
      return least_integer(static_cast<std::int64_t>(guess), all, holds);
    };
    const auto from = std::isinf(low) && low < 0
                          ? all.low
                          : least(low, [&](Int128 at) { return value(at) >= low; });
    const auto behind = std::isinf(high) && high > 0
                            ? all.high + 1
                            : least(high, [&](Int128 at) { return value(at) > high; });
    if (from >= behind) return;
    out.ranges.push_back(
        {static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(behind - from - 1)});
  };
  if (test.kind == model::Criterion::Kind::range) add(test.floats.low, test.floats.high);
  for (const double one : test.float_set) add(one, one);
  return out;
}

template <typename Float, typename TestBy>
std::uint64_t float_block_select(const std::byte* bytes, std::uint64_t count,
                                 const model::Criterion& test, std::uint64_t* bits,
                                 TestBy test_by) {
  if (load_le<std::uint8_t>(bytes) == 0) {
    alignas(64) std::array<Float, kBlockRows> floats;
    const auto values = std::as_writable_bytes(std::span(floats));
    const std::uint64_t taken = float_bits_decode(bytes, count, sizeof(Float), values.data());
    model::criterion_rows(test, {.type = test.type, .length = count, .values = {nullptr, values}},
                          bits);
    return taken;
  }
  const Exponents by{load_le<std::uint8_t>(bytes + 1), load_le<std::uint8_t>(bytes + 2)};
  const auto exceptions = load_le<std::uint16_t>(bytes + 4);
  const std::uint64_t taken =
      kFloatHeadBytes + block_select(bytes + kFloatHeadBytes, count, test_by(by), bits);
  const std::byte* values = bytes + taken;
  const std::byte* places = values + exceptions * sizeof(Float);
  for (std::uint64_t i = 0; i < exceptions; ++i) {
    const auto place = load_le<std::uint16_t>(places + i * sizeof(std::uint16_t));
    const bool passes = test.holds(double{load_le<Float>(values + i * sizeof(Float))});
    bits[place / 64] &= ~(1ull << (place % 64));
    bits[place / 64] |= std::uint64_t{passes} << (place % 64);
  }
  return taken + exceptions_bytes(exceptions, sizeof(Float));
}

}  // namespace otolith::codec
