#include "segment/zone.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"

namespace otolith::segment {

namespace {

template <typename T>
struct Bounds {
  T min;
  T max;
};

template <typename T>
constexpr T kHighest = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                            : std::numeric_limits<T>::max();
template <typename T>
constexpr T kLowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                           : std::numeric_limits<T>::lowest();

// Eight running bounds beside each other, so that the compiler keeps them in vector registers. A
// NaN compares false and changes none.
template <typename T>
Bounds<T> bounds_of(const T* values, std::uint64_t rows) noexcept {
  constexpr std::uint64_t kLanes = 8;
  T least[kLanes];
  T greatest[kLanes];
  std::fill_n(least, kLanes, kHighest<T>);
  std::fill_n(greatest, kLanes, kLowest<T>);
  std::uint64_t row = 0;
  for (; row + kLanes <= rows; row += kLanes) {
    for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
      const T value = values[row + lane];
      least[lane] = value < least[lane] ? value : least[lane];
      greatest[lane] = value > greatest[lane] ? value : greatest[lane];
    }
  }
  for (; row < rows; ++row) {
    least[0] = values[row] < least[0] ? values[row] : least[0];
    greatest[0] = values[row] > greatest[0] ? values[row] : greatest[0];
  }
  return {*std::min_element(least, least + kLanes), *std::max_element(greatest, greatest + kLanes)};
}

template <typename T>
Bounds<T> bounds_of_valid(const Array& rows) noexcept {
  Bounds<T> out{kHighest<T>, kLowest<T>};
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    const T value = rows.value<T>(row);
    if (rows.is_null(row)) continue;
    out.min = value < out.min ? value : out.min;
    out.max = value > out.max ? value : out.max;
  }
  return out;
}

template <typename T>
bool has_nan(const Array& rows) noexcept {
  bool found = false;
  const T* values = rows.values.as<T>();
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (rows.null_count == 0 || !rows.is_null(row)) found |= values[row] != values[row];
  }
  return found;
}

template <typename Stored, typename T>
void put_bounds(Zone& zone, Bounds<T> bounds) noexcept {
  if (!(bounds.min <= bounds.max)) return;
  zone.flags |= kZoneHasBounds;
  store_le(zone.min.data(), static_cast<Stored>(bounds.min));
  store_le(zone.max.data(), static_cast<Stored>(bounds.max));
}

