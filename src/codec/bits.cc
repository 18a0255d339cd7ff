#include "codec/bits.h"

#include <algorithm>
#include <array>

#include "base/vectors.h"
#include "codec/bits_row.h"

namespace otolith::codec {

namespace {

// Compiled into each of its callers below, in vectors of theirs.
OTO_INLINE inline void pack_rows(const std::uint64_t* values, std::uint64_t count, unsigned width,
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

OTO_INLINE inline void unpack_to(const std::byte* in, std::uint64_t count, unsigned width,
                                 std::uint64_t base, std::uint64_t* out) noexcept {
  auto* to = reinterpret_cast<BitsRow*>(out);
  unpack_rows(in, (count + kLanes - 1) / kLanes, width, base,
              [to](std::uint64_t row, const BitsRow& value) OTO_INLINE { to[row] = value; });
}

using Pack = void (*)(const std::uint64_t*, std::uint64_t, unsigned, std::uint64_t,
                      std::byte*) noexcept;
using Unpack = void (*)(const std::byte*, std::uint64_t, unsigned, std::uint64_t,
                        std::uint64_t*) noexcept;

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

__attribute__((target("avx512f"))) void unpack_avx512(const std::byte* in, std::uint64_t count,
                                                      unsigned width, std::uint64_t base,
                                                      std::uint64_t* out) noexcept {
  unpack_to(in, count, width, base, out);
}

Pack fastest_pack() noexcept {
  if (has_avx512()) return pack_avx512;
  return has_avx2() ? pack_avx2 : pack_plain;
}
#else
constexpr Unpack unpack_avx512 = nullptr;

Pack fastest_pack() noexcept { return pack_plain; }
#endif

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
  unpack_to(in, count, width, base, out);
}

void unpack(const std::byte* in, std::uint64_t count, unsigned width, std::uint64_t base,
            std::uint64_t* out) noexcept {
  static const Unpack any_width = has_avx512() ? unpack_avx512 : unpack_plain;
  static const UnpackBlock* const blocks = has_avx512() ? nullptr : unpack_blocks();
  if (blocks != nullptr && count == kBlockRows)
    blocks[width](in, base, out);
  else
    any_width(in, count, width, base, out);
}

}  // namespace otolith::codec
