#include "codec/alp.h"

#include <algorithm>

#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/decimals.h"
#include "codec/exceptions.h"
#include "codec/numbers.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint8_t kBits = 0;
constexpr std::uint8_t kDecimals = 1;
constexpr unsigned kDecimalsOrderMax = 1;
constexpr std::size_t kCandidates = 4;      // pairs of exponents that a chunk tries per block
constexpr std::uint64_t kSampledRows = 32;  // of a block, to choose among them

class Alp final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::alp, 1}; }
  std::string_view name() const noexcept override { return "alp"; }
  bool fits(Type type) const noexcept override {
    return type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
};

template <typename Float>
using BitsOf = std::conditional_t<sizeof(Float) == 8, std::uint64_t, std::uint32_t>;

template <typename Float>
Float float_of(std::uint64_t bits) noexcept {
  return std::bit_cast<Float>(static_cast<BitsOf<Float>>(bits));
}

// ---------------------------------------------------------------------------------------- analyze

// The integer of a float by these exponents, and whether it comes back to the bit.
template <typename Float>
bool to_integer(std::uint64_t bits, Exponents by, std::uint64_t* n) noexcept {
  bool fits = false;
  *n = decimal_integer(double{float_of<Float>(bits)}, by, &fits);
  const double back = decimal_value(*n, kTens[by.f], kTenths[by.e]);
  if (mutant("alp-bits-unchecked")) return fits;
  return fits &&
         std::bit_cast<BitsOf<Float>>(static_cast<Float>(back)) == static_cast<BitsOf<Float>>(bits);
}

// Bits that some values would take by these exponents.
template <typename Float>
std::uint64_t cost_of(std::span<const std::uint64_t> values, Exponents by) noexcept {
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
  std::uint64_t exceptions = 0;
  for (const std::uint64_t bits : values) {
    std::uint64_t n = 0;
    if (!to_integer<Float>(bits, by, &n)) {
      ++exceptions;
      continue;
    }
    least = std::min(least, static_cast<std::int64_t>(n));
    greatest = std::max(greatest, static_cast<std::int64_t>(n));
  }
  const std::uint64_t range = exceptions == values.size() ? 0
                                                          : static_cast<std::uint64_t>(greatest) -
                                                                static_cast<std::uint64_t>(least);
  return values.size() * static_cast<unsigned>(std::bit_width(range)) +
         exceptions * 8 * (sizeof(Float) + sizeof(std::uint16_t));
}

// Some values of a block, evenly spread.
std::vector<std::uint64_t> sample_of(const BlockValues& values, std::uint64_t count) {
  std::vector<std::uint64_t> out;
  const std::uint64_t rows = std::min(count, kSampledRows);
  for (std::uint64_t i = 0; i < rows; ++i) out.push_back(values[i * count / rows]);
  return out;
}

template <typename Float>
Exponents cheapest(std::span<const std::uint64_t> values, std::span<const Exponents> of) noexcept {
  Exponents best = of.front();
  std::uint64_t least = UINT64_MAX;
  for (const Exponents by : of) {
    const std::uint64_t cost = of.size() == 1 ? 0 : cost_of<Float>(values, by);
    if (cost < least) best = by, least = cost;
  }
  return best;
}

// The exponents that suit a chunk: the best of each sampled block, none twice. Empty if decimals
// are no help.
template <typename Float>
std::vector<Exponents> candidates_of(const Array& chunk) {
  std::vector<Exponents> all;
  for (std::uint8_t e = 0; e <= kExponentMax; ++e) {
    for (std::uint8_t f = 0; f <= e; ++f) all.push_back({e, f});
  }
  std::vector<Exponents> out;
  BlockValues values;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    numbers_load(chunk, first, rows, values);
    const auto sample = sample_of(values, rows);
    const Exponents best = cheapest<Float>(sample, all);
    const auto same = [&](Exponents by) { return by.e == best.e && by.f == best.f; };
    if (cost_of<Float>(sample, best) < sample.size() * sizeof(Float) * 8 &&
        std::ranges::none_of(out, same) && out.size() < kCandidates) {
      out.push_back(best);
    }
  }
  return out;
}

// ----------------------------------------------------------------------------------------- encode

void put_head(std::uint8_t scheme, Exponents by, std::uint64_t exceptions, ByteWriter& out) {
  out.put(scheme);
  out.put(by.e);
  out.put(by.f);
  out.put_zeros(1);
  out.put(static_cast<std::uint16_t>(exceptions));
  out.put_zeros(2);
}

// Returns how many do not come back.
template <typename Float>
std::uint64_t put_decimals(const BlockValues& values, std::uint64_t count, Exponents by,
                           ByteWriter& out) {
  BlockValues integers;
  BlockPlaces places;
  std::uint64_t exceptions = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool back = to_integer<Float>(values[i], by, &integers[i]);
    places[exceptions] = static_cast<std::uint16_t>(i);
    exceptions += back ? 0 : 1;
  }
  const auto odd = std::span(places).first(exceptions);
  exceptions_level(integers, count, odd);
  put_head(kDecimals, by, exceptions, out);
  block_encode(integers, count, kDecimalsOrderMax, out);
  exceptions_put(values, odd, sizeof(Float), out);
  return exceptions;
}

