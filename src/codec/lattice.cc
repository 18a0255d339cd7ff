#include "codec/lattice.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/mutant.h"
#include "codec/exceptions.h"
#include "codec/numbers.h"
#include "codec/steps.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kPageHeadBytes = sizeof(double);
constexpr std::size_t kHeadBytes = 8;  // of a block
constexpr std::uint8_t kBits = 0;
constexpr std::uint8_t kSteps = 1;
constexpr unsigned kStepsOrderMax = 1;
constexpr std::uint64_t kProbesPerBlock = 32;
constexpr std::size_t kLeastMagnitudes = 16;
constexpr std::uint64_t kFewProbes = 16;  // one in so many may be off the lattice
constexpr double kNoStep = 0x1p-26;       // of the greatest value: rounding hides smaller ones
constexpr std::uint64_t kGroup = 16;      // values whose exceptions are looked for together

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
};

template <typename Float>
using BitsOf = std::conditional_t<sizeof(Float) == 8, std::uint64_t, std::uint32_t>;

template <typename Float>
std::uint64_t step_bits(std::uint64_t k, double step) noexcept {
  return std::bit_cast<BitsOf<Float>>(static_cast<Float>(step_value(k, step)));
}

template <typename Float>
double as_double(std::uint64_t bits) noexcept {
  return double{std::bit_cast<Float>(static_cast<BitsOf<Float>>(bits))};
}

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

template <typename Float>
Sample sample_of(const Array& chunk) {
  Sample out;
  BlockValues values;
  std::vector<double> magnitudes;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    numbers_load(chunk, first, rows, values);
    const std::uint64_t every = std::max<std::uint64_t>(1, rows / kProbesPerBlock);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const double value = as_double<Float>(values[i]);
      if (!std::isfinite(value) || value == 0) continue;
      magnitudes.push_back(std::abs(value));
      if (i % every == 0) out.probes.push_back(value);
    }
  }
  if (out.probes.empty()) return out;
  std::vector<double> sorted(out.probes);
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle, {}, [](double value) { return std::abs(value); });
  const double median = std::abs(*middle);
  std::erase_if(magnitudes, [median](double value) {
    return value > median * kFarAbove || value < median * kFarBelow;
  });
  out.greatest = std::ranges::max(magnitudes);
  out.least.resize(std::min(kLeastMagnitudes, magnitudes.size()));
  std::ranges::partial_sort_copy(magnitudes, out.least);
  return out;
}

