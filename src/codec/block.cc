#include "codec/block.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/mutant.h"
#include "codec/bits.h"
#include "codec/block_loops.h"
#include "codec/exceptions.h"

namespace otolith::codec {

namespace {

constexpr std::uint32_t kWidth = sizeof(std::uint64_t);  // of what is stored apart

// How to pack some integers.
struct Packing {
  unsigned width = 0;
  std::uint64_t base = 0;
  std::uint64_t outliers = 0;
  std::uint64_t bytes = 0;  // of packed rows and outliers
};

// What values have in common: value = offset + factor * (what is stored), but for a few strays.
struct Scale {
  std::uint64_t factor = 1;
  std::uint64_t offset = 0;
  std::uint64_t strays = 0;
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

// Room for the values divided, the places of those that cannot be, and for their differences of
// both orders.
struct BlockRoom {
  alignas(64) BlockValues divided;
  BlockPlaces strays;
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

// ---------------------------------------------------------------------------------------- analyze

// Of values evenly spread from `first` on, `get` of their places.
template <typename Get>
Sample sample_of(std::uint64_t first, std::uint64_t count, Get get) noexcept {
  Sample out;
  for (std::uint64_t i = 0; i < kSample; ++i)
    out[i] = static_cast<std::int64_t>(get(first + i * (count - 1 - first) / (kSample - 1)));
  return out;
}

// The greatest common divisors of the distances from the first value: of all, and of most of them,
// which is a multiple of it. 1 where they are of no use.
struct Factors {
  std::uint64_t of_all = 1;
  std::uint64_t of_most = 1;
};

// Of every `step`-th value. What breaks a factor that several in turn agreed on is a stray.
Factors factors_of(const std::uint64_t* values, std::uint64_t count, std::uint64_t step) noexcept {
  constexpr unsigned kAgreed = 4;
  constexpr std::uint64_t kStraysWorth = 8;  // one in so many
  Factors out{0, 0};
  unsigned agreed = 0;
  std::uint64_t strays = 0;
  for (std::uint64_t i = step; i < count; i += step) {
    const auto distance = static_cast<std::int64_t>(values[i] - values[0]);
    const std::uint64_t magnitude = distance < 0 ? 0 - static_cast<std::uint64_t>(distance)
                                                 : static_cast<std::uint64_t>(distance);
    if (magnitude == 0) continue;
    if (out.of_most != 0 && magnitude % out.of_most == 0) {
      ++agreed;
      continue;
    }
    if (agreed >= kAgreed) {
      ++strays;
      out.of_all = std::gcd(out.of_all == 0 ? out.of_most : out.of_all, magnitude);
      continue;
    }
    agreed = 0;
    out.of_most = std::gcd(out.of_most, magnitude);
    if (out.of_most < kFactorMin) return {};
  }
  if (strays == 0) out.of_all = out.of_most;
  if (out.of_all < kFactorMin) out.of_all = 1;
  if (out.of_most < kFactorMin || strays * step * kStraysWorth > count) out.of_most = out.of_all;
  return out;
}

// Divides the values as far as the factor does and finds the strays, each of which becomes the
// multiple next to it. Returns how many there are; above `most` the rest is left undone.
std::uint64_t divide(const std::uint64_t* values, std::uint64_t count, BlockRange range,
                     std::uint64_t factor, std::uint64_t most, BlockRoom& room) noexcept {
  const std::uint64_t offset = values[0];
  const auto by = static_cast<std::int64_t>(factor);
  const BlockRange within{(range.least - static_cast<std::int64_t>(offset)) / by,
                          (range.greatest - static_cast<std::int64_t>(offset)) / by};
  // A value that is no multiple becomes one far outside: no product within the range is it.
  const bool even = block_divide(values, count, factor, offset, room.divided.data());
  const BlockRange got = block_range(room.divided.data(), count);
  if (even && got.least == within.least && got.greatest == within.greatest) return 0;
  std::uint64_t strays = 0;
  for (std::uint64_t i = 0; i < count && strays <= most; ++i) {
    std::uint64_t& quotient = room.divided[i];
    const auto whole = static_cast<std::int64_t>(quotient);
    const bool exact = whole >= within.least && whole <= within.greatest &&
                       quotient * factor + offset == values[i];
    if (exact) continue;
    room.strays[strays++] = static_cast<std::uint16_t>(i);
    quotient = static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i] - offset) / by);
  }
  return strays;
}

// The factor of the values, and them without it in room.divided. Some are asked first; where these
// have more in common than all, all are.
Scale scale_of(const std::uint64_t* values, std::uint64_t count, BlockRange range,
               BlockRoom& room) noexcept {
  const std::uint64_t offset = values[0];
  std::int64_t width = 0;
  if (__builtin_sub_overflow(range.greatest, range.least, &width) || width == 0) return {};
  const Factors some = factors_of(values, count, std::max<std::uint64_t>(1, count / kFactorSample));
  if (some.of_most == 1) return {};
  if (some.of_most == some.of_all && divide(values, count, range, some.of_all, 0, room) == 0)
    return {some.of_all, offset, 0};
  const Factors all = factors_of(values, count, 1);
  if (all.of_most > all.of_all) {
    // Strays may take half of the bytes that the greater factor saves.
    const std::uint64_t bits_saved = count * (width_of(all.of_most / all.of_all) - 1);
    const std::uint64_t worth = bits_saved / 8 / 2 / exceptions_bytes(1, kWidth);
    const std::uint64_t strays = divide(values, count, range, all.of_most, worth, room);
    if (strays <= worth) return {all.of_most, offset, strays};
  }
  if (all.of_all == 1) return {};
  divide(values, count, range, all.of_all, 0, room);
  return {all.of_all, offset, 0};
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
    const std::uint64_t bytes = packed_bytes(count, width) + exceptions_bytes(outliers, kWidth);
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
  BlockPlaces places;
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool fits = form.values[i] - base <= mask;
    packed[i] = fits ? form.values[i] : base;
    places[found] = static_cast<std::uint16_t>(i);
    found += fits ? 0 : 1;
  }
  OTO_INVARIANT(found == outliers);
  pack(packed.data(), count, width, base, out);
  return exceptions_put(form.values, std::span(places).first(found), kWidth, out + size);
}

