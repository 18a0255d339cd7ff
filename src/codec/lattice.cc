#include "codec/lattice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "codec/decades.h"
#include "codec/float_loops.h"
#include "codec/numbers.h"
#include "codec/select.h"
#include "codec/steps.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kPageHeadBytes = sizeof(double);
constexpr std::uint64_t kProbesPerBlock = 32;
constexpr std::size_t kLeastMagnitudes = 16;
constexpr std::uint64_t kFewProbes = 16;       // one in so many may be off the lattice
constexpr std::uint64_t kProbesToGiveUp = 64;  // if more than a few among them are off it
constexpr double kAnyStep = 1;                 // where none was found
constexpr double kNoStep = 0x1p-26;            // of the greatest value: rounding hides smaller ones

class Lattice final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::lattice, 1}; }
  std::string_view name() const noexcept override { return "lattice"; }
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

// A magnitude that is not 0 as odd * 2^exponent.
struct Dyadic {
  std::uint64_t odd = 1;
  int exponent = 0;
};

Dyadic dyadic_of(double magnitude) noexcept {
  int exponent = 0;
  const auto whole = static_cast<std::uint64_t>(std::frexp(magnitude, &exponent) * 0x1p53);
  const int zeros = std::countr_zero(whole);
  return {whole >> zeros, exponent - 53 + zeros};
}

// Values of the sampled blocks, as doubles; neither 0 nor NaN nor infinite.
struct Sample {
  std::vector<double> probes;
  std::vector<double> least;  // magnitudes, ascending; as `greatest` not far from the median
  double greatest = 0;        // magnitude
};
constexpr double kFarAbove = 16;
constexpr double kFarBelow = 0x1p-16;

bool counts(double value) noexcept { return std::isfinite(value) && value != 0; }

template <typename Float>
std::vector<double> probes_of(const Array& chunk) {
  std::vector<double> out;
  alignas(64) BlockValues room;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    const std::uint64_t* values = numbers_at(chunk, first, rows, room);
    const std::uint64_t every = std::max<std::uint64_t>(1, rows / kProbesPerBlock);
    for (std::uint64_t i = 0; i < rows; i += every) {
      const double value = float_as_double<Float>(values[i]);
      if (counts(value)) out.push_back(value);
    }
  }
  return out;
}

double median_magnitude(std::vector<double> of) {
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::ranges::nth_element(of, middle, {}, [](double value) { return std::abs(value); });
  return std::abs(*middle);
}

// Keeps the few least values, ascending.
__attribute__((noinline)) void put_least(std::vector<double>& least, double value) {
  if (least.size() == kLeastMagnitudes) least.pop_back();
  least.insert(std::ranges::upper_bound(least, value), value);
}

// Bounds from all values of the blocks, not from probes only: the least magnitudes are rare. In two
// loops, neither of which waits for the other's branches.
template <typename Float>
Sample sample_of(const Array& chunk) {
  Sample out{.probes = probes_of<Float>(chunk), .least = {}};
  if (out.probes.empty()) return out;
  const double median = median_magnitude(out.probes);
  const double most = std::min(median * kFarAbove, std::numeric_limits<double>::max());
  const double fewest = std::max(median * kFarBelow, std::numeric_limits<double>::denorm_min());
  alignas(64) BlockValues room;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    const std::uint64_t* values = numbers_at(chunk, first, rows, room);
    double greatest = 0;
    for (std::uint64_t i = 0; i < rows; ++i) {
      const double value = std::abs(float_as_double<Float>(values[i]));
      greatest = std::max(greatest, value <= most ? value : 0);
    }
    out.greatest = std::max(out.greatest, greatest);
    double bound = out.least.size() < kLeastMagnitudes ? most : std::nextafter(out.least.back(), 0);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const double value = std::abs(float_as_double<Float>(values[i]));
      if (!(value <= bound && value >= fewest)) continue;
      put_least(out.least, value);
      if (out.least.size() == kLeastMagnitudes) bound = std::nextafter(out.least.back(), 0);
    }
  }
  return out;
}

// The powers of two that all probes, and all but a few, are multiples of.
void put_powers(const Sample& sample, std::vector<double>& steps) {
  std::vector<int> exponents;
  for (const double probe : sample.probes) exponents.push_back(dyadic_of(std::abs(probe)).exponent);
  const auto few = exponents.begin() + static_cast<std::ptrdiff_t>(exponents.size() / kFewProbes);
  std::ranges::nth_element(exponents, few);
  steps.push_back(std::ldexp(1.0, *std::min_element(exponents.begin(), few + 1)));
  steps.push_back(std::ldexp(1.0, *few));
}

