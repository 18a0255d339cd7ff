#include "codec/planes.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "codec/block_loops.h"
#include "codec/byte_planes.h"
#include "codec/decimals.h"
#include "codec/exceptions.h"
#include "codec/numbers.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 8;
constexpr std::uint8_t kIntegers = 0;
constexpr std::uint8_t kDecimals = 1;
constexpr std::uint64_t kFactorMin = 2;
constexpr std::uint64_t kSampledRows = 48;  // of a page, to choose exponents by
constexpr std::uint64_t kSampledPages = 2;  // of a chunk

using Values = std::vector<std::uint64_t>;  // of a page

class Planes final : public Codec {
 public:
  CodecKey key() const noexcept override { return {CodecId::planes, 1}; }
  std::string_view name() const noexcept override { return "planes"; }
  bool dense() const noexcept override { return true; }
  bool fits(Type type) const noexcept override {
    return is_integer(type) || type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
  }

  std::optional<std::uint64_t> analyze(const Array& chunk) const override;
  EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const override;
  std::string_view flaw(const Parts& page, const PageFacts& facts) const override;
  void decode(const Parts& page, const PageFacts& facts, const Room& to) const override;
};

// What is done to integers before they become planes.
struct Steps {
  unsigned order = 0;
  std::uint64_t start = 0;
  std::uint64_t slope = 0;
  std::uint64_t factor = 1;
  std::uint64_t offset = 0;
};

std::uint64_t steps_bytes(unsigned order, bool scaled) noexcept {
  return (order + (scaled ? 2u : 0u)) * sizeof(std::uint64_t);
}

// ---------------------------------------------------------------------------------------- analyze

// Takes out what all distances from the first value are multiples of.
void take_factor(Values& values, Steps& steps) noexcept {
  const auto offset = static_cast<std::int64_t>(values[0]);
  std::uint64_t factor = 0;
  for (const std::uint64_t value : values) {
    std::int64_t distance = 0;
    if (__builtin_sub_overflow(static_cast<std::int64_t>(value), offset, &distance)) return;
    const std::uint64_t magnitude = distance < 0 ? 0 - static_cast<std::uint64_t>(distance)
                                                 : static_cast<std::uint64_t>(distance);
    if (factor != 0 && magnitude % factor == 0) continue;
    factor = std::gcd(factor, magnitude);
    if (factor != 0 && factor < kFactorMin) return;
  }
  if (factor < kFactorMin || factor > INT64_MAX) return;
  steps.factor = factor;
  steps.offset = values[0];
  for (std::uint64_t& value : values)
    value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value - steps.offset) /
                                       static_cast<std::int64_t>(factor));
}

// The first difference is free to choose: it is made like the next one.
void take_differences(Values& values, std::uint64_t* before) noexcept {
  const std::uint64_t first = values[0];
  for (std::size_t i = values.size() - 1; i > 0; --i) values[i] -= values[i - 1];
  values[0] = values.size() > 1 ? values[1] : 0;
  *before = first - values[0];
}

// Leaves the integers that take the fewest bits.
Steps take_steps(Values& values) {
  Steps steps;
  take_factor(values, steps);
  Values next = values;
  double best = planes_cost(values);
  Steps tried = steps;
  for (unsigned order = 1; order <= kOrderMax; ++order) {
    take_differences(next, order == 1 ? &tried.start : &tried.slope);
    tried.order = order;
    const double cost = planes_cost(next) + order * 64;
    if (cost * 1.02 >= best) continue;
    best = cost;
    steps = tried;
    values = next;
  }
  return steps;
}

template <typename Float>
using BitsOf = std::conditional_t<sizeof(Float) == 8, std::uint64_t, std::uint32_t>;

template <typename Float>
bool to_integer(std::uint64_t bits, Exponents by, std::uint64_t* n) noexcept {
  const auto value = std::bit_cast<Float>(static_cast<BitsOf<Float>>(bits));
  const auto back = static_cast<Float>(Decimals(by).round_trip(double{value}, n));
  return std::bit_cast<BitsOf<Float>>(back) == static_cast<BitsOf<Float>>(bits);
}

