#include "codec/block_loops.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/vectors.h"
#include "codec/bits_row.h"

namespace otolith::codec {

namespace {

OTO_INLINE inline BlockRange range(const std::uint64_t* values, std::uint64_t count) noexcept {
  BlockRange out;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::int64_t>(values[i]);
    out.least = std::min(out.least, value);
    out.greatest = std::max(out.greatest, value);
  }
  return out;
}

// Four tables, as one waits for itself where widths repeat.
OTO_INLINE inline std::uint64_t widths(const std::uint64_t* values, std::uint64_t count,
                                       std::uint64_t step, std::uint64_t base,
                                       BlockWidths& out) noexcept {
  std::array<BlockWidths, 3> more{};
  out = {};
  std::uint64_t seen = 0;
  std::uint64_t i = 0;
  const auto width_at = [&](std::uint64_t at) { return std::bit_width(values[at] - base); };
  for (; i + 3 * step < count; i += 4 * step, seen += 4) {
    ++out[static_cast<unsigned>(width_at(i))];
    ++more[0][static_cast<unsigned>(width_at(i + step))];
    ++more[1][static_cast<unsigned>(width_at(i + 2 * step))];
    ++more[2][static_cast<unsigned>(width_at(i + 3 * step))];
  }
  for (; i < count; i += step, ++seen) ++out[static_cast<unsigned>(width_at(i))];
  for (const BlockWidths& table : more) {
    for (std::size_t width = 0; width < out.size(); ++width) out[width] += table[width];
  }
  return seen;
}

OTO_INLINE inline void differences(const std::uint64_t* values, std::uint64_t count,
                                   std::uint64_t* __restrict out) noexcept {
  for (std::uint64_t i = 1; i < count; ++i) out[i] = values[i] - values[i - 1];
}

using Four [[gnu::vector_size(32), gnu::aligned(8), gnu::may_alias]] = std::uint64_t;
using Eight [[gnu::vector_size(64), gnu::aligned(8), gnu::may_alias]] = std::uint64_t;

// Each lane becomes the sum of itself and those before it, by shifts of one, two and four lanes.
OTO_INLINE inline void sum_lanes(Four& in) noexcept {
  constexpr Four kNone{};
  in += __builtin_shufflevector(in, kNone, 4, 0, 4, 2);
  in += __builtin_shufflevector(in, kNone, 4, 4, 1, 1);
}
OTO_INLINE inline void sum_lanes(Eight& in) noexcept {
  constexpr Eight kNone{};
  in += __builtin_shufflevector(in, kNone, 8, 0, 1, 2, 3, 4, 5, 6);
  in += __builtin_shufflevector(in, kNone, 8, 8, 0, 1, 2, 3, 4, 5);
  in += __builtin_shufflevector(in, kNone, 8, 8, 8, 8, 0, 1, 2, 3);
}
OTO_INLINE inline void add_last(Four& to, const Four& of) noexcept {
  to += __builtin_shufflevector(of, of, 3, 3, 3, 3);
}
OTO_INLINE inline void add_last(Eight& to, const Eight& of) noexcept {
  to += __builtin_shufflevector(of, of, 7, 7, 7, 7, 7, 7, 7, 7);
}

// What came before a vector is one addition, so that vectors overlap.
template <typename Vector>
OTO_INLINE inline void sums(std::uint64_t* values, std::uint64_t count,
                            std::uint64_t before) noexcept {
  constexpr std::uint64_t lanes = sizeof(Vector) / sizeof(std::uint64_t);
  Vector carry = Vector{} + before;
  std::uint64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Vector sum;  // copied: as an argument of a template its type does not say how it is aligned
    std::memcpy(&sum, values + i, sizeof sum);
    sum_lanes(sum);
    const Vector out = sum + carry;
    std::memcpy(values + i, &out, sizeof out);
    add_last(carry, sum);
  }
  for (std::uint64_t sum = carry[0]; i < count; ++i) values[i] = sum += values[i];
}

OTO_INLINE inline void scale(std::uint64_t* values, std::uint64_t count, std::uint64_t factor,
                             std::uint64_t offset) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) values[i] = values[i] * factor + offset;
}

// Exact division is a product: with the inverse of the factor's odd part, wrapping, and a shift.
OTO_INLINE inline bool divide(const std::uint64_t* values, std::uint64_t count,
                              std::uint64_t factor, std::uint64_t offset,
                              std::uint64_t* __restrict out) noexcept {
  const int twos = std::countr_zero(factor);
  const std::uint64_t odd = factor >> twos;
  std::uint64_t inverse = odd;  // Newton's method doubles the bits that are right, 3 at first
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  const std::uint64_t sign = 1ull << (63 - twos);
  std::uint64_t low = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t distance = values[i] - offset;
    low |= distance;
    out[i] = (((distance * inverse) >> twos) ^ sign) - sign;
  }
  return (low & ((1ull << twos) - 1)) == 0;
}

// Calls `take` with every eight places and their values, and then `rest` with each of the last few.
// The values are summed up, not multiplied: that takes as long as a load.
template <typename Take, typename Rest>
OTO_INLINE inline void along_line(std::uint64_t count, std::uint64_t first, std::uint64_t step,
                                  Take take, Rest rest) noexcept {
  Eight value = first + step * Eight{0, 1, 2, 3, 4, 5, 6, 7};
  std::uint64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    take(i, value);
    value += 8 * step;
  }
  for (; i < count; ++i) rest(i, first + i * step);
}