// All but the strays.
std::byte* put_form(const Form& form, std::uint64_t count, Scale scale, std::byte* out) noexcept {
  out = put(out, static_cast<std::uint8_t>(form.packing.width));
  out = put(out, static_cast<std::uint8_t>(form.order));
  out = put(out, static_cast<std::uint16_t>(form.packing.outliers));
  out = put(out, static_cast<std::uint16_t>(scale.some() ? 1 : 0));
  out = put(out, static_cast<std::uint16_t>(scale.strays));
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

struct Head {
  std::uint8_t width, order, scaled;
  std::uint16_t outliers, strays;
  std::uint64_t base;

  explicit Head(const std::byte* at) noexcept
      : width(load_le<std::uint8_t>(at)),
        order(load_le<std::uint8_t>(at + 1)),
        scaled(load_le<std::uint8_t>(at + 4)),
        outliers(load_le<std::uint16_t>(at + 2)),
        strays(load_le<std::uint16_t>(at + 6)),
        base(load_le<std::uint64_t>(at + 8)) {}

  std::uint64_t packed_at() const noexcept { return head_bytes(order, scaled != 0); }
};

}  // namespace

std::byte* block_encode(const std::uint64_t* values, std::uint64_t count, unsigned order_max,
                        std::byte* out) noexcept {
  OTO_INVARIANT(count != 0 && count <= kBlockRows && order_max <= kOrderMax);
  BlockRoom room;
  BlockRange range = block_range(values, count);
  const Scale scale = scale_of(values, count, range, room);
  const std::uint64_t* integers = values;
  if (scale.some()) {
    integers = room.divided.data();
    range = block_range(integers, count);
  }
  const Form form = form_of(integers, count, range, scale.some(), order_max, room);
  out = put_form(form, count, scale, out);
  return exceptions_put(values, std::span(room.strays).first(scale.strays), kWidth, out);
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
  const Head head(bytes.data());
  const bool scaled_is_known = head.scaled <= 1 && (head.strays == 0 || head.scaled == 1);
  if (head.width > kWidthMax || head.order > order_max || head.outliers > count ||
      head.strays > count || !scaled_is_known) {
    return "the head of a block is impossible";
  }
  if (bytes[5] != std::byte{0}) return "a reserved byte is not zero";
  std::uint64_t at = head.packed_at() + packed_bytes(count, head.width);
  if (bytes.size() < at) return "a block is cut short";
  for (const std::uint64_t apart : {head.outliers, head.strays}) {
    const auto wrong = exceptions_flaw(bytes.subspan(at), apart, kWidth, count, taken);
    if (!wrong.empty()) return wrong;
    at += *taken;
  }
  *taken = at;
  return {};
}

std::uint64_t block_bytes(const std::byte* bytes, std::uint64_t count) noexcept {
  const Head head(bytes);
  return head.packed_at() + packed_bytes(count, head.width) +
         exceptions_bytes(head.outliers, kWidth) + exceptions_bytes(head.strays, kWidth);
}

std::optional<PackedBlock> block_packed(const std::byte* bytes, std::uint64_t count) noexcept {
  const Head head(bytes);
  if (head.order != 0 || head.scaled != 0) return std::nullopt;
  PackedBlock out{.width = head.width,
                  .base = head.base,
                  .packed = bytes + kBlockHeadBytes,
                  .outliers = head.outliers};
  const std::uint64_t packed = packed_bytes(count, out.width);
  out.outlier_values = out.packed + packed;
  out.outlier_places = out.outlier_values + out.outliers * kWidth;
  out.bytes = block_bytes(bytes, count);
  return out;
}

std::uint64_t block_decode(const std::byte* bytes, std::uint64_t count,
                           std::uint64_t* out) noexcept {
  const Head head(bytes);
  const auto values = reinterpret_cast<std::byte*>(out);
  const std::byte* const packed = bytes + head.packed_at();
  unpack(packed, count, head.width, head.base, out);
  const std::byte* end = packed + packed_bytes(count, head.width);
  end += exceptions_restore(end, head.outliers, kWidth, values);
  if (head.order == 2) block_sums(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes + 8));
  if (head.order >= 1) block_sums(out, count, load_le<std::uint64_t>(bytes + kBlockHeadBytes));
  if (head.scaled != 0) {
    block_scale(out, count, load_le<std::uint64_t>(packed - 16),
                load_le<std::uint64_t>(packed - 8));
    if (!mutant("block-strays-lost")) exceptions_restore(end, head.strays, kWidth, values);
  }
  return block_bytes(bytes, count);
}

}  // namespace otolith::codec
