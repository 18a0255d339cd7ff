#include "codec/block.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/error.h"
#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/block_loops.h"

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
  bool some() const noexcept { return factor != 1; }
};
constexpr std::uint64_t kFactorMin = 4;  // what saves two bits a value is worth its 16 bytes

// Integers of one order, and how to pack them.
struct Form {
  unsigned order = 0;
  std::uint64_t start = 0;
  std::uint64_t slope = 0;
  const std::uint64_t* values = nullptr;
  Packing packing;
};

// Room for the values divided, and for their differences of both orders.
struct BlockRoom {
  alignas(64) BlockValues divided;
  alignas(64) std::array<BlockValues, kOrderMax> differences;
};

constexpr std::uint64_t kSample = 15;  // values of a block that are looked at before all are
constexpr std::uint64_t kFactorSample = 32;
constexpr std::uint64_t kWidths = 128;  // and whose widths are
using Sample = std::array<std::int64_t, kSample>;

// Which places of a sample to compare and swap, one pair after another, so that it is sorted: on
// so few values every other branch of std::sort is missed, and a block has two to five samples.
// Batcher's merge exchange (Knuth, The Art of Computer Programming, vol. 3, 5.2.2, algorithm M).
struct Exchange {
  std::uint8_t low = 0;
  std::uint8_t high = 0;
};
constexpr void each_exchange(auto take) {
  for (std::size_t p = std::bit_ceil(kSample) / 2; p != 0; p /= 2) {
    std::size_t q = std::bit_ceil(kSample) / 2;
    for (std::size_t r = 0, distance = p;; distance = q - p, q /= 2, r = p) {
      for (std::size_t i = 0; i + distance < kSample; ++i) {
        if ((i & p) == r) take(i, i + distance);
      }
      if (q == p) break;
    }
  }
}
constexpr std::size_t kExchanges = [] {
  std::size_t count = 0;
  each_exchange([&count](std::size_t, std::size_t) { ++count; });
  return count;
}();
constexpr auto kNetwork = [] {
  std::array<Exchange, kExchanges> out;
  std::size_t count = 0;
  each_exchange([&](std::size_t low, std::size_t high) {
    out[count++] = {static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high)};
  });
  return out;
}();

constexpr void sort(Sample& sample) noexcept {
#pragma clang loop unroll(full)
  for (const auto [low, high] : kNetwork) {
    const std::int64_t less = std::min(sample[low], sample[high]);
    sample[high] = std::max(sample[low], sample[high]);
    sample[low] = less;
  }
}
static_assert([] {
  Sample sample;
  for (std::size_t i = 0; i < kSample; ++i) sample[i] = static_cast<std::int64_t>(i * 4 % kSample);
  sort(sample);
  return std::ranges::is_sorted(sample);
}());

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

// Of values evenly spread from `first` on, `get` of their places.
template <typename Get>
Sample sample_of(std::uint64_t first, std::uint64_t count, Get get) noexcept {
  Sample out;
  for (std::uint64_t i = 0; i < kSample; ++i)
    out[i] = static_cast<std::int64_t>(get(first + i * (count - 1 - first) / (kSample - 1)));
  return out;
}

// The greatest common divisor of the distances of some values from the first; 1 if it is of no use.
std::uint64_t factor_of(const std::uint64_t* values, std::uint64_t count,
                        std::uint64_t step) noexcept {
  std::uint64_t factor = 0;
  for (std::uint64_t i = step; i < count; i += step) {
    const auto distance = static_cast<std::int64_t>(values[i] - values[0]);
    const std::uint64_t magnitude = distance < 0 ? 0 - static_cast<std::uint64_t>(distance)
                                                 : static_cast<std::uint64_t>(distance);
    if (factor != 0 && magnitude % factor == 0) continue;
    factor = std::gcd(factor, magnitude);
    if (factor != 0 && factor < kFactorMin) return 1;
  }
  return factor == 0 ? 1 : factor;
}