// The greatest step that the least magnitudes are exact multiples of: with 53 bits at most in k,
// these alone were not rounded.
void put_divisor(const Sample& sample, std::vector<double>& steps) {
  int exponent = INT32_MAX;
  for (const double least : sample.least) exponent = std::min(exponent, dyadic_of(least).exponent);
  std::uint64_t divisor = 0;
  for (const double least : sample.least) {
    const Dyadic value = dyadic_of(least);
    const int shift = value.exponent - exponent;
    if (shift < std::countl_zero(value.odd)) divisor = std::gcd(divisor, value.odd << shift);
  }
  if (divisor > 1) steps.push_back(std::ldexp(static_cast<double>(divisor), exponent));
}

// Steps of fractions of 53 bits times a bound of few decimal digits.
void put_bounds(const Sample& sample, std::vector<double>& steps) {
  constexpr int kDigitsMax = 4;
  const double greatest = sample.greatest;
  const int digits_before = digits_before_point(greatest);
  for (int digits = 1; digits <= kDigitsMax; ++digits) {
    const int decimals = digits - digits_before;
    const double unit = power_of_ten(std::abs(decimals));
    const double bound = decimals >= 0
                             ? std::ceil(greatest * unit) / unit  // a decimal once rounded
                             : std::ceil(greatest / unit) * unit;
    steps.push_back(bound * 0x1p-53);
  }
}

// The greatest step that some values are multiples of, to within rounding: Euclid's algorithm.
double common_step(std::span<const double> values, double greatest) noexcept {
  const double nothing = greatest * kNoStep;
  double step = greatest;
  for (const double value : values) {
    double rest = std::abs(value);
    while (rest > nothing) step = std::exchange(rest, std::abs(std::remainder(step, rest)));
    if (step <= nothing) return 0;
    step = greatest / std::rint(greatest / step);  // as exact as the greatest is
  }
  return step;
}

// Steps of integers that have few digits beside their floats. A few values that are no multiples
// spoil some of the tries; each gives the neighbours of what it finds, too.
void put_common(const Sample& sample, std::vector<double>& steps) {
  constexpr std::size_t kTries = 4;
  constexpr std::size_t kValues = 8;
  constexpr int kNeighbours = 2;
  for (std::size_t at = 0; at < std::min(sample.probes.size(), kTries * kValues); at += kValues) {
    const auto some =
        std::span(sample.probes).subspan(at, std::min(kValues, sample.probes.size() - at));
    double step = common_step(some, sample.greatest);
    if (step == 0) continue;
    for (int i = 0; i < kNeighbours; ++i) step = std::nextafter(step, 0);
    for (int i = -kNeighbours; i <= kNeighbours; ++i) {
      steps.push_back(step);
      step = std::nextafter(step, HUGE_VAL);
    }
  }
}

// Bits that the probes would take, where that is less than `most`; otherwise no less than it.
template <typename Float>
std::uint64_t cost_of(const Sample& sample, double step, std::uint64_t most) noexcept {
  const Steps by{step};
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
  std::uint64_t exceptions = 0;
  std::uint64_t seen = 0;
  for (const double probe : sample.probes) {
    ++seen;
    std::uint64_t k = 0;
    if (float_bits<Float>(by.round_trip(probe, &k)) != float_bits<Float>(probe)) {
      if (++exceptions * kFewProbes > seen + kProbesToGiveUp) return most;
      continue;
    }
    least = std::min(least, static_cast<std::int64_t>(k));
    greatest = std::max(greatest, static_cast<std::int64_t>(k));
  }
  if (exceptions == sample.probes.size()) return most;
  const auto range = static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least);
  return sample.probes.size() * static_cast<unsigned>(std::bit_width(range)) +
         exceptions * 8 * (sizeof(Float) + sizeof(std::uint16_t));
}

// The step that suits a chunk; 0 if none makes it smaller.
template <typename Float>
double step_of(const Array& chunk) {
  const Sample sample = sample_of<Float>(chunk);
  if (sample.probes.empty()) return 0;
  std::vector<double> steps;
  put_powers(sample, steps);
  put_divisor(sample, steps);
  put_bounds(sample, steps);
  put_common(sample, steps);
  double best = 0;
  std::uint64_t least = sample.probes.size() * sizeof(Float) * 8;
  for (auto at = steps.begin(); at != steps.end(); ++at) {
    const double step = *at;
    if (!std::isnormal(step) || std::find(steps.begin(), at, step) != at) continue;
    const std::uint64_t cost = cost_of<Float>(sample, step, least);
    if (cost < least) best = step, least = cost;
  }
  return best;
}

