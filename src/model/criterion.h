// What a comparison asks of the values of one column, in terms of the type they are stored as.
//
// Role:    filter of the flow: bound once, then asked of zone maps, of encoded pages, and of
//          values.
// Shapes:  every comparison becomes a range with both ends included, a set, or an answer for all;
//          `inverse` turns range and set around. Answers are bits, 64 rows to a word, least
//          significant first; a null is never true.
// Errors:  criterion_of throws invalid_argument for constants that the type is not compared with.
// Threads: immutable.
// Why:     constants go to the column's type, not values to the constants': `x > 90.5` of an int16
//          is x >= 91, `x < 2^40` is always true, and each costs one comparison of 16 bits a row.
//          NaN is outside every range, which is what `!=` and `not` ask of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/int128.h"
#include "otolith/batch.h"
#include "otolith/expression.h"

namespace otolith::model {

/// Integers of any type, times, booleans and decimals (without their point).
struct IntegerBounds {
  Int128 low = 0;
  Int128 high = 0;
};
struct FloatBounds {
  double low = 0;
  double high = 0;
};
/// By bytes; an end that is absent is open.
struct TextBounds {
  std::optional<std::string> low{};
  std::optional<std::string> high{};
  bool low_included = true;
  bool high_included = true;

  bool above_low(std::string_view text) const noexcept {
    return !low || (low_included ? text >= *low : text > *low);
  }
  bool below_high(std::string_view text) const noexcept {
    return !high || (high_included ? text <= *high : text < *high);
  }
  bool hold(std::string_view text) const noexcept { return above_low(text) && below_high(text); }
};

struct Criterion {
  /// Of values that are not null.
  enum class Kind : std::uint8_t { never, always, range, set };

  Type type{};
  Kind kind = Kind::never;
  bool inverse = false;  // of range and set
  // One of each three counts, by the type.
  IntegerBounds integers{};  // within the type's own
  FloatBounds floats{};      // of a float32, values of it
  TextBounds texts{};
  std::vector<Int128> integer_set{};  // sorted and distinct
  std::vector<double> float_set{};
  std::vector<std::string> text_set{};

  bool holds(Int128 value) const noexcept;
  bool holds(double value) const noexcept;
  bool holds(std::string_view value) const noexcept;
};

/// True for integers, booleans, timestamps and decimals.
bool is_exact(Type type) noexcept;

/// The test of a comparison (equal to between) of values of a type; `column` for messages.
Criterion criterion_of(const ExpressionNode& comparison, bool inverse, Type type,
                       std::string_view column);

constexpr std::uint64_t bit_words(std::uint64_t rows) noexcept { return (rows + 63) / 64; }

/// Makes the bits behind the last row zeros.
inline void cut_bits(std::uint64_t rows, std::uint64_t* bits) noexcept {
  if (rows % 64 != 0) bits[rows / 64] &= (1ull << (rows % 64)) - 1;
}

/// Of `array`, which is of the test's type: bit_words(length) words, zeros behind the last row.
void criterion_rows(const Criterion& test, const Array& array, std::uint64_t* bits);

/// Bits of the integers that lie at most `steps` above `low`; all wraps.
void range_bits(const std::uint64_t* values, std::uint64_t rows, std::uint64_t low,
                std::uint64_t steps, std::uint64_t* bits) noexcept;

/// Bits of the rows that are not null.
void valid_rows(const Array& array, std::uint64_t* bits) noexcept;

}  // namespace otolith::model