// The powers of two that all probes, and all but a few, are multiples of.
void put_powers(const Sample& sample, std::vector<double>& steps) {
  std::vector<int> exponents;
  for (const double probe : sample.probes) exponents.push_back(dyadic_of(std::abs(probe)).exponent);
  std::ranges::sort(exponents);
  steps.push_back(std::ldexp(1.0, exponents.front()));
  steps.push_back(std::ldexp(1.0, exponents[exponents.size() / kFewProbes]));
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
  const int digits_before = static_cast<int>(std::floor(std::log10(greatest))) + 1;
  for (int digits = 1; digits <= kDigitsMax; ++digits) {
    const int decimals = digits - digits_before;
    const double unit = std::pow(10, std::abs(decimals));
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
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
  std::uint64_t exceptions = 0;
  for (const double probe : sample.probes) {
    const auto k = step_integer(probe, step);
    if (step_bits<Float>(k, step) != std::bit_cast<BitsOf<Float>>(static_cast<Float>(probe))) {
      if (++exceptions * 8 * (sizeof(Float) + sizeof(std::uint16_t)) >= most) return most;
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
  for (const double step : steps) {
    if (!std::isnormal(step)) continue;
    const std::uint64_t cost = cost_of<Float>(sample, step, least);
    if (cost < least) best = step, least = cost;
  }
  return best;
}

double step_of(const Array& chunk) {
  return chunk.type.kind == TypeKind::float64 ? step_of<double>(chunk) : step_of<float>(chunk);
}

// ----------------------------------------------------------------------------------- both kernels

#ifdef __x86_64__
#define OTO_INLINE __attribute__((always_inline)) inline
#else
#define OTO_INLINE inline
#endif

// The integers of whole groups of floats, and for each group whether all of it comes back.
template <typename Float>
OTO_INLINE void to_integers(const std::uint64_t* values, std::uint64_t groups, double step,
                            std::uint64_t* integers, std::uint64_t* differ) noexcept {
  for (std::uint64_t group = 0; group < groups; ++group) {
    std::uint64_t bits = 0;
    for (std::uint64_t i = group * kGroup; i < (group + 1) * kGroup; ++i) {
      integers[i] = step_integer(as_double<Float>(values[i]), step);
      bits |= step_bits<Float>(integers[i], step) ^ values[i];
    }
    differ[group] = bits;
  }
}

template <typename Float>
OTO_INLINE void to_floats(const std::uint64_t* integers, std::uint64_t count, double step,
                          std::byte* out) noexcept {
  for (std::uint64_t i = 0; i < count; ++i)
    store_le(out + i * sizeof(Float), static_cast<Float>(step_value(integers[i], step)));
}

template <typename Float>
struct Kernels {
  void (*to_integers)(const std::uint64_t*, std::uint64_t, double, std::uint64_t*,
                      std::uint64_t*) noexcept;
  void (*to_floats)(const std::uint64_t*, std::uint64_t, double, std::byte*) noexcept;
};

template <typename Float>
void to_integers_plain(const std::uint64_t* values, std::uint64_t groups, double step,
                       std::uint64_t* integers, std::uint64_t* differ) noexcept {
  to_integers<Float>(values, groups, step, integers, differ);
}

template <typename Float>
void to_floats_plain(const std::uint64_t* integers, std::uint64_t count, double step,
                     std::byte* out) noexcept {
  to_floats<Float>(integers, count, step, out);
}

#ifdef __x86_64__
// The same operations on longer vectors: the same bits.
template <typename Float>
__attribute__((target("avx2"))) void to_integers_avx2(const std::uint64_t* values,
                                                      std::uint64_t groups, double step,
                                                      std::uint64_t* integers,
                                                      std::uint64_t* differ) noexcept {
  to_integers<Float>(values, groups, step, integers, differ);
}

template <typename Float>
__attribute__((target("avx2"))) void to_floats_avx2(const std::uint64_t* integers,
                                                    std::uint64_t count, double step,
                                                    std::byte* out) noexcept {
  to_floats<Float>(integers, count, step, out);
}
#endif

template <typename Float>
const Kernels<Float>& kernels() noexcept {
  static const Kernels<Float> fastest = [] {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") != 0)
      return Kernels<Float>{to_integers_avx2<Float>, to_floats_avx2<Float>};
#endif
    return Kernels<Float>{to_integers_plain<Float>, to_floats_plain<Float>};
  }();
  return fastest;
}

// ----------------------------------------------------------------------------------------- encode

void put_head(std::uint8_t scheme, std::uint64_t exceptions, ByteWriter& out) {
  out.put(scheme);
  out.put_zeros(1);
  out.put(static_cast<std::uint16_t>(exceptions));
  out.put_zeros(4);
}

// A block as multiples of a step.
struct Steps {
  alignas(64) BlockValues integers;
  BlockPlaces places;
  std::uint64_t exceptions = 0;

  std::span<const std::uint16_t> odd() const noexcept {
    return std::span(places).first(exceptions);
  }
};

template <typename Float>
void to_steps(BlockValues& values, std::uint64_t count, double step, Steps& out) noexcept {
  std::array<std::uint64_t, kBlockRows / kGroup> differ;
  const std::uint64_t groups = (count + kGroup - 1) / kGroup;
  std::fill(values.begin() + count, values.begin() + groups * kGroup, values[count - 1]);
  kernels<Float>().to_integers(values.data(), groups, step, out.integers.data(), differ.data());
  for (std::uint64_t group = 0; group < groups; ++group) {
    if (differ[group] == 0 || mutant("lattice-bits-unchecked")) continue;
    const std::uint64_t end = std::min(count, (group + 1) * kGroup);
    for (std::uint64_t i = group * kGroup; i < end; ++i) {
      out.places[out.exceptions] = static_cast<std::uint16_t>(i);
      out.exceptions += step_bits<Float>(out.integers[i], step) != values[i] ? 1 : 0;
    }
  }
  exceptions_level(out.integers, count, out.odd());
}

template <typename Float>
void put_steps(const BlockValues& values, std::uint64_t count, const Steps& steps,
               ByteWriter& out) {
  put_head(kSteps, steps.exceptions, out);
  block_encode(steps.integers, count, kStepsOrderMax, out);
  exceptions_put(values, steps.odd(), sizeof(Float), out);
}

void put_bits(const BlockValues& values, std::uint64_t count, ByteWriter& out) {
  put_head(kBits, 0, out);
  block_encode(values, count, 0, out);
}

template <typename Float>
void put_block(BlockValues& values, std::uint64_t count, double step, ByteWriter& out) {
  if (step == 0) return put_bits(values, count, out);
  Steps steps;
  to_steps<Float>(values, count, step, steps);
  if (steps.exceptions * kExceptionsWorth <= count)
    return put_steps<Float>(values, count, steps, out);
  ByteWriter as_steps;
  put_steps<Float>(values, count, steps, as_steps);
  ByteWriter as_bits;
  put_bits(values, count, as_bits);
  out.put_bytes(as_steps.size() <= as_bits.size() ? as_steps.view() : as_bits.view());
}

RowsEncoder block_of(Type type, double step) {
  return [wide = type.kind == TypeKind::float64, step](const Array& of, std::uint64_t first,
                                                       std::uint64_t count, ByteWriter& out) {
    alignas(64) BlockValues values;
    numbers_load(of, first, count, values);
    if (wide)
      put_block<double>(values, count, step, out);
    else
      put_block<float>(values, count, step, out);
  };
}

std::optional<std::uint64_t> Lattice::analyze(const Array& chunk) const {
  const double step = step_of(chunk);
  if (step == 0) return std::nullopt;
  const std::uint64_t pages = (chunk.length + kPageRowsMax - 1) / kPageRowsMax;
  return blocks_estimate(chunk, block_of(chunk.type, step)) + pages * kPageHeadBytes;
}

EncodedChunk Lattice::encode(const Array& chunk, std::uint32_t page_rows) const {
  const double step = step_of(chunk);
  const RowsEncoder block = block_of(chunk.type, step);
  return pages_encode(
      chunk, page_rows,
      [&](const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
        out.put(step == 0 ? 1.0 : step);
        for_each_block(
            count, [&](std::uint64_t at, std::uint64_t rows) { block(of, first + at, rows, out); });
      });
}

// ----------------------------------------------------------------------------------------- decode

std::string_view lattice_block_flaw(BytesView bytes, std::uint64_t count, std::uint32_t width,
                                    std::uint64_t* taken) noexcept {
  if (bytes.size() < kHeadBytes) return "a block is cut short";
  const auto scheme = load_le<std::uint8_t>(&bytes[0]);
  const auto exceptions = load_le<std::uint16_t>(&bytes[2]);
  if (scheme > kSteps || exceptions > count || (scheme == kBits && exceptions != 0))
    return "the head of a block is impossible";
  if (bytes[1] != std::byte{0} || load_le<std::uint32_t>(&bytes[4]) != 0)
    return "a reserved byte of a block is not zero";
  std::uint64_t integers = 0;
  const unsigned order_max = scheme == kSteps ? kStepsOrderMax : 0;
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

std::string_view Lattice::flaw(const Parts& page, const PageFacts& facts) const {
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  const BytesView bytes = page.values.bytes;
  if (bytes.size() < kPageHeadBytes) return "it is cut short";
  const auto step = load_le<double>(bytes.data());
  if (!std::isnormal(step) || step < 0) return "its step is impossible";
  return blocks_flaw(bytes.subspan(kPageHeadBytes), facts,
                     [&](BytesView rest, std::uint64_t count, std::uint64_t* taken) {
                       return lattice_block_flaw(rest, count, type_width(facts.type), taken);
                     });
}

// Returns the bytes of the block.
template <typename Float>
std::uint64_t decode_block(const std::byte* bytes, std::uint64_t count, double step,
                           std::byte* out) noexcept {
  alignas(64) BlockValues integers;
  const std::uint64_t taken = kHeadBytes + block_decode(bytes + kHeadBytes, count, integers.data());
  if (load_le<std::uint8_t>(bytes) == kBits) {
    numbers_store(integers.data(), count, sizeof(Float), out);
    return taken;
  }
  kernels<Float>().to_floats(integers.data(), count, step, out);
  const auto exceptions = load_le<std::uint16_t>(bytes + 2);
  return taken + exceptions_restore(bytes + taken, exceptions, sizeof(Float), out);
}

void Lattice::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const auto step = load_le<double>(page.values.bytes.data());
  const std::byte* at = page.values.bytes.data() + kPageHeadBytes;
  for_each_block(facts.rows, [&](std::uint64_t first, std::uint64_t count) {
    at += facts.type.kind == TypeKind::float64
              ? decode_block<double>(at, count, step, to.values + first * sizeof(double))
              : decode_block<float>(at, count, step, to.values + first * sizeof(float));
  });
}

}  // namespace

const Codec& lattice_codec() noexcept {
  static const Lattice codec;
  return codec;
}

}  // namespace otolith::codec
