// Loops between floats and integers, compiled for the vectors of the machine.
//
// Role:    under alp.cc and lattice.cc, which bring the arithmetic.
// Shapes:  whole groups of kFloatGroup floats, widened by their bits; up to kBlockRows.
// Errors:  none.
// Threads: thread-safe.
// Why:     a `By` is one arithmetic with its parameters: round_trip(double, u64*), value(u64), and
//          both once more "by cast", which is the same where vectors can convert integers of 64
//          bits. No result depends on the vectors, hence neither do the bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <type_traits>

#include "base/inline.h"
#include "base/mutant.h"
#include "base/vectors.h"
#include "codec/float_block.h"

namespace otolith::codec {

inline constexpr std::uint64_t kFloatGroup = 16;  // whose exceptions are looked for together

template <typename Float>
using FloatBits = std::conditional_t<sizeof(Float) == 8, std::uint64_t, std::uint32_t>;

/// A float by its widened bits, exactly.
template <typename Float>
double float_as_double(std::uint64_t bits) noexcept {
  return double{std::bit_cast<Float>(static_cast<FloatBits<Float>>(bits))};
}

/// Widened bits of the float that a double is rounded to.
template <typename Float>
std::uint64_t float_bits(double value) noexcept {
  return std::bit_cast<FloatBits<Float>>(static_cast<Float>(value));
}

/// The loops, for any machine, AVX2 and AVX-512.
template <typename Float, typename By>
struct FloatLoops {
  /// The integers of floats, and for each group bits that are 0 if all of it comes back.
  template <bool cast>
  OTO_INLINE static void integers_loop(const std::uint64_t* values, std::uint64_t groups, By by,
                                       std::uint64_t* integers, std::uint64_t* differ) noexcept {
    for (std::uint64_t group = 0; group < groups; ++group) {
      std::uint64_t bits = 0;
      for (std::uint64_t i = group * kFloatGroup; i < (group + 1) * kFloatGroup; ++i) {
        const double value = float_as_double<Float>(values[i]);
        const double back =
            cast ? by.round_trip_by_cast(value, &integers[i]) : by.round_trip(value, &integers[i]);
        bits |= float_bits<Float>(back) ^ values[i];
      }
      differ[group] = bits;
    }
  }
  OTO_INLINE static void floats_loop(const std::uint64_t* integers, std::uint64_t count, By by,
                                     std::byte* out) noexcept {
    for (std::uint64_t i = 0; i < count; ++i)
      store_le(out + i * sizeof(Float), static_cast<Float>(by.value(integers[i])));
  }

  static void integers_plain(const std::uint64_t* values, std::uint64_t groups, By by,
                             std::uint64_t* integers, std::uint64_t* differ) noexcept {
    integers_loop<false>(values, groups, by, integers, differ);
  }
  static void floats_plain(const std::uint64_t* integers, std::uint64_t count, By by,
                           std::byte* out) noexcept {
    floats_loop(integers, count, by, out);
  }
#ifdef __x86_64__
  __attribute__((target("avx2"))) static void integers_avx2(const std::uint64_t* values,
                                                            std::uint64_t groups, By by,
                                                            std::uint64_t* integers,
                                                            std::uint64_t* differ) noexcept {
    integers_loop<false>(values, groups, by, integers, differ);
  }
  // Where vectors have conversions of integers of 64 bits.
  __attribute__((target("avx512f,avx512dq,avx512vl"))) static void integers_avx512(
      const std::uint64_t* values, std::uint64_t groups, By by, std::uint64_t* integers,
      std::uint64_t* differ) noexcept {
    integers_loop<true>(values, groups, by, integers, differ);
  }
  __attribute__((target("avx512f,avx512dq,avx512vl"))) static void floats_avx512(
      const std::uint64_t* integers, std::uint64_t count, By by, std::byte* out) noexcept {
    for (std::uint64_t i = 0; i < count; ++i)
      store_le(out + i * sizeof(Float), static_cast<Float>(by.value_by_cast(integers[i])));
  }
  // Unpacked and converted in registers, whole rows of them.
  __attribute__((target("avx512f,avx512dq,avx512vl"))) static void unpack_avx512(
      const PackedBlock& block, std::uint64_t count, By by, std::byte* out) noexcept {
    unpack_rows(block.packed, count / kLanes, block.width, block.base,
                [&](std::uint64_t row, const BitsRow& integers) OTO_INLINE {
                  std::byte* const to = out + row * kLanes * sizeof(Float);
                  DoubleRow doubles;
                  by.row_by_cast(integers, doubles);
                  if constexpr (sizeof(Float) == 8)
                    *reinterpret_cast<DoubleRow*>(to) = doubles;
                  else
                    *reinterpret_cast<FloatRow*>(to) = __builtin_convertvector(doubles, FloatRow);
                });
  }
  __attribute__((target("avx2"))) static void floats_avx2(const std::uint64_t* integers,
                                                          std::uint64_t count, By by,
                                                          std::byte* out) noexcept {
    floats_loop(integers, count, by, out);
  }
#endif

