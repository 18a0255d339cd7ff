#include "codec/bits.h"

#include <algorithm>
#include <array>

#include "codec/bits_row.h"

namespace otolith::codec {

namespace {

// Compiled into each of its callers below, in vectors of theirs.
__attribute__((always_inline)) inline void pack_rows(const std::uint64_t* values,
                                                     std::uint64_t count, unsigned width,
                                                     std::uint64_t base, std::byte* out) noexcept {
  const std::uint64_t rows = (count + kLanes - 1) / kLanes;
  std::array<std::uint64_t, kLanes> last;
  std::fill(std::copy(values + count / kLanes * kLanes, values + count, last.begin()), last.end(),
            base);
  auto* to = reinterpret_cast<BitsRow*>(out);
  BitsRow word{};
  unsigned filled = 0;  // bits of `word`
  for (std::uint64_t row = 0; row < rows; ++row) {
    const std::uint64_t* from = (row + 1) * kLanes <= count ? values + row * kLanes : last.data();
    const BitsRow value = *reinterpret_cast<const BitsRow*>(from) - base;
    word |= value << filled;
    filled += width;
    if (filled < 64) continue;
    *to++ = word;
    filled -= 64;
    word = filled == 0 ? BitsRow{} : value >> (width - filled);
  }
  if (filled != 0) *to = word;
}

using Pack = void (*)(const std::uint64_t*, std::uint64_t, unsigned, std::uint64_t,
                      std::byte*) noexcept;

#ifdef __x86_64__
__attribute__((target("avx2"))) void pack_avx2(const std::uint64_t* values, std::uint64_t count,
                                               unsigned width, std::uint64_t base,
                                               std::byte* out) noexcept {
  pack_rows(values, count, width, base, out);
}

__attribute__((target("avx512f"))) void pack_avx512(const std::uint64_t* values,
                                                    std::uint64_t count, unsigned width,
                                                    std::uint64_t base, std::byte* out) noexcept {
  pack_rows(values, count, width, base, out);
}
#endif

Pack fastest_pack() noexcept {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") != 0) return pack_avx512;
  if (__builtin_cpu_supports("avx2") != 0) return pack_avx2;
#endif
  return pack_plain;
}

}  // namespace

void pack_plain(const std::uint64_t* values, std::uint64_t count, unsigned width,
                std::uint64_t base, std::byte* out) noexcept {
  pack_rows(values, count, width, base, out);
}

void pack(const std::uint64_t* values, std::uint64_t count, unsigned width, std::uint64_t base,
          std::byte* out) noexcept {
  static const Pack fastest = fastest_pack();
  if (width != 0) fastest(values, count, width, base, out);
}

void unpack_plain(const std::byte* in, std::uint64_t count, unsigned width, std::uint64_t base,
                  std::uint64_t* out) noexcept {
  const std::uint64_t rows = (count + kLanes - 1) / kLanes;
  if (width == 0) {
    std::fill_n(out, rows * kLanes, base);
    return;
  }
  const auto* from = reinterpret_cast<const BitsRow*>(in);
  auto* to = reinterpret_cast<BitsRow*>(out);
  const std::uint64_t mask = width_mask(width);
  unsigned shift = 0;
  for (std::uint64_t row = 0; row < rows; ++row) {
    BitsRow value = *from >> shift;
    shift += width;
    if (shift >= 64) {
      ++from;
      shift -= 64;
      if (shift != 0) value |= *from << (width - shift);
    }
    to[row] = (value & mask) + base;
  }
}

void unpack(const std::byte* in, std::uint64_t count, unsigned width, std::uint64_t base,
            std::uint64_t* out) noexcept {
  static const UnpackBlock* const blocks = unpack_blocks();
  if (blocks != nullptr && count == kBlockRows)
    blocks[width](in, base, out);
  else
    unpack_plain(in, count, width, base, out);
}

}  // namespace otolith::codec