double step_of(const Array& chunk) {
  return chunk.type.kind == TypeKind::float64 ? step_of<double>(chunk) : step_of<float>(chunk);
}

// ----------------------------------------------------------------------------------------- encode

template <typename Float>
std::byte* put_block(const std::uint64_t* values, std::uint64_t count, double step,
                     std::byte* out) noexcept {
  FloatIntegers integers;
  FloatLoops<Float, Steps>::to_integers(values, count, {step}, integers);
  return float_block_encode(values, count, sizeof(Float), {}, integers, out);
}

BlockPages pages_of(Type type, const double& step) {
  return {.block_bytes_max = kFloatBlockBytesMax,
          .head = std::as_bytes(std::span(&step, 1)),
          .block = [wide = type.kind == TypeKind::float64, step](
                       const std::uint64_t* values, std::uint64_t count, std::byte* out) {
            return wide ? put_block<double>(values, count, step, out)
                        : put_block<float>(values, count, step, out);
          }};
}

std::optional<std::uint64_t> Lattice::analyze(const Array& chunk) const {
  const double step = step_of(chunk);
  if (step == 0) return std::nullopt;
  return blocks_estimate(chunk, pages_of(chunk.type, step));
}

EncodedChunk Lattice::encode(const Array& chunk, std::uint32_t page_rows) const {
  const double found = step_of(chunk);
  const double step = found == 0 ? kAnyStep : found;
  return blocks_encode(chunk, page_rows, pages_of(chunk.type, step));
}

// ----------------------------------------------------------------------------------------- decode

std::string_view Lattice::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  const BytesView bytes = page.values.bytes;
  if (bytes.size() < kPageHeadBytes) return "it is cut short";
  const auto step = load_le<double>(bytes.data());
  if (!std::isnormal(step) || step < 0) return "its step is impossible";
  return blocks_flaw(bytes.subspan(kPageHeadBytes), facts,
                     [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
                       return float_block_flaw(rest, count, type_width(facts.type), 0, taken);
                     });
}

template <typename Float>
std::uint64_t decode_block(const std::byte* at, std::uint64_t count, Steps by,
                           std::byte* out) noexcept {
  return float_block_decode<Float>(at, count, out, [by](Exponents) { return by; });
}

Steps steps_of(const Parts& page) noexcept { return {load_le<double>(page.values.bytes.data())}; }

template <typename Float>
void decode_blocks(const Parts& page, std::uint64_t rows, std::byte* out) noexcept {
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  for_each_block(rows, [&, by = steps_of(page)](std::uint64_t first, std::uint64_t count) {
    at += decode_block<Float>(at, count, by, out + first * sizeof(Float));
  });
}

void Lattice::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  if (facts.type.kind == TypeKind::float64)
    decode_blocks<double>(page, facts.rows, to.values);
  else
    decode_blocks<float>(page, facts.rows, to.values);
}

template <typename Float>
void select_blocks(const Parts& page, std::uint64_t rows, const model::Criterion& test,
                   std::uint64_t* bits) {
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  const auto asked = float_test<Float>(test, steps_of(page));
  for_each_block(rows, [&](std::uint64_t first, std::uint64_t count) {
    at += float_block_select<Float>(at, count, test, bits + first / 64,
                                    [&](Exponents) -> const IntegerTest& { return asked; });
  });
}

bool Lattice::select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                     std::uint64_t* bits) const {
  if (!is_selectable(test)) return false;
  if (facts.type.kind == TypeKind::float64)
    select_blocks<double>(page, facts.rows, test, bits);
  else
    select_blocks<float>(page, facts.rows, test, bits);
  return true;
}

bool Lattice::gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                     std::byte* out) const {
  float_blocks_gather(page.values.bytes.data() + kPageHeadBytes, facts, rows, out,
                      [by = steps_of(page), wide = facts.type.kind == TypeKind::float64](
                          const std::byte* at, std::uint64_t count, std::byte* to) {
                        return wide ? decode_block<double>(at, count, by, to)
                                    : decode_block<float>(at, count, by, to);
                      });
  return true;
}

}  // namespace

const Codec& lattice_codec() noexcept {
  static const Lattice codec;
  return codec;
}

}  // namespace otolith::codec