// The factor of all values, and them without it; where some values have more in common than all,
// all are asked.
Scale scale_of(const std::uint64_t* values, std::uint64_t count, BlockRange range,
               std::uint64_t* divided) noexcept {
  const std::uint64_t offset = values[0];
  std::int64_t width = 0;
  if (__builtin_sub_overflow(range.greatest, range.least, &width) || width == 0) return {};
  for (const std::uint64_t step :
       {std::max<std::uint64_t>(1, count / kFactorSample), std::uint64_t{1}}) {
    const std::uint64_t factor = factor_of(values, count, step);
    if (factor == 1) return {};
    if (!block_divide(values, count, factor, offset, divided)) continue;
    // A value that is no multiple becomes one far outside: no product within the range is it.
    const BlockRange got = block_range(divided, count);
    const auto by = static_cast<std::int64_t>(factor);
    const auto zero = static_cast<std::int64_t>(offset);
    if (got.least == (range.least - zero) / by && got.greatest == (range.greatest - zero) / by) {
      return {factor, offset};
    }
  }
  return {};
}

// The cheapest width by how many have which of `seen` values, each of which stands for `step`; what
// is wider is an outlier.
Packing cheapest(std::uint64_t base, const BlockWidths& of_width, std::uint64_t seen,
                 std::uint64_t step, std::uint64_t count) noexcept {
  Packing best{.width = 0, .base = base, .outliers = 0, .bytes = UINT64_MAX};
  std::uint64_t wider = seen;
  for (unsigned width = 0; width <= kWidthMax; ++width) {
    wider -= of_width[width];
    const std::uint64_t outliers = wider * step;
    const std::uint64_t bytes = packed_bytes(count, width) + outlier_bytes(outliers);
    if (bytes < best.bytes) best = {width, base, outliers, bytes};
    if (wider == 0) break;
  }
  return best;
}

// Of every `step`-th value.
Packing packing_over(std::uint64_t base, const std::uint64_t* values, std::uint64_t count,
                     std::uint64_t step) noexcept {
  BlockWidths of_width;
  const std::uint64_t seen = block_widths(values, count, step, base, of_width);
  return cheapest(base, of_width, seen, step, count);
}

// The least value that is not far below most others.
std::int64_t least_of_most(const std::uint64_t* values, std::uint64_t count,
                           std::int64_t least_of_all) noexcept {
  Sample sample = sample_of(0, count, [values](std::uint64_t i) { return values[i]; });
  sort(sample);
  const std::int64_t low = sample[kSample / 4];
  const auto reach =
      static_cast<std::uint64_t>(sample[kSample - kSample / 4]) - static_cast<std::uint64_t>(low);
  const auto below = [low](std::int64_t value) {
    return static_cast<std::uint64_t>(low) - static_cast<std::uint64_t>(value);
  };
  if (below(least_of_all) / 8 <= reach) return least_of_all;
  std::int64_t least = low;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto value = static_cast<std::int64_t>(values[i]);
    least = value < least && below(value) / 8 <= reach ? value : least;
  }
  return least;
}

Packing packing_of(const std::uint64_t* values, std::uint64_t count, BlockRange range) noexcept {
  const auto base = static_cast<std::uint64_t>(range.least);
  if (range.least == range.greatest) return {0, base, 0, 0};
  const unsigned full = width_of(static_cast<std::uint64_t>(range.greatest) - base);
  Packing best{full, base, 0, packed_bytes(count, full)};
  const std::uint64_t step = std::max<std::uint64_t>(1, count / kWidths);
  // All are counted only where some say that outliers pay.
  if (packing_over(base, values, count, step).width < full) {
    const Packing fewer = packing_over(base, values, count, 1);
    if (fewer.bytes < best.bytes) best = fewer;
  }
  const std::int64_t other = least_of_most(values, count, range.least);
  if (other == range.least) return best;
  const Packing patched = packing_over(static_cast<std::uint64_t>(other), values, count, 1);
  return patched.bytes < best.bytes ? patched : best;
}

