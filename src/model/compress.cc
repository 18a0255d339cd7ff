#include "model/compress.h"

#include <bit>
#include <cstring>

#include "base/vectors.h"
#include "model/array.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace otolith::model {

namespace {

using Words = std::span<const std::uint64_t>;

template <std::size_t kWidth>
void compress_of(const std::byte* values, Words rows, std::byte* out) noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::byte* const from = values + i * 64 * kWidth;
    if (rows[i] == ~0ull) {
      std::memcpy(out, from, 64 * kWidth);
      out += 64 * kWidth;
      continue;
    }
    for (std::uint64_t word = rows[i]; word != 0; word &= word - 1) {
      std::memcpy(out, from + static_cast<unsigned>(std::countr_zero(word)) * kWidth, kWidth);
      out += kWidth;
    }
  }
}

#ifdef __x86_64__
// A store of a whole vector writes over what comes next, and so is not the last of all.
__attribute__((target("avx512f"))) void compress_8_avx512(const std::byte* values, Words rows,
                                                          std::byte* out) noexcept {
  std::uint64_t left = 0;
  for (const std::uint64_t word : rows) left += static_cast<unsigned>(std::popcount(word));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      const auto mask = static_cast<__mmask8>(rows[i] >> shift);
      if (mask == 0) continue;
      const __m512i picked = _mm512_maskz_compress_epi64(
          mask, _mm512_maskz_loadu_epi64(mask, values + (i * 64 + shift) * 8));
      if (left >= 8)
        _mm512_storeu_si512(out, picked);
      else
        _mm512_mask_storeu_epi64(out, static_cast<__mmask8>((1u << left) - 1), picked);
      const auto count = static_cast<unsigned>(std::popcount(static_cast<unsigned>(mask)));
      out += count * 8;
      left -= count;
    }
  }
}

__attribute__((target("avx512f"))) void compress_4_avx512(const std::byte* values, Words rows,
                                                          std::byte* out) noexcept {
  std::uint64_t left = 0;
  for (const std::uint64_t word : rows) left += static_cast<unsigned>(std::popcount(word));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (unsigned shift = 0; shift < 64; shift += 16) {
      const auto mask = static_cast<__mmask16>(rows[i] >> shift);
      if (mask == 0) continue;
      const __m512i picked = _mm512_maskz_compress_epi32(
          mask, _mm512_maskz_loadu_epi32(mask, values + (i * 64 + shift) * 4));
      if (left >= 16)
        _mm512_storeu_si512(out, picked);
      else
        _mm512_mask_storeu_epi32(out, static_cast<__mmask16>((1u << left) - 1), picked);
      const auto count = static_cast<unsigned>(std::popcount(static_cast<unsigned>(mask)));
      out += count * 4;
      left -= count;
    }
  }
}
#endif

}  // namespace

void values_compress(const std::byte* values, std::uint32_t width, Words rows,
                     std::byte* out) noexcept {
#ifdef __x86_64__
  if (width == 8 && has_avx512()) return compress_8_avx512(values, rows, out);
  if (width == 4 && has_avx512()) return compress_4_avx512(values, rows, out);
#endif
  switch (width) {
    case 1:
      return compress_of<1>(values, rows, out);
    case 2:
      return compress_of<2>(values, rows, out);
    case 4:
      return compress_of<4>(values, rows, out);
    case 8:
      return compress_of<8>(values, rows, out);
    default:
      return compress_of<16>(values, rows, out);
  }
}

void bits_compress(BytesView bits, Words rows, std::byte* out, std::uint64_t at) noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::uint64_t word = rows[i]; word != 0; word &= word - 1) {
      const std::uint64_t row = i * 64 + static_cast<unsigned>(std::countr_zero(word));
      const unsigned valid = bitmap_get(bits, row) ? 1 : 0;
      out[at / 8] |= static_cast<std::byte>(valid << (at % 8));
      ++at;
    }
  }
}

}  // namespace otolith::model
