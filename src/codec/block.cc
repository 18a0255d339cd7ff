#include "codec/block.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"
#include "base/mutant.h"
#include "codec/bits.h"

namespace otolith::codec {

namespace {

constexpr std::uint64_t kOutlierBytes = sizeof(std::uint64_t) + sizeof(std::uint16_t);

// How to pack some integers.
struct Packing {
  unsigned width = 0;
  std::uint64_t base = 0;
  std::uint64_t outliers = 0;
  std::uint64_t bytes = 0;  // of packed rows and outliers
};

// What all values have in common: value = offset + factor * (what is stored).
struct Scale {
  std::uint64_t factor = 1;
  std::uint64_t offset = 0;
};
constexpr std::uint64_t kFactorMin = 4;  // what saves two bits a value is worth its 16 bytes

// Values as differences of one order.
struct Differences {
  unsigned order = 0;
  std::uint64_t start = 0;
  std::uint64_t slope = 0;
  BlockValues values;
  Packing packing;
};

constexpr std::uint64_t head_bytes(unsigned order, bool scaled) noexcept {
  return kBlockHeadBytes + (order + (scaled ? 2 : 0)) * sizeof(std::uint64_t);
}

unsigned width_of(std::uint64_t value) noexcept {
  return static_cast<unsigned>(std::bit_width(value));
}

std::uint64_t outlier_bytes(std::uint64_t outliers) noexcept {
  return align_up(outliers * kOutlierBytes, 8);
}

// ---------------------------------------------------------------------------------------- analyze

// The greatest common divisor of all distances from the first value; ends at the first that is odd
// to the others, which random values reach at once.
Scale scale_of(const BlockValues& values, std::uint64_t count) noexcept {
  const auto offset = static_cast<std::int64_t>(values[0]);
  std::uint64_t factor = 0;
  for (std::uint64_t i = 1; i < count; ++i) {
    std::int64_t distance = 0;
    if (__builtin_sub_overflow(static_cast<std::int64_t>(values[i]), offset, &distance)) return {};
    const std::uint64_t magnitude = distance < 0 ? 0 - static_cast<std::uint64_t>(distance)
                                                 : static_cast<std::uint64_t>(distance);
    if (factor != 0 && magnitude % factor == 0) continue;
    factor = std::gcd(factor, magnitude);
    if (factor != 0 && factor < kFactorMin) return {};
  }
  return factor == 0 ? Scale{} : Scale{factor, values[0]};
}

BlockValues scaled_down(const BlockValues& values, std::uint64_t count, Scale scale) noexcept {
  BlockValues out;
  const auto factor = static_cast<std::int64_t>(scale.factor);
  for (std::uint64_t i = 0; i < count; ++i)
    out[i] =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i] - scale.offset) / factor);
  return out;
}

// The cheapest width over `base`: what is wider is an outlier.
Packing packing_over(std::uint64_t base, const BlockValues& values, std::uint64_t count) noexcept {
  std::array<std::uint32_t, kWidthMax + 1> of_width{};
  for (std::uint64_t i = 0; i < count; ++i) ++of_width[width_of(values[i] - base)];
  Packing best{.width = 0, .base = base, .outliers = 0, .bytes = UINT64_MAX};
  std::uint64_t wider = count;
  for (unsigned width = 0; width <= kWidthMax; ++width) {
    wider -= of_width[width];
    const std::uint64_t bytes = packed_bytes(count, width) + outlier_bytes(wider);
    if (bytes < best.bytes) best = {width, base, wider, bytes};
    if (wider == 0) break;
  }
  return best;
}

// The least value that is not far below most others.
std::int64_t least_of_most(const BlockValues& values, std::uint64_t count) noexcept {
  constexpr std::uint64_t kSample = 33;
  std::array<std::int64_t, kSample> sample{};
  for (std::uint64_t i = 0; i < kSample; ++i)
    sample[i] = static_cast<std::int64_t>(values[i * (count - 1) / (kSample - 1)]);
  std::ranges::sort(sample);
  const std::int64_t low = sample[kSample / 4];
  const auto reach =
      static_cast<std::uint64_t>(sample[kSample - kSample / 4]) - static_cast<std::uint64_t>(low);
  std::int64_t least = low;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::int64_t>(values[i]);
    const std::uint64_t below = static_cast<std::uint64_t>(low) - values[i];
    least = value < least && below / 8 <= reach ? value : least;
  }
  return least;
}