// Less than the bytes that a higher order would take, judged by some of its differences.
std::uint64_t bytes_hoped(const std::uint64_t* values, std::uint64_t count,
                          unsigned order) noexcept {
  if (count <= kSample) return 0;
  Sample sample = sample_of(order, count, [values, order](std::uint64_t i) {
    return order == 1 ? values[i] - values[i - 1] : values[i] - 2 * values[i - 1] + values[i - 2];
  });
  sort(sample);
  const auto reach = static_cast<std::uint64_t>(sample[kSample - 1 - kSample / 8]) -
                     static_cast<std::uint64_t>(sample[kSample / 8]);
  return packed_bytes(count, width_of(reach));
}

// The first difference is free to choose, as it is summed to what lies before: it is made like the
// next one.
Form first_order(const std::uint64_t* values, std::uint64_t count, BlockValues& out) noexcept {
  block_differences(values, count, out.data());
  out[0] = out[1];
  const BlockRange range = block_range(out.data(), count);
  return {1, values[0] - out[0], 0, out.data(), packing_of(out.data(), count, range)};
}

// So is the first of these; and the first difference of order 1, so that the second is like the
// third.
Form second_order(const Form& first, std::uint64_t count, BlockValues& out) noexcept {
  const std::uint64_t* of = first.values;
  const std::uint64_t slope = count > 2 ? 2 * of[1] - of[2] : of[0];
  block_differences(of, count, out.data());
  out[1] = of[1] - slope;
  out[0] = out[1];
  const BlockRange range = block_range(out.data(), count);
  return {2, first.start + of[0] - slope, slope - out[0], out.data(),
          packing_of(out.data(), count, range)};
}

Form form_of(const std::uint64_t* values, std::uint64_t count, BlockRange range, bool scaled,
             unsigned order_max, BlockRoom& room) noexcept {
  Form best{0, 0, 0, values, packing_of(values, count, range)};
  const auto bytes = [scaled](const Form& form) {
    return head_bytes(form.order, scaled) + form.packing.bytes;
  };
  const auto saves = [&best, &bytes](std::uint64_t other) { return other * 11 < bytes(best) * 10; };
  if (order_max == 0 || best.packing.bytes == 0) return best;
  const bool first_hoped = saves(head_bytes(1, scaled) + bytes_hoped(values, count, 1));
  const bool second_hoped =
      order_max == 2 && saves(head_bytes(2, scaled) + bytes_hoped(values, count, 2));
  if (!first_hoped && !second_hoped) return best;
  const Form first = first_order(values, count, room.differences[0]);
  if (saves(bytes(first))) best = first;
  if (!second_hoped || best.packing.bytes == 0) return best;
  const Form second = second_order(first, count, room.differences[1]);
  return saves(bytes(second)) ? second : best;
}

// ----------------------------------------------------------------------------------------- encode

template <typename T>
std::byte* put(std::byte* out, T value) noexcept {
  store_le(out, value);
  return out + sizeof(T);
}

std::byte* put_packed(const Form& form, std::uint64_t count, std::byte* out) noexcept {
  const auto [width, base, outliers, bytes] = form.packing;
  const std::uint64_t size = packed_bytes(count, width);
  if (outliers == 0) {
    pack(form.values, count, width, base, out);
    return out + size;
  }
  const std::uint64_t mask = width == kWidthMax ? ~0ull : (1ull << width) - 1;
  alignas(64) BlockValues packed;
  std::array<std::uint16_t, kBlockRows> places;
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool fits = form.values[i] - base <= mask;
    packed[i] = fits ? form.values[i] : base;
    places[found] = static_cast<std::uint16_t>(i);
    found += fits ? 0 : 1;
  }
  OTO_INVARIANT(found == outliers);
  pack(packed.data(), count, width, base, out);
  out += size;
  for (std::uint64_t i = 0; i < found; ++i) out = put(out, form.values[places[i]]);
  for (std::uint64_t i = 0; i < found; ++i) out = put(out, places[i]);
  const std::uint64_t rest = outlier_bytes(found) - found * kOutlierBytes;
  std::fill_n(out, rest, std::byte{0});
  return out + rest;
}

