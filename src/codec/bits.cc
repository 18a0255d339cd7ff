#include "codec/bits.h"

#include <algorithm>
#include <array>

#include "codec/bits_row.h"

namespace otolith::codec {

void pack(const std::uint64_t* values, std::uint64_t count, unsigned width, std::uint64_t base,
          std::byte* out) noexcept {
  if (width == 0) return;
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