// The exponents that leave the fewest bits of some values of a page.
template <typename Float>
Exponents exponents_of(const Values& bits) {
  Exponents best;
  std::uint64_t least = UINT64_MAX;
  const std::uint64_t rows = std::min<std::uint64_t>(bits.size(), kSampledRows);
  for (std::uint8_t e = 0; e <= kExponentMax; ++e) {
    for (std::uint8_t f = 0; f <= e; ++f) {
      std::int64_t low = INT64_MAX;
      std::int64_t high = INT64_MIN;
      std::uint64_t cost = 0;
      for (std::uint64_t i = 0; i < rows && cost < least; ++i) {
        std::uint64_t n = 0;
        if (!to_integer<Float>(bits[i * bits.size() / rows], {e, f}, &n)) {
          cost += 8 * (sizeof(Float) + sizeof(std::uint16_t));
          continue;
        }
        low = std::min(low, static_cast<std::int64_t>(n));
        high = std::max(high, static_cast<std::int64_t>(n));
      }
      if (low <= high) {
        cost += rows * static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(high) -
                                                            static_cast<std::uint64_t>(low)));
      }
      if (cost < least) best = {e, f}, least = cost;
    }
  }
  return best;
}

// ----------------------------------------------------------------------------------------- encode

void put_steps(std::uint8_t scheme, Exponents by, std::size_t exceptions, Values& integers,
               ByteWriter& out) {
  const Steps steps = take_steps(integers);
  const bool scaled = steps.factor != 1;
  out.put(scheme);
  out.put(static_cast<std::uint8_t>(steps.order));
  out.put(static_cast<std::uint8_t>(scaled ? 1 : 0));
  out.put(by.e);
  out.put(by.f);
  out.put_zeros(1);
  out.put(static_cast<std::uint16_t>(exceptions));
  if (steps.order >= 1) out.put(steps.start);
  if (steps.order == 2) out.put(steps.slope);
  if (scaled) {
    out.put(steps.factor);
    out.put(steps.offset);
  }
  planes_put(integers, out);
}

// Returns the values that are stored as exceptions.
template <typename Float>
std::uint64_t put_decimals(const Values& bits, ByteWriter& out) {
  const Exponents by = exponents_of<Float>(bits);
  Values integers(bits.size());
  std::vector<std::uint16_t> places;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (to_integer<Float>(bits[i], by, &integers[i])) continue;
    places.push_back(static_cast<std::uint16_t>(i));
    integers[i] = i == 0 ? 0 : integers[i - 1];
  }
  put_steps(kDecimals, by, places.size(), integers, out);
  for (const std::uint16_t place : places) out.put(static_cast<BitsOf<Float>>(bits[place]));
  for (const std::uint16_t place : places) out.put(place);
  out.align(8);
  return places.size();
}

template <typename Float>
void put_floats(Values& bits, ByteWriter& out) {
  ByteWriter decimals;
  if (put_decimals<Float>(bits, decimals) * kExceptionsWorth <= bits.size())
    return out.put_bytes(decimals.view());
  ByteWriter plain;
  put_steps(kIntegers, {}, 0, bits, plain);
  out.put_bytes(decimals.size() < plain.size() ? decimals.view() : plain.view());
}

void put_page(const Array& chunk, std::uint64_t first, std::uint64_t rows, ByteWriter& out) {
  Values values(rows);
  for_each_block(rows, [&](std::uint64_t at, std::uint64_t count) {
    BlockValues block;
    numbers_load(chunk, first + at, count, block);
    std::copy_n(block.begin(), count, &values[at]);
  });
  if (chunk.type.kind == TypeKind::float64) return put_floats<double>(values, out);
  if (chunk.type.kind == TypeKind::float32) return put_floats<float>(values, out);
  put_steps(kIntegers, {}, 0, values, out);
}

std::optional<std::uint64_t> Planes::analyze(const Array& chunk) const {
  return pages_estimate(chunk, kSampledPages, put_page);
}

EncodedChunk Planes::encode(const Array& chunk, std::uint32_t page_rows) const {
  return pages_encode(chunk, page_rows, put_page);
}

// ----------------------------------------------------------------------------------------- decode