std::byte* put_form(const Form& form, std::uint64_t count, Scale scale, std::byte* out) noexcept {
  out = put(out, static_cast<std::uint8_t>(form.packing.width));
  out = put(out, static_cast<std::uint8_t>(form.order));
  out = put(out, static_cast<std::uint16_t>(form.packing.outliers));
  out = put(out, std::uint32_t{scale.some() ? 1u : 0u});
  out = put(out, form.packing.base);
  if (form.order >= 1) out = put(out, form.start);
  if (form.order == 2) out = put(out, form.slope);
  if (scale.some()) {
    out = put(out, scale.factor);
    out = put(out, scale.offset);
  }
  return put_packed(form, count, out);
}

// ----------------------------------------------------------------------------------------- decode

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

std::byte* block_encode(const std::uint64_t* values, std::uint64_t count, unsigned order_max,
                        std::byte* out) noexcept {
  OTO_INVARIANT(count != 0 && count <= kBlockRows && order_max <= kOrderMax);
  BlockRoom room;
  BlockRange range = block_range(values, count);
  const Scale scale = scale_of(values, count, range, room.divided.data());
  if (scale.some()) {
    values = room.divided.data();
    range = block_range(values, count);
  }
  return put_form(form_of(values, count, range, scale.some(), order_max, room), count, scale, out);
}

void block_encode(const BlockValues& values, std::uint64_t count, unsigned order_max,
                  ByteWriter& out) {
  std::array<std::byte, kBlockBytesMax> bytes;
  const std::byte* end = block_encode(values.data(), count, order_max, bytes.data());
  out.put_bytes(std::span(bytes).first(static_cast<std::size_t>(end - bytes.data())));
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

std::uint64_t block_bytes(const std::byte* bytes, std::uint64_t count) noexcept {
  const unsigned width = load_le<std::uint8_t>(bytes);
  const unsigned order = load_le<std::uint8_t>(bytes + 1);
  const std::uint64_t outliers = load_le<std::uint16_t>(bytes + 2);
  const bool scaled = load_le<std::uint8_t>(bytes + 4) != 0;
  return head_bytes(order, scaled) + packed_bytes(count, width) + outlier_bytes(outliers);
}

std::optional<PackedBlock> block_packed(const std::byte* bytes, std::uint64_t count) noexcept {
  const unsigned order = load_le<std::uint8_t>(bytes + 1);
  const bool scaled = load_le<std::uint8_t>(bytes + 4) != 0;
  if (order != 0 || scaled) return std::nullopt;
  PackedBlock out{.width = load_le<std::uint8_t>(bytes),
                  .base = load_le<std::uint64_t>(bytes + 8),
                  .packed = bytes + kBlockHeadBytes,
                  .outliers = load_le<std::uint16_t>(bytes + 2)};
  const std::uint64_t packed = packed_bytes(count, out.width);
  out.outlier_values = out.packed + packed;
  out.outlier_places = out.outlier_values + out.outliers * sizeof(std::uint64_t);
  out.bytes = block_bytes(bytes, count);
  return out;
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
  if (order == 2) block_sums(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes + 8));
  if (order >= 1) block_sums(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes));
  if (scaled) {
    block_scale(out, count, load_le<std::uint64_t>(packed - 16),
                load_le<std::uint64_t>(packed - 8));
  }
  return block_bytes(bytes, count);
}

}  // namespace otolith::codec