Packing packing_of(const BlockValues& values, std::uint64_t count) noexcept {
  std::int64_t least = INT64_MAX;
  std::int64_t greatest = INT64_MIN;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::int64_t>(values[i]);
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  const auto base = static_cast<std::uint64_t>(least);
  if (least == greatest) return {0, base, 0, 0};
  const Packing best = packing_over(base, values, count);
  const std::int64_t other = least_of_most(values, count);
  if (other == least) return best;
  const Packing patched = packing_over(static_cast<std::uint64_t>(other), values, count);
  return patched.bytes < best.bytes ? patched : best;
}

// The first difference is free to choose, as it is summed to what lies before: it is made like the
// next one.
void take_differences(BlockValues& values, std::uint64_t count, std::uint64_t* before) noexcept {
  const std::uint64_t first = values[0];
  for (std::uint64_t i = count - 1; i > 0; --i) values[i] -= values[i - 1];
  values[0] = count > 1 ? values[1] : 0;
  *before = first - values[0];
}

Differences differences_of(const BlockValues& values, std::uint64_t count, unsigned order) {
  Differences out;
  out.order = order;
  std::copy_n(values.begin(), count, out.values.begin());
  if (order >= 1) take_differences(out.values, count, &out.start);
  if (order == 2) {
    if (count > 2) {  // a slope before the first that makes the second like the third
      const std::uint64_t first = 2 * out.values[1] - out.values[2];
      out.start += out.values[0] - first;
      out.values[0] = first;
    }
    take_differences(out.values, count, &out.slope);
  }
  out.packing = packing_of(out.values, count);
  return out;
}

// ----------------------------------------------------------------------------------------- encode

void put_outliers(const Differences& from, std::uint64_t count, ByteWriter& out) {
  const std::uint64_t mask =
      from.packing.width == kWidthMax ? ~0ull : (1ull << from.packing.width) - 1;
  const auto is_outlier = [&](std::uint64_t value) { return value - from.packing.base > mask; };
  for (std::uint64_t i = 0; i < count; ++i) {
    if (is_outlier(from.values[i])) out.put(from.values[i]);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (is_outlier(from.values[i])) out.put(static_cast<std::uint16_t>(i));
  }
  out.align(8);
}

void put_packed(Differences& from, std::uint64_t count, ByteWriter& out) {
  const Packing& packing = from.packing;
  BlockValues packed;
  const std::uint64_t mask = packing.width == kWidthMax ? ~0ull : (1ull << packing.width) - 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool fits = from.values[i] - packing.base <= mask;
    packed[i] = fits ? from.values[i] : packing.base;
  }
  std::array<std::byte, kBlockRows * sizeof(std::uint64_t)> words;
  pack(packed.data(), count, packing.width, packing.base, words.data());
  out.put_bytes(BytesView(words).first(packed_bytes(count, packing.width)));
}

void put_block(Differences& from, std::uint64_t count, Scale scale, ByteWriter& out) {
  out.put(static_cast<std::uint8_t>(from.packing.width));
  out.put(static_cast<std::uint8_t>(from.order));
  out.put(static_cast<std::uint16_t>(from.packing.outliers));
  out.put(static_cast<std::uint8_t>(scale.factor != 1 ? 1 : 0));
  out.put_zeros(3);
  out.put(from.packing.base);
  if (from.order >= 1) out.put(from.start);
  if (from.order == 2) out.put(from.slope);
  if (scale.factor != 1) {
    out.put(scale.factor);
    out.put(scale.offset);
  }
  put_packed(from, count, out);
  put_outliers(from, count, out);
}

// ----------------------------------------------------------------------------------------- decode

void sum_up(std::uint64_t* values, std::uint64_t count, std::uint64_t before) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) {
    before += values[i];
    values[i] = before;
  }
}