template <typename T>
void put_numbers(Zone& zone, const Array& rows) noexcept {
  using Stored =
      std::conditional_t<std::is_floating_point_v<T>, double,
                         std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
  if (rows.null_count == rows.length) return;
  put_bounds<Stored>(zone, rows.null_count == 0 ? bounds_of(rows.values.as<T>(), rows.length)
                                                : bounds_of_valid<T>(rows));
  if constexpr (std::is_floating_point_v<T>) {
    if (has_nan<T>(rows)) zone.flags |= kZoneHasNan;
  }
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
  for (std::uint64_t row = 0; row < rows.length; ++row) {
    if (rows.is_null(row)) continue;
    const std::string_view text = rows.text(row);
    if (!bounds)
      bounds = Bounds<std::string_view>{text, text};
    else if (text < bounds->min)
      bounds->min = text;
    else if (text > bounds->max)
      bounds->max = text;
  }
  zone.flags |= kZoneHasBounds;
  put_min_text(zone, bounds->min);
  put_max_text(zone, bounds->max);
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

enum class Stored { int64, uint64, float64, text };

Stored stored_as(Type type) noexcept {
  switch (type.kind) {
    case TypeKind::string:
    case TypeKind::binary:
      return Stored::text;
    case TypeKind::float32:
    case TypeKind::float64:
      return Stored::float64;
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64:
      return Stored::uint64;
    default:
      return Stored::int64;
  }
}

bool clean_behind(const std::array<std::byte, kZoneValueBytes>& value, std::size_t bytes) noexcept {
  return std::all_of(value.begin() + static_cast<std::ptrdiff_t>(bytes), value.end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

void check_flags(ByteReader& in, const Zone& zone, Type type) {
  const Stored stored = stored_as(type);
  unsigned known = kZoneHasBounds;
  if (stored == Stored::float64) known |= kZoneHasNan;
  if (stored == Stored::text) known |= kZoneMinCut | kZoneMaxCut | kZoneMaxOpen;
  if ((zone.flags & ~known) != 0) in.fail("a zone map has flags that its type does not have");
  const std::size_t bytes_max = stored == Stored::text ? kZoneValueBytes : 0;
  if (zone.min_bytes > bytes_max || zone.max_bytes > bytes_max) in.fail("a zone map is too long");
  const std::size_t used = !zone.has_bounds() ? 0 : stored == Stored::text ? 16 : 8;
  const std::size_t min_used = stored == Stored::text ? zone.min_bytes : used;
  const std::size_t max_used = stored == Stored::text ? zone.max_bytes : used;
  if (min_used > used || max_used > used || !clean_behind(zone.min, min_used) ||
      !clean_behind(zone.max, max_used)) {
    in.fail("a zone map has bytes behind its bounds");
  }
}

}  // namespace

Zone zone_of(const Array& rows) {
  Zone zone;
  zone.null_count = static_cast<std::uint32_t>(rows.null_count);
  switch (rows.type.kind) {
    case TypeKind::int8:
      put_numbers<std::int8_t>(zone, rows);
      break;
    case TypeKind::int16:
      put_numbers<std::int16_t>(zone, rows);
      break;
    case TypeKind::int32:
      put_numbers<std::int32_t>(zone, rows);
      break;
    case TypeKind::int64:
    case TypeKind::timestamp:
      put_numbers<std::int64_t>(zone, rows);
      break;
    case TypeKind::uint8:
      put_numbers<std::uint8_t>(zone, rows);
      break;
    case TypeKind::uint16:
      put_numbers<std::uint16_t>(zone, rows);
      break;
    case TypeKind::uint32:
      put_numbers<std::uint32_t>(zone, rows);
      break;
    case TypeKind::uint64:
      put_numbers<std::uint64_t>(zone, rows);
      break;
    case TypeKind::float32:
      put_numbers<float>(zone, rows);
      break;
    case TypeKind::float64:
      put_numbers<double>(zone, rows);
      break;
    case TypeKind::string:
    case TypeKind::binary:
      put_texts(zone, rows);
      break;
    case TypeKind::boolean:
    case TypeKind::decimal:
      break;  // no bounds: prune keeps them
  }
  return zone;
}

void zone_merge(Zone& into, const Zone& other, Type type) {
  const std::uint32_t nulls = into.null_count + other.null_count;
  const auto nan = static_cast<std::uint8_t>((into.flags | other.flags) & kZoneHasNan);
  if (!into.has_bounds()) {
    into = other;
  } else if (other.has_bounds()) {
    switch (stored_as(type)) {
      case Stored::int64:
        merge_numbers<std::int64_t>(into, other);
        break;
      case Stored::uint64:
        merge_numbers<std::uint64_t>(into, other);
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
  if (stored_as(type) == Stored::uint64) {
    return value >= 0 && zone_may_hold(zone, type, static_cast<std::uint64_t>(value));
  }
  return zone.min_as<std::int64_t>() <= value && value <= zone.max_as<std::int64_t>();
}

bool zone_may_hold(const Zone& zone, Type type, std::uint64_t value) noexcept {
  if (!zone.has_bounds()) return false;
  if (stored_as(type) == Stored::int64) {
    return value <= INT64_MAX && zone_may_hold(zone, type, static_cast<std::int64_t>(value));
  }
  return zone.min_as<std::uint64_t>() <= value && value <= zone.max_as<std::uint64_t>();
}

bool zone_may_hold(const Zone& zone, std::string_view value) noexcept {
  if (!zone.has_bounds() || value < min_text(zone)) return false;
  return (zone.flags & kZoneMaxOpen) != 0 || value <= max_text(zone);
}

void zone_write(ByteWriter& out, const Zone& zone) {
  out.put_bytes(zone.min);
  out.put_bytes(zone.max);
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
  zone.null_count = in.get<std::uint32_t>();
  zone.flags = in.get<std::uint8_t>();
  zone.min_bytes = in.get<std::uint8_t>();
  zone.max_bytes = in.get<std::uint8_t>();
  in.skip_zeros(1);
  check_flags(in, zone, type);
  return zone;
}

}  // namespace otolith::segment
