// Zone maps: the least and the greatest value of a page or chunk, their sum, and its nulls.
//
// Role:    prune decides from them what need not be read, scan/statistics.h answers from them; the
//          writer makes them while encoding.
// Shapes:  56 bytes: min 16 | max 16 | sum 16 | nulls u32 | flags u8 | min bytes u8 | max bytes u8
//          | zero u8.
//          Bounds: integers and timestamps as int64 or uint64, booleans as uint64 0 or 1, decimals
//          as int128, floats as float64, text as its first 16 bytes: a min that was cut is a lower
//          bound; a max that was cut is raised in its last byte that can be, and dropped
//          (kZoneMaxOpen) where none can.
//          Sums: int128 exactly; of floats two float64 (segment/summary.h), of the finite ones.
// Errors:  zone_parse throws corrupt through its reader.
// Threads: thread-compatible.
// Why:     bounds, not values: pruning needs no more, and long text would make the index long.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "otolith/batch.h"
#include "otolith/decimal.h"
#include "segment/summary.h"

namespace otolith::segment {

inline constexpr std::size_t kZoneBytes = 56;
inline constexpr std::size_t kZoneValueBytes = 16;

inline constexpr std::uint8_t kZoneHasBounds = 1;  // there is a value that is neither null nor NaN
inline constexpr std::uint8_t kZoneHasNan = 2;
inline constexpr std::uint8_t kZoneMinCut = 4;    // text: the min is a prefix of it
inline constexpr std::uint8_t kZoneMaxCut = 8;    // text: the max was raised
inline constexpr std::uint8_t kZoneMaxOpen = 16;  // text: no upper bound of 16 bytes exists
inline constexpr std::uint8_t kZoneNoSum = 32;    // the sum is beyond 128 bits, or any double

struct Zone {
  std::array<std::byte, kZoneValueBytes> min{};
  std::array<std::byte, kZoneValueBytes> max{};
  std::array<std::byte, kZoneValueBytes> sum{};
  std::uint32_t null_count = 0;
  std::uint8_t flags = 0;
  std::uint8_t min_bytes = 0;  // text only
  std::uint8_t max_bytes = 0;

  bool has_bounds() const noexcept { return (flags & kZoneHasBounds) != 0; }
  bool has_sum() const noexcept { return (flags & kZoneNoSum) == 0; }
  template <typename T>
  T min_as() const noexcept {
    return load_le<T>(min.data());
  }
  template <typename T>
  T max_as() const noexcept {
    return load_le<T>(max.data());
  }
  /// Of decimals.
  Int128 min_wide() const noexcept;
  Int128 max_wide() const noexcept;
  /// Of booleans, integers, timestamps and decimals.
  Int128 sum_integer() const noexcept;
  /// Of floats.
  model::DoubleSum sum_float() const noexcept {
    return {load_le<double>(sum.data()), load_le<double>(sum.data() + sizeof(double))};
  }
  bool operator==(const Zone&) const = default;
};

/// The zone of all rows of an Array: of a page, or of any <= kPageRowsMax rows.
Zone zone_of(const Array& rows);
/// Takes another zone of the same type in. The zone of a chunk is that of its pages, one by one.
void zone_merge(Zone& into, const Zone& other, Type type);

/// False if no row of the zone can equal the value; true is no promise. By stored type: the first
/// two for integers (the sign decides) and booleans, the third for decimals in units of the stored
/// scale, the last for text and binary.
bool zone_may_hold(const Zone& zone, Type type, std::int64_t value) noexcept;
bool zone_may_hold(const Zone& zone, Type type, std::uint64_t value) noexcept;
bool zone_may_hold(const Zone& zone, Decimal value) noexcept;
bool zone_may_hold(const Zone& zone, std::string_view value) noexcept;

void zone_write(ByteWriter& out, const Zone& zone);
Zone zone_parse(ByteReader& in, Type type);

}  // namespace otolith::segment
