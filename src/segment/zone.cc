#include "segment/zone.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"
#include "otolith/decimal.h"

namespace otolith::segment {

namespace {

using model::DoubleSum;

template <typename T>
struct Bounds {
  T min;
  T max;
};

using Value = std::array<std::byte, kZoneValueBytes>;

Int128 wide(const Value& value) noexcept {
  Int128 out;
  std::memcpy(&out, value.data(), sizeof out);
  return out;
}

void put_wide(Value& value, Int128 number) noexcept {
  std::memcpy(value.data(), &number, sizeof number);
}

void put_sum(Zone& zone, DoubleSum sum) noexcept {
  store_le(zone.sum.data(), sum.high);
  store_le(zone.sum.data() + sizeof(double), sum.low);
}

template <typename T>
void put_integers(Zone& zone, const Array& rows) noexcept {
  using Kept = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  if (rows.null_count == rows.length) return;
  const IntegerSummary<T> summary = integers_summary<T>(rows);
  zone.flags |= kZoneHasBounds;
  store_le(zone.min.data(), static_cast<Kept>(summary.least));
  store_le(zone.max.data(), static_cast<Kept>(summary.greatest));
  put_wide(zone.sum, summary.sum);
}

template <typename T>
void put_floats(Zone& zone, const Array& rows) noexcept {
  if (rows.null_count == rows.length) return;
  const FloatSummary summary = floats_summary<T>(rows);
  if (summary.nan) zone.flags |= kZoneHasNan;
  if (!summary.summed) zone.flags |= kZoneNoSum;
  put_sum(zone, summary.sum);
  if (summary.least > summary.greatest) return;
  zone.flags |= kZoneHasBounds;
  // 0.0 is equal to -0.0 and has other bytes, and which comes first hangs on the order of
  // comparing: -0.0 + 0.0 is 0.0.
  const double positive = mutant("zone-zero-keeps-its-sign") ? -0.0 : 0.0;
  store_le(zone.min.data(), summary.least + positive);
  store_le(zone.max.data(), summary.greatest + positive);
}

// Adds without loss, or says that it cannot.
void add_wide(Zone& zone, Int128 number) noexcept {
  Int128 sum = wide(zone.sum);
  if (__builtin_add_overflow(sum, number, &sum)) {
    zone.flags |= kZoneNoSum;
    sum = 0;
  }
  put_wide(zone.sum, zone.has_sum() ? sum : 0);
}

void put_decimals(Zone& zone, const Array& rows) noexcept {
  std::optional<Bounds<Int128>> bounds;
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (rows.is_null(row)) continue;
    Int128 value;
    std::memcpy(&value, rows.values.bytes.data() + row * sizeof value, sizeof value);
    if (!bounds) bounds = Bounds<Int128>{value, value};
    bounds = Bounds<Int128>{std::min(bounds->min, value), std::max(bounds->max, value)};
    add_wide(zone, value);
  }
  if (!bounds) return;
  zone.flags |= kZoneHasBounds;
  put_wide(zone.min, bounds->min);
  put_wide(zone.max, bounds->max);
}

Decimal decimal_bound(const std::array<std::byte, kZoneValueBytes>& from) noexcept {
  return {load_le<std::uint64_t>(from.data()), load_le<std::int64_t>(from.data() + 8)};
}

std::string_view min_text(const Zone& zone) noexcept {
  return {reinterpret_cast<const char*>(zone.min.data()), zone.min_bytes};
}
std::string_view max_text(const Zone& zone) noexcept {
  return {reinterpret_cast<const char*>(zone.max.data()), zone.max_bytes};
}

void put_min_text(Zone& zone, std::string_view least) noexcept {
  zone.min_bytes = static_cast<std::uint8_t>(std::min(least.size(), kZoneValueBytes));
  std::ranges::copy(as_bytes_view(least.substr(0, zone.min_bytes)), zone.min.begin());
  if (least.size() > kZoneValueBytes) zone.flags |= kZoneMinCut;
}

// A greatest text that does not fit is cut and its last byte below 0xff raised, so that it bounds
// all that begin like it; where every byte is 0xff there is no such bound.
void put_max_text(Zone& zone, std::string_view greatest) noexcept {
  std::size_t bytes = std::min(greatest.size(), kZoneValueBytes);
  std::ranges::copy(as_bytes_view(greatest.substr(0, bytes)), zone.max.begin());
  if (greatest.size() > kZoneValueBytes && !mutant("zone_max_text_not_raised")) {
    zone.flags |= kZoneMaxCut;
    while (bytes != 0 && zone.max[bytes - 1] == std::byte{0xff}) zone.max[--bytes] = std::byte{0};
    if (bytes == 0)
      zone.flags |= kZoneMaxOpen;
    else
      zone.max[bytes - 1] =
          static_cast<std::byte>(std::to_integer<unsigned>(zone.max[bytes - 1]) + 1);
  }
  zone.max_bytes = static_cast<std::uint8_t>(bytes);
}

void put_texts(Zone& zone, const Array& rows) noexcept {
  if (rows.null_count == rows.length) return;
  std::optional<Bounds<std::string_view>> bounds;
  Bounds<std::uint64_t> leading{};  // of them: what lies between these need not be compared
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (rows.is_null(row)) continue;
    const std::string_view text = rows.text(row);
    const std::uint64_t head = leading_bytes(text, rows.values.bytes);
    if (bounds && leading.min < head && head < leading.max) continue;
    if (!bounds) {
      bounds = {text, text};
      leading = {head, head};
    } else if (text < bounds->min) {
      bounds->min = text;
      leading.min = head;
    } else if (text > bounds->max) {
      bounds->max = text;
      leading.max = head;
    }
  }
  zone.flags |= kZoneHasBounds;
  put_min_text(zone, bounds->min);
  put_max_text(zone, bounds->max);
}

