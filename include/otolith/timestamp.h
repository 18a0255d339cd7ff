// A point in time: nanoseconds since 1970-01-01 UTC, from 1677-09-21 to 2262-04-11.
//
// Role:    the time column of every table, the time of every commit, the bounds of every read.
// Shapes:  int64 nanoseconds; -2^63 is no time (NumPy's NaT) and is never stored as one.
// Errors:  invalid_argument for text that is no time, and for times outside the range.
// Threads: immutable.
// Why:     a type of its own, so that a time is never mistaken for a count or a number of rows.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace otolith {

/// Nanoseconds since the Unix epoch, UTC.
struct Timestamp {
  std::int64_t ns = 0;
  auto operator<=>(const Timestamp&) const = default;
};

inline constexpr Timestamp kTimestampMin{-INT64_MAX};  // 1677-09-21T00:12:43.145224193Z
inline constexpr Timestamp kTimestampMax{INT64_MAX};   // 2262-04-11T23:47:16.854775807Z
inline constexpr std::int64_t kNotATime = INT64_MIN;   // never a valid time

/// Parses ISO 8601: `2026-01-05`, `2026-01-05T12:00`, `2026-01-05 12:00:00.123456789+02:00`, `…Z`.
/// Text without a zone is UTC. Throws invalid_argument naming the text and the remedy.
Timestamp timestamp_parse(std::string_view text);

/// ISO 8601 in UTC with as many fractional digits (0, 3, 6 or 9) as the value needs.
std::string timestamp_format(Timestamp time);

}  // namespace otolith
