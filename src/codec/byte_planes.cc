#include "codec/byte_planes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/limits.h"
#include "codec/compress.h"

namespace otolith::codec {

namespace {

constexpr std::size_t kHeadBytes = 16;
constexpr std::size_t kEntryBytes = 8;
constexpr std::uint8_t kConstant = 0;
constexpr std::uint8_t kStored = 1;
constexpr std::uint8_t kZstd = 2;
constexpr double kFrameBits = 160;  // of a frame of zstd beside what it codes

using Plane = std::array<std::byte, kPageRowsMax>;

struct Entry {
  std::uint8_t kind = kConstant;
  std::uint8_t byte = 0;
  std::uint32_t bytes = 0;
};

Entry entry_of(const std::byte* bytes, unsigned plane) noexcept {
  const std::byte* at = bytes + kHeadBytes + plane * kEntryBytes;
  return {load_le<std::uint8_t>(at), load_le<std::uint8_t>(at + 1), load_le<std::uint32_t>(at + 4)};
}

// ---------------------------------------------------------------------------------------- analyze

unsigned planes_over(std::span<const std::uint64_t> values, std::uint64_t base) noexcept {
  std::uint64_t any = 0;
  for (const std::uint64_t value : values) any |= value - base;
  return static_cast<unsigned>(std::bit_width(any) + 7) / 8;
}

// Near log2(n), in IEEE 754 operations alone: a libm's own may differ from another's in the last
// bit, and what is chosen by it is written.
double near_log2(std::uint64_t n) noexcept {
  const int exponent = static_cast<int>(std::bit_width(n)) - 1;
  const double fraction = std::ldexp(double(n), -exponent);  // 1 to 2
  const double z = (fraction - 1) / (fraction + 1);          // ln(fraction) = 2 artanh(z)
  double sum = 0;
  for (int odd = 15; odd > 0; odd -= 2) sum = sum * (z * z) + 1.0 / odd;
  constexpr double kTwoByLn2 = 2.8853900817779268;
  return exponent + kTwoByLn2 * z * sum;
}

// Bits of all planes by the entropy of each, their entries included.
double cost_over(std::span<const std::uint64_t> values, std::uint64_t base) {
  const unsigned planes = planes_over(values, base);
  double bits = 0;
  for (unsigned plane = 0; plane < planes; ++plane) {
    std::array<std::uint32_t, 256> times{};
    for (const std::uint64_t value : values) ++times[((value - base) >> (plane * 8)) & 0xff];
    double sum = 0;
    for (const std::uint32_t n : times) sum += n == 0 ? 0 : n * near_log2(n);
    const double entropy = double(values.size()) * near_log2(values.size()) - sum;
    bits += kEntryBytes * 8;
    if (entropy > 0) bits += std::min(entropy + kFrameBits, double(values.size()) * 8);
  }
  return bits;
}

// The least value, or the least that is not far below most others, so that few outliers do not
// lay the carry between two planes amid the rest.
std::uint64_t base_of(std::span<const std::uint64_t> values) {
  constexpr std::size_t kSample = 65;
  std::array<std::int64_t, kSample> sample{};
  for (std::size_t i = 0; i < kSample; ++i)
    sample[i] = static_cast<std::int64_t>(values[i * (values.size() - 1) / (kSample - 1)]);
  std::ranges::sort(sample);
  const auto low = static_cast<std::uint64_t>(sample[kSample / 8]);
  const std::uint64_t reach = static_cast<std::uint64_t>(sample[kSample - kSample / 8]) - low;
  std::int64_t least = INT64_MAX;
  auto most = static_cast<std::int64_t>(low);
  for (const std::uint64_t bits : values) {
    const auto value = static_cast<std::int64_t>(bits);
    least = std::min(least, value);
    if (value < most && (low - bits) / 8 <= reach) most = value;
  }
  const auto base = static_cast<std::uint64_t>(least);
  const auto other = static_cast<std::uint64_t>(most);
  return base == other || cost_over(values, base) <= cost_over(values, other) ? base : other;
}

// ----------------------------------------------------------------------------------------- encode

// Appends what is stored of a plane.
Entry put_plane(BytesView bytes, ByteWriter& out) {
  if (std::ranges::all_of(bytes, [&](std::byte byte) { return byte == bytes[0]; }))
    return {kConstant, std::to_integer<std::uint8_t>(bytes[0]), 0};
  ByteWriter frame;
  zstd_put(bytes, frame);
  const bool smaller = frame.size() < bytes.size();
  out.put_bytes(smaller ? frame.view() : bytes);
  return {smaller ? kZstd : kStored, 0,
          static_cast<std::uint32_t>(smaller ? frame.size() : bytes.size())};
}

}  // namespace

double planes_cost(std::span<const std::uint64_t> values) {
  return cost_over(values, base_of(values));
}

void planes_put(std::span<const std::uint64_t> values, ByteWriter& out) {
  OTO_INVARIANT(!values.empty() && values.size() <= kPageRowsMax);
  const std::uint64_t base = base_of(values);
  const unsigned planes = planes_over(values, base);
  out.put(static_cast<std::uint8_t>(planes));
  out.put_zeros(7);
  out.put(base);
  ByteWriter stored;
  Plane bytes;
  for (unsigned plane = 0; plane < planes; ++plane) {
    for (std::size_t i = 0; i < values.size(); ++i)
      bytes[i] = static_cast<std::byte>((values[i] - base) >> (plane * 8));
    const Entry entry = put_plane(BytesView(bytes).first(values.size()), stored);
    out.put(entry.kind);
    out.put(entry.byte);
    out.put_zeros(2);
    out.put(entry.bytes);
  }
  out.put_bytes(stored.view());
  out.put_zeros(align_up(stored.size(), 8) - stored.size());
}

// ----------------------------------------------------------------------------------------- decode

namespace {

std::string_view plane_flaw(const Entry& entry, BytesView rest, std::uint64_t count) noexcept {
  if (entry.kind > kZstd || (entry.kind != kConstant && entry.byte != 0) ||
      (entry.kind == kConstant && entry.bytes != 0) ||
      (entry.kind == kStored && entry.bytes != count)) {
    return "the head of a plane is impossible";
  }
  if (entry.bytes > rest.size()) return "a plane is cut short";
  Plane bytes;
  if (entry.kind == kZstd && !zstd_get(rest.first(entry.bytes), bytes.data(), count))
    return "a plane is no frame of zstd of its size";
  return {};
}

void add_plane(const std::byte* bytes, unsigned shift, std::uint64_t count,
               std::uint64_t* out) noexcept {
  for (std::uint64_t i = 0; i < count; ++i)
    out[i] += std::to_integer<std::uint64_t>(bytes[i]) << shift;
}

}  // namespace

std::string_view planes_flaw(BytesView bytes, std::uint64_t count, std::uint64_t* taken) {
  if (bytes.size() < kHeadBytes) return "its planes are cut short";
  const auto planes = load_le<std::uint8_t>(&bytes[0]);
  if (planes > kPlanesMax) return "it has too many planes";
  if (load_le<std::uint64_t>(&bytes[0]) != planes) return "a reserved byte is not zero";
  std::uint64_t at = kHeadBytes + planes * kEntryBytes;
  if (bytes.size() < at) return "its planes are cut short";
  for (unsigned plane = 0; plane < planes; ++plane) {
    const Entry entry = entry_of(bytes.data(), plane);
    if (load_le<std::uint16_t>(&bytes[kHeadBytes + plane * kEntryBytes + 2]) != 0)
      return "a reserved byte is not zero";
    if (const auto wrong = plane_flaw(entry, bytes.subspan(at), count); !wrong.empty())
      return wrong;
    at += entry.bytes;
  }
  *taken = align_up(at, 8);
  if (*taken > bytes.size()) return "its planes are cut short";
  return all_zero(bytes.subspan(at, *taken - at)) ? "" : "a reserved byte is not zero";
}

std::uint64_t planes_get(const std::byte* bytes, std::uint64_t count, std::uint64_t* out) {
  const unsigned planes = load_le<std::uint8_t>(bytes);
  std::uint64_t base = load_le<std::uint64_t>(bytes + 8);
  for (unsigned plane = 0; plane < planes; ++plane) {
    const Entry entry = entry_of(bytes, plane);
    if (entry.kind == kConstant) base += std::uint64_t{entry.byte} << (plane * 8);
  }
  std::fill_n(out, count, base);
  const std::byte* at = bytes + kHeadBytes + planes * kEntryBytes;
  for (unsigned plane = 0; plane < planes; ++plane) {
    const Entry entry = entry_of(bytes, plane);
    if (entry.kind == kStored) {
      add_plane(at, plane * 8, count, out);
    } else if (entry.kind == kZstd) {
      Plane room;
      if (!zstd_get({at, entry.bytes}, room.data(), count)) bytes_changed();
      add_plane(room.data(), plane * 8, count, out);
    }
    at += entry.bytes;
  }
  return align_up(static_cast<std::uint64_t>(at - bytes), 8);
}

}  // namespace otolith::codec