// Head of a page of which at least kHeadBytes are there.
struct Head {
  std::uint8_t scheme, order, scaled, e, f;
  std::uint16_t exceptions;

  explicit Head(const std::byte* at) noexcept
      : scheme(load_le<std::uint8_t>(at)),
        order(load_le<std::uint8_t>(at + 1)),
        scaled(load_le<std::uint8_t>(at + 2)),
        e(load_le<std::uint8_t>(at + 3)),
        f(load_le<std::uint8_t>(at + 4)),
        exceptions(load_le<std::uint16_t>(at + 6)) {}
};

std::string_view Planes::flaw(const Parts& page, const PageFacts& facts) const {
  const BytesView bytes = page.values.bytes;
  if (!page.offsets.bytes.empty()) return "it shares what its codec does not know";
  if (facts.rows > kPageRowsMax) return "it has too many rows";
  if (bytes.size() < kHeadBytes) return "it is cut short";
  const Head head(bytes.data());
  const std::uint32_t width = type_width(facts.type);
  if (head.scheme > (is_integer(facts.type) ? kIntegers : kDecimals) || head.order > kOrderMax ||
      head.scaled > 1 || head.e > kExponentMax || head.f > head.e || head.exceptions > facts.rows ||
      (head.scheme == kIntegers && (head.e != 0 || head.exceptions != 0))) {
    return "its head is impossible";
  }
  if (bytes[5] != std::byte{0}) return "a reserved byte is not zero";
  const std::uint64_t planes = kHeadBytes + steps_bytes(head.order, head.scaled != 0);
  if (bytes.size() < planes) return "it is cut short";
  std::uint64_t taken = 0;
  if (const auto wrong = planes_flaw(bytes.subspan(planes), facts.rows, &taken); !wrong.empty())
    return wrong;
  const BytesView tail = bytes.subspan(planes + taken);
  if (tail.size() != exceptions_bytes(head.exceptions, width)) return "it has a wrong size";
  return exceptions_flaw(tail, head.exceptions, width, facts.rows, &taken);
}

// The integers of a page; returns what lies behind its planes.
const std::byte* integers_get(const std::byte* bytes, std::uint64_t rows, std::uint64_t* out) {
  const Head head(bytes);
  const std::byte* steps = bytes + kHeadBytes;
  const std::byte* planes = steps + steps_bytes(head.order, head.scaled != 0);
  const std::byte* end = planes + planes_get(planes, rows, out);
  if (head.order == 2) block_sums(out, rows, load_le<std::uint64_t>(steps + 8));
  if (head.order >= 1) block_sums(out, rows, load_le<std::uint64_t>(steps));
  if (head.scaled != 0) {
    block_scale(out, rows, load_le<std::uint64_t>(planes - 16), load_le<std::uint64_t>(planes - 8));
  }
  return end;
}

template <typename Float>
void decimals_get(const Head& head, const std::uint64_t* integers, std::uint64_t rows,
                  const std::byte* exceptions, std::byte* out) noexcept {
  const Decimals by({.e = head.e, .f = head.f});
  for (std::uint64_t i = 0; i < rows; ++i) {
    store_le(out + i * sizeof(Float), static_cast<Float>(by.value(integers[i])));
  }
  exceptions_restore(exceptions, head.exceptions, sizeof(Float), out);
}

void Planes::decode(const Parts& page, const PageFacts& facts, const Room& to) const {
  const Head head(page.values.bytes.data());
  const auto integers = std::make_unique_for_overwrite<std::uint64_t[]>(facts.rows);
  const std::byte* tail = integers_get(page.values.bytes.data(), facts.rows, integers.get());
  if (head.scheme == kIntegers)
    numbers_store(integers.get(), facts.rows, type_width(facts.type), to.values);
  else if (facts.type.kind == TypeKind::float64)
    decimals_get<double>(head, integers.get(), facts.rows, tail, to.values);
  else
    decimals_get<float>(head, integers.get(), facts.rows, tail, to.values);
}

}  // namespace

const Codec& planes_codec() noexcept {
  static const Planes codec;
  return codec;
}

}  // namespace otolith::codec
