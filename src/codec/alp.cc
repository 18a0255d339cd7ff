#include "codec/alp.h"

#include <algorithm>

#include "codec/float_loops.h"
#include "codec/numbers.h"
#include "codec/select.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kCandidates = 4;      // pairs of exponents that a chunk tries per block
constexpr std::uint64_t kSampledRows = 32;  // of a block, to choose among them
constexpr std::uint64_t kRowsToGiveUp = 4;  // if no more than half of as many come back

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
  bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
              std::uint64_t* bits) const override;
  bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
              std::byte* out) const override;
};

// ---------------------------------------------------------------------------------------- analyze

// Bits that some values would take by these exponents; UINT64_MAX if that is no use, or not less
// than `most`.
template <typename Float>
std::uint64_t cost_of(std::span<const std::uint64_t> values, Exponents exponents,
                      std::uint64_t most) noexcept {
  const Decimals by(exponents);
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
  std::uint64_t exceptions = 0;
  std::uint64_t cost = 0;
  for (std::uint64_t i = 0; i < values.size(); ++i) {
    std::uint64_t n = 0;
    const double back = by.round_trip(float_as_double<Float>(values[i]), &n);
    if (float_bits<Float>(back) != values[i]) {
      if (++exceptions * 2 > i + 1 && i + 1 >= kRowsToGiveUp) return UINT64_MAX;
    } else {
      least = std::min(least, static_cast<std::int64_t>(n));
      greatest = std::max(greatest, static_cast<std::int64_t>(n));
    }
    if (least > greatest) continue;
    const auto range = static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least);
    cost = values.size() * static_cast<unsigned>(std::bit_width(range)) +
           exceptions * 8 * (sizeof(Float) + sizeof(std::uint16_t));
    if (cost >= most) return UINT64_MAX;
  }
  return least > greatest ? UINT64_MAX : cost;
}

// Some values of a block, evenly spread.
std::vector<std::uint64_t> sample_of(const std::uint64_t* values, std::uint64_t count) {
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
    const std::uint64_t cost = cost_of<Float>(values, by, least);
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
    const auto sample = sample_of(numbers_at(chunk, first, rows, values), rows);
    const Exponents best = cheapest<Float>(sample, all);
    if (cost_of<Float>(sample, best, sample.size() * sizeof(Float) * 8) != UINT64_MAX &&
        std::ranges::find(out, best) == out.end() && out.size() < kCandidates) {
      out.push_back(best);
    }
  }
  return out;
}

// ----------------------------------------------------------------------------------------- encode

template <typename Float>
std::byte* put_block(const std::uint64_t* values, std::uint64_t count,
                     std::span<const Exponents> of, std::byte* out) {
  if (of.empty()) return float_block_bits(values, count, out);
  const Exponents by = of.size() == 1 ? of.front() : cheapest<Float>(sample_of(values, count), of);
  FloatIntegers integers;
  FloatLoops<Float, Decimals>::to_integers(values, count, Decimals(by), integers);
  return float_block_encode(values, count, sizeof(Float), by, integers, out);
}

template <typename Float>
BlockPages pages_of(const Array& chunk) {
  return {.block_bytes_max = kFloatBlockBytesMax,
          .block = [candidates = candidates_of<Float>(chunk)](const std::uint64_t* values,
                                                              std::uint64_t count, std::byte* out) {
            return put_block<Float>(values, count, candidates, out);
          }};
}

BlockPages pages_of(const Array& chunk) {
  return chunk.type.kind == TypeKind::float64 ? pages_of<double>(chunk) : pages_of<float>(chunk);
}

std::optional<std::uint64_t> Alp::analyze(const Array& chunk) const {
  return blocks_estimate(chunk, pages_of(chunk));
}

EncodedChunk Alp::encode(const Array& chunk, std::uint32_t page_rows) const {
  return blocks_encode(chunk, page_rows, pages_of(chunk));
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Alp::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  return blocks_flaw(
      page.values.bytes, facts, [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
        return float_block_flaw(rest, count, type_width(facts.type), kExponentMax, taken);
      });
}

template <typename Float>
std::uint64_t decode_block(const std::byte* at, std::uint64_t count, std::byte* out) noexcept {
  return float_block_decode<Float>(at, count, out, [](Exponents by) { return Decimals(by); });
}

template <typename Float>
void decode_blocks(const std::byte* at, std::uint64_t rows, std::byte* out) noexcept {
  for_each_block(rows, [&](std::uint64_t first, std::uint64_t count) {
    at += decode_block<Float>(at, count, out + first * sizeof(Float));
  });
}

void Alp::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  if (facts.type.kind == TypeKind::float64)
    decode_blocks<double>(page.values.bytes.data(), facts.rows, to.values);
  else
    decode_blocks<float>(page.values.bytes.data(), facts.rows, to.values);
}

template <typename Float>
void select_blocks(const std::byte* at, std::uint64_t rows, const model::Criterion& test,
                   std::uint64_t* bits) {
  std::optional<Exponents> by;  // of the block before
  IntegerTest asked;
  const auto test_by = [&](Exponents of) -> const IntegerTest& {
    if (by != of) by = of, asked = float_test<Float>(test, Decimals(of));
    return asked;
  };
  for_each_block(rows, [&](std::uint64_t first, std::uint64_t count) {
    at += float_block_select<Float>(at, count, test, bits + first / 64, test_by);
  });
}

bool Alp::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                 std::uint64_t* bits) const {
  if (!is_selectable(test)) return false;
  if (facts.type.kind == TypeKind::float64)
    select_blocks<double>(page.values.bytes.data(), facts.rows, test, bits);
  else
    select_blocks<float>(page.values.bytes.data(), facts.rows, test, bits);
  return true;
}

bool Alp::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                 std::byte* out) const {
  float_blocks_gather(page.values.bytes.data(), facts, rows, out,
                      [wide = facts.type.kind == TypeKind::float64](
                          const std::byte* at, std::uint64_t count, std::byte* to) {
                        return wide ? decode_block<double>(at, count, to)
                                    : decode_block<float>(at, count, to);
                      });
  return true;
}

}  // namespace

const Codec& alp_codec() noexcept {
  static const Alp codec;
  return codec;
}

}  // namespace otolith::codec