void merge_sums(Zone& into, const Zone& other, bool floats) noexcept {
  into.flags = static_cast<std::uint8_t>(into.flags | (other.flags & kZoneNoSum));
  if (into.has_sum() && floats) {
    const DoubleSum sum = model::sum_add(into.sum_float(), other.sum_float());
    if (!sum.finite()) into.flags |= kZoneNoSum;
    put_sum(into, sum);
  } else if (into.has_sum()) {
    add_wide(into, other.sum_integer());
  }
  if (!into.has_sum()) into.sum = {};
}

void merge_wide(Zone& into, const Zone& other) noexcept {
  if (other.min_wide() < into.min_wide()) into.min = other.min;
  if (other.max_wide() > into.max_wide()) into.max = other.max;
}

template <typename T>
void merge_numbers(Zone& into, const Zone& other) noexcept {
  if (other.min_as<T>() < into.min_as<T>()) into.min = other.min;
  if (other.max_as<T>() > into.max_as<T>()) into.max = other.max;
}

void take_flag(Zone& into, const Zone& other, unsigned flags) noexcept {
  into.flags = static_cast<std::uint8_t>((into.flags & ~flags) | (other.flags & flags));
}

void merge_texts(Zone& into, const Zone& other) noexcept {
  if (min_text(other) < min_text(into)) {
    into.min = other.min;
    into.min_bytes = other.min_bytes;
    take_flag(into, other, kZoneMinCut);
  }
  if ((into.flags & kZoneMaxOpen) != 0) return;
  if ((other.flags & kZoneMaxOpen) != 0 || max_text(other) > max_text(into)) {
    into.max = other.max;
    into.max_bytes = other.max_bytes;
    take_flag(into, other, kZoneMaxCut | kZoneMaxOpen);
  }
}

enum class Stored { int64, uint64, int128, float64, text };

