// Times as files have them: ISO 8601, dates with the day or the month first, counts since 1970.
//
// Role:    cells of timestamp columns, and the guess of what they are.
// Shapes:  text without a zone is UTC; fractions of up to nine digits.
// Errors:  none: a text that is no time of the form is false.
// Threads: thread-safe.
// Why:     millions of times a second: rows that follow each other are often of one day, whose
//          number is kept.
#pragma once

#include <cstdint>
#include <string_view>

namespace otolith::files {

/// How a time is written.
enum class TimeForm : std::uint8_t {
  iso,
  day_first,    // 31/12/2026, 31.12.2026 23:59
  month_first,  // 12/31/2026
  seconds,      // since 1970, with or without a fraction
  milliseconds,
  microseconds,
  nanoseconds,
};
/// "ISO 8601", "day/month/year", …
std::string_view time_form_name(TimeForm form) noexcept;

/// Reads times of one form.
class TimeReader {
 public:
  explicit TimeReader(TimeForm form) : form_(form) {}
  /// Nanoseconds since 1970 UTC; false for what is no time of the form, or none that can be stored.
  bool read(std::string_view text, std::int64_t& ns);

 private:
  bool read_date(std::string_view text, std::int64_t& days);
  bool read_count(std::string_view text, std::int64_t& ns) const;

  TimeForm form_;
  char date_[10] = {};  // of the last time, as it was written
  std::int64_t days_ = 0;
  bool known_ = false;
};

}  // namespace otolith::files
