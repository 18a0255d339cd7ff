#include "files/time_text.h"

#include <charconv>
#include <chrono>
#include <cstring>

#include "base/int128.h"
#include "otolith/timestamp.h"

namespace otolith::files {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::size_t kDateBytes = 10;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// Two digits at an offset, or -1.
int two(std::string_view text, std::size_t at) noexcept {
  if (!is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

bool days_of(int year, int month, int day, std::int64_t& days) {
  using namespace std::chrono;
  if (year < 0 || month < 0 || day < 0) return false;
  const year_month_day date{std::chrono::year{year}, std::chrono::month(unsigned(month)),
                            std::chrono::day(unsigned(day))};
  if (!date.ok()) return false;
  days = sys_days(date).time_since_epoch().count();
  return true;
}

// "31/12/2026" or "1.2.2026": the numbers before the first blank or T, and how many bytes.
bool split_date(std::string_view text, int (&parts)[3], std::size_t& bytes) {
  std::size_t at = 0;
  char mark = '\0';
  for (int part = 0; part < 3; ++part) {
    const std::size_t begin = at;
    int value = 0;
    while (at < text.size() && is_digit(text[at]) && at - begin < 4)
      value = value * 10 + (text[at++] - '0');
    const std::size_t digits = at - begin;
    if (digits == 0 || (part == 2) != (digits == 4) || (part < 2 && digits > 2)) return false;
    parts[part] = value;
    if (part == 2) break;
    if (at == text.size() || (text[at] != '/' && text[at] != '.' && text[at] != '-')) return false;
    if (part == 0) mark = text[at];
    if (text[at] != mark) return false;
    ++at;
  }
  bytes = at;
  return true;
}

// "Z", "+02:00", "+0200", "+02" or nothing: minutes ahead of UTC.
bool read_zone(std::string_view text, int& minutes) {
  minutes = 0;
  if (text.empty() || text == "Z" || text == "z") return true;
  if (text == " UTC" || text == " Z") return true;
  if ((text[0] != '+' && text[0] != '-') || text.size() < 3) return false;
  const int hours = two(text, 1);
  int rest = 0;
  if (text.size() == 5)
    rest = two(text, 3);
  else if (text.size() == 6 && text[3] == ':')
    rest = two(text, 4);
  else if (text.size() != 3)
    return false;
  if (hours < 0 || hours > 23 || rest < 0 || rest > 59) return false;
  minutes = (hours * 60 + rest) * (text[0] == '-' ? -1 : 1);
  return true;
}

// "12:00", "12:00:00.123456789+02:00" behind a date: nanoseconds from its midnight.
bool read_clock(std::string_view text, Int128& ns) {
  if (text.size() < 5 || text[2] != ':') return false;
  const int hours = two(text, 0);
  const int minutes = two(text, 3);
  int seconds = 0;
  std::int64_t fraction = 0;
  text.remove_prefix(5);
  if (text.size() >= 3 && text[0] == ':') {
    seconds = two(text, 1);
    text.remove_prefix(3);
    if (!text.empty() && (text[0] == '.' || text[0] == ',')) {
      std::int64_t unit = kSecondNs;
      std::size_t at = 1;
      for (; at < text.size() && is_digit(text[at]); ++at) {
        unit /= 10;
        if (unit == 0) return false;  // more than nanoseconds
        fraction += unit * (text[at] - '0');
      }
      if (at == 1) return false;
      text.remove_prefix(at);
    }
  }
  int zone = 0;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 ||
      !read_zone(text, zone))
    return false;
  ns = Int128{((hours * 60 + minutes - zone) * 60 + seconds)} * kSecondNs + fraction;
  return true;
}

bool stored(Int128 ns, std::int64_t& out) {
  if (ns < kTimestampMin.ns || ns > kTimestampMax.ns) return false;
  out = static_cast<std::int64_t>(ns);
  return true;
}

}  // namespace

std::string_view time_form_name(TimeForm form) noexcept {
  switch (form) {
    case TimeForm::iso:
      return "ISO 8601";
    case TimeForm::day_first:
      return "day/month/year";
    case TimeForm::month_first:
      return "month/day/year";
    case TimeForm::seconds:
      return "seconds since 1970";
    case TimeForm::milliseconds:
      return "milliseconds since 1970";
    case TimeForm::microseconds:
      return "microseconds since 1970";
    case TimeForm::nanoseconds:
      return "nanoseconds since 1970";
  }
  return "";
}

// The number of the day that ten bytes of ISO 8601 name.
bool TimeReader::read_date(std::string_view text, std::int64_t& days) {
  if (known_ && std::memcmp(text.data(), date_, kDateBytes) == 0) {
    days = days_;
    return true;
  }
  if (text[4] != '-' || text[7] != '-') return false;
  const int century = two(text, 0);
  const int rest = two(text, 2);
  if (century < 0 || rest < 0 || !days_of(century * 100 + rest, two(text, 5), two(text, 8), days))
    return false;
  std::memcpy(date_, text.data(), kDateBytes);
  days_ = days;
  known_ = true;
  return true;
}

bool TimeReader::read_count(std::string_view text, std::int64_t& ns) const {
  const std::int64_t unit = form_ == TimeForm::seconds        ? kSecondNs
                            : form_ == TimeForm::milliseconds ? 1'000'000
                            : form_ == TimeForm::microseconds ? 1'000
                                                              : 1;
  std::int64_t whole = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  auto [at, failed] = std::from_chars(begin, end, whole);
  if (failed != std::errc()) return false;
  Int128 total = Int128{whole} * unit;
  if (at != end) {
    const bool point = *at == '.';
    ++at;
    if (!point || at == end) return false;
    const Int128 sign = text.front() == '-' ? -1 : 1;
    for (std::int64_t part = unit / 10; at != end; ++at, part /= 10) {
      if (!is_digit(*at)) return false;
      total += sign * part * (*at - '0');
    }
  }
  return stored(total, ns);
}

bool TimeReader::read(std::string_view text, std::int64_t& ns) {
  if (form_ >= TimeForm::seconds) return read_count(text, ns);
  std::int64_t days = 0;
  std::size_t bytes = kDateBytes;
  if (form_ == TimeForm::iso) {
    if (text.size() < kDateBytes || !read_date(text, days)) return false;
  } else {
    int parts[3] = {};
    if (!split_date(text, parts, bytes)) return false;
    const bool month_first = form_ == TimeForm::month_first;
    if (!days_of(parts[2], parts[month_first ? 0 : 1], parts[month_first ? 1 : 0], days))
      return false;
  }
  Int128 clock = 0;
  if (text.size() != bytes) {
    const char mark = text[bytes];
    if (mark != 'T' && mark != ' ' && mark != 't') return false;
    if (!read_clock(text.substr(bytes + 1), clock)) return false;
  }
  return stored(Int128{days} * 86'400 * kSecondNs + clock, ns);
}

}  // namespace otolith::files
