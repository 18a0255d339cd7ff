#include "otolith/timestamp.h"

#include <chrono>

#include "base/error.h"
#include "model/wide_time.h"

namespace otolith {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// A cursor over the text of a time. Every step says whether it matched, so that the caller alone
// decides on the error.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}

  bool digits(unsigned count, int& out) {
    if (rest_.size() < count) return false;
    out = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      out = out * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool one_of(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == std::string_view::npos) return false;
    taken_ = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  // Up to nine digits behind the point, as nanoseconds.
  bool fraction(std::int64_t& ns) {
    std::int64_t unit = kSecondNs;
    int digit = 0;
    while (unit > 1 && digits(1, digit)) ns += (unit /= 10) * digit;
    return unit < kSecondNs;
  }
  char taken() const { return taken_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  char taken_ = '\0';
};

struct Parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t fraction_ns = 0;
  int zone_minutes = 0;
};

bool parse_zone(TimeText& text, Parts& out) {
  if (text.one_of("Zz")) return true;
  if (!text.one_of("+-")) return text.done();
  const int sign = text.taken() == '-' ? -1 : 1;
  int hours = 0;
  int minutes = 0;
  if (!text.digits(2, hours)) return false;
  if (text.one_of(":")) {
    if (!text.digits(2, minutes)) return false;
  } else if (!text.done() && !text.digits(2, minutes)) {
    return false;
  }
  out.zone_minutes = sign * (hours * 60 + minutes);
  return hours < 24 && minutes < 60;
}

bool parse_clock(TimeText& text, Parts& out) {
  if (!text.digits(2, out.hour) || !text.one_of(":") || !text.digits(2, out.minute)) return false;
  if (text.one_of(":")) {
    if (!text.digits(2, out.second)) return false;
    if (text.one_of(".,") && !text.fraction(out.fraction_ns)) return false;
  }
  return out.hour < 24 && out.minute < 60 && out.second < 60 && parse_zone(text, out);
}

bool parse_parts(std::string_view whole, Parts& out) {
  TimeText text(whole);
  if (!text.digits(4, out.year) || !text.one_of("-") || !text.digits(2, out.month) ||
      !text.one_of("-") || !text.digits(2, out.day)) {
    return false;
  }
  if (text.done()) return true;
  return text.one_of("Tt ") && parse_clock(text, out) && text.done();
}

[[noreturn]] void refuse(std::string_view text) {
  throw_error(ErrorCode::invalid_argument,
              "{} is not a time; write ISO 8601, for example 2026-01-05, 2026-01-05T12:00 or "
              "2026-01-05T12:00:00.123456789+02:00",
              quoted(text));
}

}  // namespace

model::WideNanoseconds model::wide_time_parse(std::string_view text) {
  using namespace std::chrono;
  Parts parts;
  if (!parse_parts(text, parts)) refuse(text);
  const year_month_day date{year{parts.year}, month{static_cast<unsigned>(parts.month)},
                            day{static_cast<unsigned>(parts.day)}};
  if (!date.ok()) refuse(text);
  const std::int64_t minutes = std::int64_t{sys_days(date).time_since_epoch().count()} * 1440 +
                               parts.hour * 60 + parts.minute - parts.zone_minutes;
  // 128 bits: the first second of the range starts before the range does.
  return static_cast<WideNanoseconds>(minutes * 60 + parts.second) * kSecondNs + parts.fraction_ns;
}

Timestamp timestamp_parse(std::string_view text) {
  const model::WideNanoseconds ns = model::wide_time_parse(text);
  if (ns < kTimestampMin.ns || ns > kTimestampMax.ns) {
    throw_error(ErrorCode::invalid_argument, "time {} is out of range: {} to {} can be stored",
                quoted(text), timestamp_format(kTimestampMin), timestamp_format(kTimestampMax));
  }
  return {static_cast<std::int64_t>(ns)};
}

std::string timestamp_format(Timestamp time) {
  using namespace std::chrono;
  if (time.ns == kNotATime) return "not a time";
  // Day and time of day apart: the start of the first day is no int64.
  constexpr std::int64_t day_ns = 86'400 * kSecondNs;
  const std::int64_t of_day = time.ns % day_ns;
  const bool below = of_day < 0;
  const year_month_day date{sys_days{days{time.ns / day_ns - (below ? 1 : 0)}}};
  const hh_mm_ss clock{nanoseconds{below ? of_day + day_ns : of_day}};
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const std::int64_t ns = clock.subseconds().count();
  if (ns % 1'000'000 == 0) {
    if (ns != 0) out += fmt::format(".{:03}", ns / 1'000'000);
  } else if (ns % 1'000 == 0) {
    out += fmt::format(".{:06}", ns / 1'000);
  } else {
    out += fmt::format(".{:09}", ns);
  }
  return out + "Z";
}

}  // namespace otolith
