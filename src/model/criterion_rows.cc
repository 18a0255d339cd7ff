// Values against a test, 64 rows to a word.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "base/inline.h"
#include "base/mutant.h"
#include "base/vectors.h"
#include "model/array.h"
#include "model/criterion.h"

namespace otolith::model {

namespace {

// A word of 64 rows, or of the few at the end. `hit` is asked for every row: no branches in it.
template <typename Hit>
OTO_INLINE inline void fill_words(std::uint64_t rows, std::uint64_t* bits, Hit hit) noexcept {
  std::uint64_t first = 0;
  for (; first + 64 <= rows; first += 64) {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 64; ++i) word |= std::uint64_t{hit(first + i)} << i;
    *bits++ = word;
  }
  if (first == rows) return;
  std::uint64_t word = 0;
  for (unsigned i = 0; first + i < rows; ++i) word |= std::uint64_t{hit(first + i)} << i;
  *bits = word;
}

// Within low..high; of integers, as `high` steps from low upwards without a sign.
template <typename T>
OTO_INLINE inline void range_words(const T* values, std::uint64_t rows, T low, T high, bool inverse,
                                   std::uint64_t* bits) noexcept {
  fill_words(rows, bits, [=](std::uint64_t row) {
    if constexpr (std::is_integral_v<T>)
      return (static_cast<T>(values[row] - low) <= high) != inverse;
    else
      return ((values[row] >= low) & (values[row] <= high)) != inverse;
  });
}

template <typename T>
using RangeWords = void (*)(const T*, std::uint64_t, T, T, bool, std::uint64_t*) noexcept;

template <typename T>
void range_words_plain(const T* values, std::uint64_t rows, T low, T high, bool inverse,
                       std::uint64_t* bits) noexcept {
  range_words(values, rows, low, high, inverse, bits);
}

#ifdef __x86_64__
// The same on longer vectors: 0.12 ns instead of 0.40 a double.
template <typename T>
__attribute__((target("avx2"))) void range_words_avx2(const T* values, std::uint64_t rows, T low,
                                                      T high, bool inverse,
                                                      std::uint64_t* bits) noexcept {
  range_words(values, rows, low, high, inverse, bits);
}
#endif

template <typename T>
RangeWords<T> fastest_range_words() noexcept {
#ifdef __x86_64__
  if (has_avx2()) return range_words_avx2<T>;
#endif
  return range_words_plain<T>;
}

template <typename T>
void test_range(const T* values, std::uint64_t rows, T low, T high, bool inverse,
                std::uint64_t* bits) noexcept {
  static const RangeWords<T> words = fastest_range_words<T>();
  words(values, rows, low, high, inverse, bits);
}

template <typename Integer>
void test_integers(const Criterion& test, const Array& array, std::uint64_t* bits) noexcept {
  const auto* values = array.values.as<Integer>();
  if (test.kind == Criterion::Kind::range) {
    return test_range<Integer>(values, array.length, static_cast<Integer>(test.integers.low),
                               static_cast<Integer>(test.integers.high - test.integers.low),
                               test.inverse, bits);
  }
  using Signed = std::make_signed_t<Integer>;
  const bool with_sign = test.type.kind == TypeKind::timestamp ||
                         (test.type.kind >= TypeKind::int8 && test.type.kind <= TypeKind::int64);
  fill_words(array.length, bits, [&](std::uint64_t row) {
    const Int128 value = with_sign ? Int128{static_cast<Signed>(values[row])} : Int128{values[row]};
    return test.holds(value);
  });
}

void test_decimals(const Criterion& test, const Array& array, std::uint64_t* bits) noexcept {
  fill_words(array.length, bits, [&](std::uint64_t row) {
    Int128 value = 0;
    std::memcpy(&value, array.values.bytes.data() + row * sizeof value, sizeof value);
    return test.holds(value);
  });
}

template <typename Float>
void test_floats(const Criterion& test, const Array& array, std::uint64_t* bits) noexcept {
  const auto* values = array.values.as<Float>();
  if (test.kind == Criterion::Kind::range) {
    return test_range<Float>(values, array.length, static_cast<Float>(test.floats.low),
                             static_cast<Float>(test.floats.high), test.inverse, bits);
  }
  fill_words(array.length, bits,
             [&](std::uint64_t row) { return test.holds(static_cast<double>(values[row])); });
}

void test_values(const Criterion& test, const Array& array, std::uint64_t* bits) {
  if (is_text(test.type)) {
    return fill_words(array.length, bits,
                      [&](std::uint64_t row) { return test.holds(array.text(row)); });
  }
  if (test.type.kind == TypeKind::float32) return test_floats<float>(test, array, bits);
  if (test.type.kind == TypeKind::float64) return test_floats<double>(test, array, bits);
  switch (type_width(test.type)) {
    case 1:
      return test_integers<std::uint8_t>(test, array, bits);
    case 2:
      return test_integers<std::uint16_t>(test, array, bits);
    case 4:
      return test_integers<std::uint32_t>(test, array, bits);
    case 8:
      return test_integers<std::uint64_t>(test, array, bits);
    default:
      return test_decimals(test, array, bits);
  }
}

}  // namespace

void range_bits(const std::uint64_t* values, std::uint64_t rows, std::uint64_t low,
                std::uint64_t steps, std::uint64_t* bits) noexcept {
  test_range(values, rows, low, steps, false, bits);
}

void valid_rows(const Array& array, std::uint64_t* bits) noexcept {
  const std::uint64_t words = bit_words(array.length);
  if (words == 0) return;
  if (array.null_count == 0) {
    std::fill_n(bits, words, ~0ull);
  } else {
    bits[words - 1] = 0;
    std::memcpy(bits, array.validity.bytes.data(), bitmap_bytes(array.length));
  }
  cut_bits(array.length, bits);
}

void criterion_rows(const Criterion& test, const Array& array, std::uint64_t* bits) {
  OTO_INVARIANT(array.type == test.type);
  if (test.kind == Criterion::Kind::always) return valid_rows(array, bits);
  if (test.kind == Criterion::Kind::never) {
    std::fill_n(bits, bit_words(array.length), 0ull);
    return;
  }
  test_values(test, array, bits);
  if (array.null_count == 0 || mutant("filter-null-true")) return;
  std::vector<std::uint64_t> valid(bit_words(array.length));
  valid_rows(array, valid.data());
  for (std::uint64_t i = 0; i < valid.size(); ++i) bits[i] &= valid[i];
}

}  // namespace otolith::model