void scale_up(std::uint64_t* values, std::uint64_t count, Scale scale) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) values[i] = values[i] * scale.factor + scale.offset;
}

std::string_view outliers_flaw(BytesView places, std::uint64_t outliers,
                               std::uint64_t count) noexcept {
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < outliers; ++i) {
    const auto place = load_le<std::uint16_t>(&places[i * 2]);
    if (place < next || (place >= count && !mutant("block-outlier-place-unchecked")))
      return "an outlier is out of place";
    next = std::uint64_t{place} + 1;
  }
  for (std::size_t i = outliers * 2; i < places.size(); ++i) {
    if (places[i] != std::byte{0}) return "a reserved byte of a block is not zero";
  }
  return {};
}

}  // namespace

void block_encode(const BlockValues& values, std::uint64_t count, unsigned order_max,
                  ByteWriter& out) {
  OTO_INVARIANT(count != 0 && count <= kBlockRows && order_max <= kOrderMax);
  const Scale scale = scale_of(values, count);
  const bool scaled = scale.factor != 1;
  const BlockValues small = scaled ? scaled_down(values, count, scale) : values;
  Differences best = differences_of(small, count, 0);
  std::uint64_t best_bytes = head_bytes(0, scaled) + best.packing.bytes;
  for (unsigned order = 1; order <= order_max && best.packing.bytes != 0; ++order) {
    Differences next = differences_of(small, count, order);
    const std::uint64_t bytes = head_bytes(order, scaled) + next.packing.bytes;
    if (bytes * 11 >= best_bytes * 10) continue;
    best = std::move(next);
    best_bytes = bytes;
  }
  put_block(best, count, scale, out);
}

std::string_view block_flaw(BytesView bytes, std::uint64_t count, unsigned order_max,
                            std::uint64_t* taken) noexcept {
  if (bytes.size() < kBlockHeadBytes) return "a block is cut short";
  const auto width = load_le<std::uint8_t>(&bytes[0]);
  const auto order = load_le<std::uint8_t>(&bytes[1]);
  const auto outliers = load_le<std::uint16_t>(&bytes[2]);
  const auto scaled = load_le<std::uint8_t>(&bytes[4]);
  if (width > kWidthMax || order > order_max || outliers > count || scaled > 1)
    return "the head of a block is impossible";
  if ((load_le<std::uint32_t>(&bytes[4]) >> 8) != 0)
    return "a reserved byte of a block is not zero";
  const std::uint64_t packed_end = head_bytes(order, scaled != 0) + packed_bytes(count, width);
  const std::uint64_t places = packed_end + outliers * 8;
  *taken = packed_end + outlier_bytes(outliers);
  if (bytes.size() < *taken) return "a block is cut short";
  return outliers_flaw(bytes.subspan(places, *taken - places), outliers, count);
}

std::uint64_t block_decode(const std::byte* bytes, std::uint64_t count,
                           std::uint64_t* out) noexcept {
  const unsigned width = load_le<std::uint8_t>(bytes);
  const unsigned order = load_le<std::uint8_t>(bytes + 1);
  const std::uint64_t outliers = load_le<std::uint16_t>(bytes + 2);
  const bool scaled = load_le<std::uint8_t>(bytes + 4) != 0;
  const std::byte* packed = bytes + head_bytes(order, scaled);
  unpack(packed, count, width, load_le<std::uint64_t>(bytes + 8), out);
  const std::byte* values = packed + packed_bytes(count, width);
  const std::byte* places = values + outliers * 8;
  for (std::uint64_t i = 0; i < outliers; ++i)
    out[load_le<std::uint16_t>(places + i * 2)] = load_le<std::uint64_t>(values + i * 8);
  if (order == 2) sum_up(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes + 8));
  if (order >= 1) sum_up(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes));
  if (scaled) {
    scale_up(out, count, {load_le<std::uint64_t>(packed - 16), load_le<std::uint64_t>(packed - 8)});
  }
  return packed_bytes(count, width) + outlier_bytes(outliers) + head_bytes(order, scaled);
}

}  // namespace otolith::codec