OTO_INLINE inline void line(std::uint64_t first, std::uint64_t step, std::uint64_t count,
                            std::uint64_t* out) noexcept {
  along_line(
      count, first, step,
      [out](std::uint64_t i, const Eight& value)
          OTO_INLINE { *reinterpret_cast<Eight*>(out + i) = value; },
      [out](std::uint64_t i, std::uint64_t value) OTO_INLINE { out[i] = value; });
}

OTO_INLINE inline bool is_line(const std::uint64_t* values, std::uint64_t count,
                               std::uint64_t first, std::uint64_t step) noexcept {
  Eight differ{};
  std::uint64_t rest = 0;
  along_line(
      count, first, step,
      [&](std::uint64_t i, const Eight& value)
          OTO_INLINE { differ |= *reinterpret_cast<const Eight*>(values + i) ^ value; },
      [&](std::uint64_t i, std::uint64_t value) OTO_INLINE { rest |= values[i] ^ value; });
  for (unsigned lane = 0; lane < 8; ++lane) rest |= differ[lane];
  return rest == 0;
}

struct Loops {
  BlockRange (*range)(const std::uint64_t*, std::uint64_t) noexcept;
  std::uint64_t (*widths)(const std::uint64_t*, std::uint64_t, std::uint64_t, std::uint64_t,
                          BlockWidths&) noexcept;
  void (*differences)(const std::uint64_t*, std::uint64_t, std::uint64_t*) noexcept;
  void (*sums)(std::uint64_t*, std::uint64_t, std::uint64_t) noexcept;
  void (*scale)(std::uint64_t*, std::uint64_t, std::uint64_t, std::uint64_t) noexcept;
  bool (*divide)(const std::uint64_t*, std::uint64_t, std::uint64_t, std::uint64_t,
                 std::uint64_t*) noexcept;
  void (*line)(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t*) noexcept;
  bool (*is_line)(const std::uint64_t*, std::uint64_t, std::uint64_t, std::uint64_t) noexcept;
};

template <auto loop, typename Signature>
struct Compiled;
template <auto loop, typename Result, typename... Of>
struct Compiled<loop, Result (*)(Of...) noexcept> {
  static Result plain(Of... of) noexcept { return loop(of...); }
#ifdef __x86_64__
  __attribute__((target("avx2,lzcnt"))) static Result avx2(Of... of) noexcept {
    return loop(of...);
  }
  __attribute__((target("avx512f,avx512dq,avx512vl,lzcnt"))) static Result avx512(
      Of... of) noexcept {
    return loop(of...);
  }
#endif
};

template <auto loop>
using For = Compiled<loop, decltype(loop)>;

const Loops& loops() noexcept {
  static const Loops fastest = [] {
#ifdef __x86_64__
    if (has_avx512()) {
      return Loops{For<range>::avx512,       For<widths>::avx512, For<differences>::avx512,
                   For<sums<Eight>>::avx512, For<scale>::avx512,  For<divide>::avx512,
                   For<line>::avx512,        For<is_line>::avx512};
    }
    if (has_avx2()) {
      return Loops{For<range>::avx2,      For<widths>::avx2, For<differences>::avx2,
                   For<sums<Four>>::avx2, For<scale>::avx2,  For<divide>::avx2,
                   For<line>::avx2,       For<is_line>::avx2};
    }
#endif
    return Loops{For<range>::plain,      For<widths>::plain, For<differences>::plain,
                 For<sums<Four>>::plain, For<scale>::plain,  For<divide>::plain,
                 For<line>::plain,       For<is_line>::plain};
  }();
  return fastest;
}

}  // namespace

BlockRange block_range(const std::uint64_t* values, std::uint64_t count) noexcept {
  return loops().range(values, count);
}

std::uint64_t block_widths(const std::uint64_t* values, std::uint64_t count, std::uint64_t step,
                           std::uint64_t base, BlockWidths& out) noexcept {
  return loops().widths(values, count, step, base, out);
}

void block_differences(const std::uint64_t* values, std::uint64_t count,
                       std::uint64_t* out) noexcept {
  loops().differences(values, count, out);
}

void block_sums(std::uint64_t* values, std::uint64_t count, std::uint64_t before) noexcept {
  loops().sums(values, count, before);
}

void block_scale(std::uint64_t* values, std::uint64_t count, std::uint64_t factor,
                 std::uint64_t offset) noexcept {
  loops().scale(values, count, factor, offset);
}

bool block_divide(const std::uint64_t* values, std::uint64_t count, std::uint64_t factor,
                  std::uint64_t offset, std::uint64_t* out) noexcept {
  return loops().divide(values, count, factor, offset, out);
}

void block_line(std::uint64_t first, std::uint64_t step, std::uint64_t count,
                std::uint64_t* out) noexcept {
  loops().line(first, step, count, out);
}

bool block_is_line(const std::uint64_t* values, std::uint64_t count, std::uint64_t first,
                   std::uint64_t step) noexcept {
  return loops().is_line(values, count, first, step);
}

}  // namespace otolith::codec