template <typename Float>
void put_floats(const BlockValues& values, std::uint64_t count, std::span<const Exponents> of,
                ByteWriter& out) {
  ByteWriter decimals;
  if (!of.empty()) {
    const Exponents by = cheapest<Float>(sample_of(values, count), of);
    const std::uint64_t exceptions = put_decimals<Float>(values, count, by, decimals);
    if (exceptions * kExceptionsWorth <= count) return out.put_bytes(decimals.view());
  }
  ByteWriter bits;
  put_head(kBits, {}, 0, bits);
  block_encode(values, count, 0, bits);
  out.put_bytes(!of.empty() && decimals.size() <= bits.size() ? decimals.view() : bits.view());
}

RowsEncoder block_of(const Array& chunk) {
  const bool wide = chunk.type.kind == TypeKind::float64;
  return [wide, candidates = wide ? candidates_of<double>(chunk) : candidates_of<float>(chunk)](
             const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
    BlockValues values;
    numbers_load(of, first, count, values);
    if (wide)
      put_floats<double>(values, count, candidates, out);
    else
      put_floats<float>(values, count, candidates, out);
  };
}

// ----------------------------------------------------------------------------------------- decode

std::string_view float_block_flaw(BytesView bytes, std::uint64_t count, std::uint32_t width,
                                  std::uint64_t* taken) noexcept {
  if (bytes.size() < kHeadBytes) return "a block is cut short";
  const auto scheme = load_le<std::uint8_t>(&bytes[0]);
  const auto e = load_le<std::uint8_t>(&bytes[1]);
  const auto f = load_le<std::uint8_t>(&bytes[2]);
  const auto exceptions = load_le<std::uint16_t>(&bytes[4]);
  if (scheme > kDecimals || e > kExponentMax || f > e || exceptions > count ||
      (scheme == kBits && (e != 0 || exceptions != 0))) {
    return "the head of a block is impossible";
  }
  if (bytes[3] != std::byte{0} || load_le<std::uint16_t>(&bytes[6]) != 0)
    return "a reserved byte of a block is not zero";
  std::uint64_t integers = 0;
  const unsigned order_max = scheme == kDecimals ? kDecimalsOrderMax : 0;
  if (const auto wrong = block_flaw(bytes.subspan(kHeadBytes), count, order_max, &integers);
      !wrong.empty()) {
    return wrong;
  }
  std::uint64_t odd = 0;
  const auto wrong =
      exceptions_flaw(bytes.subspan(kHeadBytes + integers), exceptions, width, count, &odd);
  *taken = kHeadBytes + integers + odd;
  return wrong;
}

#ifdef __x86_64__
#define OTO_INLINE __attribute__((always_inline)) inline
#else
#define OTO_INLINE inline
#endif

template <typename Float>
OTO_INLINE void to_floats(const std::uint64_t* integers, std::uint64_t count, double tens,
                          double tenths, std::byte* out) noexcept {
  for (std::uint64_t i = 0; i < count; ++i)
    store_le(out + i * sizeof(Float), static_cast<Float>(decimal_value(integers[i], tens, tenths)));
}

template <typename Float>
using ToFloats = void (*)(const std::uint64_t*, std::uint64_t, double, double, std::byte*) noexcept;

template <typename Float>
void to_floats_plain(const std::uint64_t* integers, std::uint64_t count, double tens, double tenths,
                     std::byte* out) noexcept {
  to_floats<Float>(integers, count, tens, tenths, out);
}

#ifdef __x86_64__
// The same operations on longer vectors: the same bits.
template <typename Float>
__attribute__((target("avx2"))) void to_floats_avx2(const std::uint64_t* integers,
                                                    std::uint64_t count, double tens, double tenths,
                                                    std::byte* out) noexcept {
  to_floats<Float>(integers, count, tens, tenths, out);
}
#endif

template <typename Float>
ToFloats<Float> fastest_to_floats() noexcept {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") != 0) return to_floats_avx2<Float>;
#endif
  return to_floats_plain<Float>;
}

// Returns the bytes of the block.
template <typename Float>
std::uint64_t decode_block(const std::byte* bytes, std::uint64_t count, std::byte* out) noexcept {
  static const ToFloats<Float> convert = fastest_to_floats<Float>();
  alignas(64) BlockValues integers;
  const std::uint64_t taken = block_decode(bytes + kHeadBytes, count, integers.data());
  if (load_le<std::uint8_t>(bytes) == kBits) {
    numbers_store(integers.data(), count, sizeof(Float), out);
    return kHeadBytes + taken;
  }
  const auto e = load_le<std::uint8_t>(bytes + 1);
  const auto f = load_le<std::uint8_t>(bytes + 2);
  convert(integers.data(), count, kTens[f], kTenths[e], out);
  const auto exceptions = load_le<std::uint16_t>(bytes + 4);
  const std::byte* odd = bytes + kHeadBytes + taken;
  return kHeadBytes + taken + exceptions_restore(odd, exceptions, sizeof(Float), out);
}

std::optional<std::uint64_t> Alp::analyze(const Array& chunk) const {
  return blocks_estimate(chunk, block_of(chunk));
}

EncodedChunk Alp::encode(const Array& chunk, std::uint32_t page_rows) const {
  return blocks_encode(chunk, page_rows, block_of(chunk));
}

std::string_view Alp::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  return blocks_flaw(page.values.bytes, facts,
                     [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
                       return float_block_flaw(rest, count, type_width(facts.type), taken);
                     });
}

void Alp::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const std::byte* at = page.values.bytes.data();
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += facts.type.kind == TypeKind::float64
              ? decode_block<double>(at, count, to.values + first * sizeof(double))
              : decode_block<float>(at, count, to.values + first * sizeof(float));
  });
}

}  // namespace

const Codec& alp_codec() noexcept {
  static const Alp codec;
  return codec;
}

}  // namespace otolith::codec