Stored stored_as(Type type) noexcept {
  switch (type.kind) {
    case TypeKind::string:
    case TypeKind::binary:
      return Stored::text;
    case TypeKind::float32:
    case TypeKind::float64:
      return Stored::float64;
    case TypeKind::boolean:
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64:
      return Stored::uint64;
    case TypeKind::decimal:
      return Stored::int128;
    default:
      return Stored::int64;
  }
}

bool clean_behind(const std::array<std::byte, kZoneValueBytes>& value, std::size_t bytes) noexcept {
  return std::all_of(value.begin() + static_cast<std::ptrdiff_t>(bytes), value.end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

// Bytes of a bound that its type uses.
std::size_t bound_bytes(Stored stored, std::uint8_t text_bytes) noexcept {
  if (stored == Stored::text) return text_bytes;
  return stored == Stored::int128 ? sizeof(Int128) : sizeof(std::uint64_t);
}

unsigned known_flags(Stored stored) noexcept {
  switch (stored) {
    case Stored::float64:
      return kZoneHasBounds | kZoneHasNan | kZoneNoSum;
    case Stored::text:
      return kZoneHasBounds | kZoneMinCut | kZoneMaxCut | kZoneMaxOpen;
    case Stored::int128:
      return kZoneHasBounds | kZoneNoSum;
    default:
      return kZoneHasBounds;
  }
}

void check_bounds(ByteReader& in, const Zone& zone, Stored stored) {
  if ((zone.flags & ~known_flags(stored)) != 0) {
    in.fail("a zone map has flags that its type does not have");
  }
  const std::size_t text_bytes_max = stored == Stored::text ? kZoneValueBytes : 0;
  if (zone.min_bytes > text_bytes_max || zone.max_bytes > text_bytes_max) {
    in.fail("a zone map is too long");
  }
  const bool any = zone.has_bounds();
  if ((!any && (zone.min_bytes != 0 || zone.max_bytes != 0)) ||
      !clean_behind(zone.min, any ? bound_bytes(stored, zone.min_bytes) : 0) ||
      !clean_behind(zone.max, any ? bound_bytes(stored, zone.max_bytes) : 0)) {
    in.fail("a zone map has bytes behind its bounds");
  }
}

// A sum is there where values are, and a number; what it comes to is verify's to say.
void check_sum(ByteReader& in, const Zone& zone, Stored stored) {
  const bool none = stored == Stored::text || !zone.has_bounds() || !zone.has_sum();
  if (none && !clean_behind(zone.sum, 0)) in.fail("a zone map has a sum of nothing");
  if (!none && stored == Stored::float64 && !zone.sum_float().finite()) {
    in.fail("the sum in a zone map is no number");
  }
}

}  // namespace

Int128 Zone::sum_integer() const noexcept { return wide(sum); }
Int128 Zone::min_wide() const noexcept { return wide(min); }
Int128 Zone::max_wide() const noexcept { return wide(max); }

Zone zone_of(const Array& rows) {
  Zone zone;
  zone.null_count = static_cast<std::uint32_t>(rows.null_count);
  switch (rows.type.kind) {
    case TypeKind::int8:
      put_integers<std::int8_t>(zone, rows);
      break;
    case TypeKind::int16:
      put_integers<std::int16_t>(zone, rows);
      break;
    case TypeKind::int32:
      put_integers<std::int32_t>(zone, rows);
      break;
    case TypeKind::int64:
    case TypeKind::timestamp:
      put_integers<std::int64_t>(zone, rows);
      break;
    case TypeKind::boolean:
    case TypeKind::uint8:
      put_integers<std::uint8_t>(zone, rows);
      break;
    case TypeKind::uint16:
      put_integers<std::uint16_t>(zone, rows);
      break;
    case TypeKind::uint32:
      put_integers<std::uint32_t>(zone, rows);
      break;
    case TypeKind::uint64:
      put_integers<std::uint64_t>(zone, rows);
      break;
    case TypeKind::float32:
      put_floats<float>(zone, rows);
      break;
    case TypeKind::float64:
      put_floats<double>(zone, rows);
      break;
    case TypeKind::string:
    case TypeKind::binary:
      put_texts(zone, rows);
      break;
    case TypeKind::decimal:
      put_decimals(zone, rows);
      break;
  }
  return zone;
}

void zone_merge(Zone& into, const Zone& other, Type type) {
  const std::uint32_t nulls = into.null_count + other.null_count;
  const auto nan = static_cast<std::uint8_t>((into.flags | other.flags) & kZoneHasNan);
  const Stored stored = stored_as(type);
  if (into.has_bounds() && other.has_bounds() && stored != Stored::text) {
    merge_sums(into, other, stored == Stored::float64);
  }
  if (!into.has_bounds()) {
    into = other;
  } else if (other.has_bounds()) {
    switch (stored) {
      case Stored::int64:
        merge_numbers<std::int64_t>(into, other);
        break;
      case Stored::uint64:
        merge_numbers<std::uint64_t>(into, other);
        break;
      case Stored::int128:
        merge_wide(into, other);
        break;
      case Stored::float64:
        merge_numbers<double>(into, other);
        break;
      case Stored::text:
        merge_texts(into, other);
        break;
    }
  }
  into.null_count = nulls;
  into.flags |= nan;
}

bool zone_may_hold(const Zone& zone, Type type, std::int64_t value) noexcept {
  if (!zone.has_bounds()) return false;
  if (stored_as(type) == Stored::int128) {
    return zone.min_wide() <= value && value <= zone.max_wide();
  }
  if (stored_as(type) == Stored::uint64) {
    return value >= 0 && zone_may_hold(zone, type, static_cast<std::uint64_t>(value));
  }
  return zone.min_as<std::int64_t>() <= value && value <= zone.max_as<std::int64_t>();
}

bool zone_may_hold(const Zone& zone, Type type, std::uint64_t value) noexcept {
  if (!zone.has_bounds()) return false;
  if (stored_as(type) == Stored::int128) {
    return zone.min_wide() <= value && value <= zone.max_wide();
  }
  if (stored_as(type) == Stored::int64) {
    return value <= INT64_MAX && zone_may_hold(zone, type, static_cast<std::int64_t>(value));
  }
  return zone.min_as<std::uint64_t>() <= value && value <= zone.max_as<std::uint64_t>();
}

bool zone_may_hold(const Zone& zone, std::string_view value) noexcept {
  if (!zone.has_bounds() || value < min_text(zone)) return false;
  return (zone.flags & kZoneMaxOpen) != 0 || value <= max_text(zone);
}

bool zone_may_hold(const Zone& zone, Decimal value) noexcept {
  return zone.has_bounds() && decimal_bound(zone.min) <= value && value <= decimal_bound(zone.max);
}

void zone_write(ByteWriter& out, const Zone& zone) {
  out.put_bytes(zone.min);
  out.put_bytes(zone.max);
  out.put_bytes(zone.sum);
  out.put(zone.null_count);
  out.put(zone.flags);
  out.put(zone.min_bytes);
  out.put(zone.max_bytes);
  out.put_zeros(1);
}

Zone zone_parse(ByteReader& in, Type type) {
  Zone zone;
  std::ranges::copy(in.get_bytes(kZoneValueBytes), zone.min.begin());
  std::ranges::copy(in.get_bytes(kZoneValueBytes), zone.max.begin());
  std::ranges::copy(in.get_bytes(kZoneValueBytes), zone.sum.begin());
  zone.null_count = in.get<std::uint32_t>();
  zone.flags = in.get<std::uint8_t>();
  zone.min_bytes = in.get<std::uint8_t>();
  zone.max_bytes = in.get<std::uint8_t>();
  in.skip_zeros(1);
  check_bounds(in, zone, stored_as(type));
  check_sum(in, zone, stored_as(type));
  return zone;
}

}  // namespace otolith::segment
