#include "codec/split_loops.h"

#ifdef __x86_64__
#include <immintrin.h>

#include "base/vectors.h"
#endif

namespace otolith::codec {

namespace {

using Floats = void (*)(std::uint64_t*, std::uint64_t, const Split&) noexcept;

#ifdef __x86_64__

// Upper parts lie within one half of 64 bits: the halves are looked up, the other one masked away.
__attribute__((target("avx2"))) void floats_avx2(std::uint64_t* words, std::uint64_t count,
                                                 const Split& split) noexcept {
  const int half = split.right >= 32 ? 32 : 0;
  alignas(32) std::array<std::uint32_t, kUpperPartsMax> parts;
  for (std::size_t entry = 0; entry < kUpperPartsMax; ++entry)
    parts[entry] = static_cast<std::uint32_t>(split.upper[entry] >> half);
  const auto* halves = reinterpret_cast<const __m256i*>(parts.data());
  const __m256i first = _mm256_load_si256(halves);
  const __m256i second = _mm256_load_si256(halves + 1);
  const __m128i right = _mm_cvtsi32_si128(static_cast<int>(split.right));
  const __m128i shift = _mm_cvtsi32_si128(half);
  const __m256i lower = _mm256_set1_epi64x(static_cast<long long>((1ull << split.right) - 1));
  const __m256i here = _mm256_set1_epi64x(static_cast<long long>(0xffff'ffffull << half));
  std::uint64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    auto* at = reinterpret_cast<__m256i*>(words + i);
    const __m256i word = _mm256_loadu_si256(at);
    const __m256i code = _mm256_srl_epi64(word, right);
    const __m256i place = _mm256_sll_epi64(code, shift);
    const __m256d eight = _mm256_castsi256_pd(_mm256_slli_epi64(code, 60));  // its bit to the sign
    const __m256d one = _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(first, place));
    const __m256d other = _mm256_castsi256_pd(_mm256_permutevar8x32_epi32(second, place));
    const __m256i part =
        _mm256_and_si256(_mm256_castpd_si256(_mm256_blendv_pd(one, other, eight)), here);
    _mm256_storeu_si256(at, _mm256_or_si256(part, _mm256_and_si256(word, lower)));
  }
  split_floats_plain(words + i, count - i, split);
}

__attribute__((target("avx512f"))) void floats_avx512(std::uint64_t* words, std::uint64_t count,
                                                      const Split& split) noexcept {
  const __m512i first = _mm512_loadu_si512(split.upper.data());
  const __m512i second = _mm512_loadu_si512(split.upper.data() + 8);
  const __m128i right = _mm_cvtsi32_si128(static_cast<int>(split.right));
  const __m512i lower = _mm512_set1_epi64(static_cast<long long>((1ull << split.right) - 1));
  std::uint64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m512i word = _mm512_loadu_si512(words + i);
    const __m512i part = _mm512_permutex2var_epi64(first, _mm512_srl_epi64(word, right), second);
    constexpr int kLowerOrPart = 0xea;  // word & lower | part
    _mm512_storeu_si512(words + i, _mm512_ternarylogic_epi64(word, lower, part, kLowerOrPart));
  }
  split_floats_plain(words + i, count - i, split);
}

Floats fastest_floats() noexcept {
  if (has_avx512()) return floats_avx512;
  return has_avx2() ? floats_avx2 : split_floats_plain;
}

#else

Floats fastest_floats() noexcept { return split_floats_plain; }

#endif

}  // namespace

void split_floats(std::uint64_t* words, std::uint64_t count, const Split& split) noexcept {
  static const Floats fastest = fastest_floats();
  fastest(words, count, split);
}

void split_floats_plain(std::uint64_t* words, std::uint64_t count, const Split& split) noexcept {
  const std::uint64_t lower = (1ull << split.right) - 1;
  for (std::uint64_t i = 0; i < count; ++i)
    words[i] = split.upper[(words[i] >> split.right) % kUpperPartsMax] | (words[i] & lower);
}

}  // namespace otolith::codec