  static void to_floats(const std::uint64_t* integers, std::uint64_t count, By by,
                        std::byte* out) noexcept {
#ifdef __x86_64__
    if (has_avx512()) return floats_avx512(integers, count, by, out);
    if (has_avx2()) return floats_avx2(integers, count, by, out);
#endif
    floats_plain(integers, count, by, out);
  }
  /// The floats of a block without flaw (block.h); returns the bytes it takes.
  static std::uint64_t block_to_floats(const std::byte* bytes, std::uint64_t count, By by,
                                       std::byte* out) noexcept {
#ifdef __x86_64__
    const bool rows = has_avx512() && count % kLanes == 0;
    const auto packed = rows ? block_packed(bytes, count) : std::nullopt;
    if (packed) {
      unpack_avx512(*packed, count, by, out);
      for (std::uint64_t i = 0; i < packed->outliers; ++i) {
        const auto place = load_le<std::uint16_t>(packed->outlier_places + i * 2);
        const auto value = load_le<std::uint64_t>(packed->outlier_values + i * 8);
        store_le(out + place * sizeof(Float), static_cast<Float>(by.value(value)));
      }
      return packed->bytes;
    }
#endif
    alignas(64) BlockValues integers;
    const std::uint64_t taken = block_decode(bytes, count, integers.data());
    to_floats(integers.data(), count, by, out);
    return taken;
  }
  static void to_groups(const std::uint64_t* values, std::uint64_t groups, By by,
                        std::uint64_t* integers, std::uint64_t* differ) noexcept {
#ifdef __x86_64__
    if (has_avx512()) return integers_avx512(values, groups, by, integers, differ);
    if (has_avx2()) return integers_avx2(values, groups, by, integers, differ);
#endif
    integers_plain(values, groups, by, integers, differ);
  }

  /// The integers of a block, and which of its floats they do not give back.
  static void to_integers(const std::uint64_t* values, std::uint64_t count, By by,
                          FloatIntegers& out) noexcept {
    std::array<std::uint64_t, kBlockRows / kFloatGroup> differ;
    const std::uint64_t whole = count / kFloatGroup;
    to_groups(values, whole, by, out.integers.data(), differ.data());
    if (count % kFloatGroup != 0) {
      std::array<std::uint64_t, kFloatGroup> last;
      last.fill(values[count - 1]);
      std::copy(values + whole * kFloatGroup, values + count, last.begin());
      to_groups(last.data(), 1, by, &out.integers[whole * kFloatGroup], &differ[whole]);
    }
    for (std::uint64_t at = 0; at < count; at += kFloatGroup) {
      if (differ[at / kFloatGroup] == 0 || mutant("float-bits-unchecked")) continue;
      for (std::uint64_t i = at; i < std::min(count, at + kFloatGroup); ++i) {
        std::uint64_t same = 0;
        const double back = by.round_trip(float_as_double<Float>(values[i]), &same);
        out.places[out.exceptions] = static_cast<std::uint16_t>(i);
        out.exceptions += float_bits<Float>(back) != values[i] ? 1 : 0;
      }
    }
  }
};

/// The floats of a block without flaw (float_block.h); `by` makes the arithmetic of its exponents.
/// Returns the bytes it takes.
template <typename Float, typename MakeBy>
std::uint64_t float_block_decode(const std::byte* bytes, std::uint64_t count, std::byte* out,
                                 MakeBy by) noexcept {
  constexpr std::uint32_t width = sizeof(Float);
  if (load_le<std::uint8_t>(bytes) == 0) return float_bits_decode(bytes, count, width, out);
  const Exponents exponents{load_le<std::uint8_t>(bytes + 1), load_le<std::uint8_t>(bytes + 2)};
  const auto exceptions = load_le<std::uint16_t>(bytes + 4);
  bytes += kFloatHeadBytes;
  using Loops = FloatLoops<Float, decltype(by(exponents))>;
  const std::uint64_t taken = Loops::block_to_floats(bytes, count, by(exponents), out);
  return kFloatHeadBytes + taken + exceptions_restore(bytes + taken, exceptions, width, out);
}

}  // namespace otolith::codec
