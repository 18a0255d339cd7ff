#include "model/partition.h"

#include <algorithm>
#include <chrono>

#include "base/int128.h"

namespace otolith::model {

namespace {

using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::int64_t kHourNs = 3'600'000'000'000;
constexpr std::int64_t kDayNs = 24 * kHourNs;

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) noexcept {
  return value / by - (value % by < 0 ? 1 : 0);
}

// Start of a bucket; 128 bits, because that of the first and the end of the last are no int64.
Int128 bucket_start(Partition partition, std::int64_t bucket) noexcept {
  switch (partition) {
    case Partition::hour:
      return static_cast<Int128>(bucket) * kHourNs;
    case Partition::day:
      return static_cast<Int128>(bucket) * kDayNs;
    case Partition::month:
    case Partition::year: {
      const std::int64_t months = partition == Partition::year ? bucket * 12 : bucket;
      const std::int64_t years = floor_divide(months, 12);
      const auto in_year = static_cast<unsigned>(months - years * 12);
      const sys_days first = year_month_day{year{static_cast<int>(1970 + years)},
                                            month{in_year + 1}, std::chrono::day{1}};
      return static_cast<Int128>(first.time_since_epoch().count()) * kDayNs;
    }
    case Partition::none:
      break;
  }
  return bucket == 0 ? static_cast<Int128>(kTimestampMin.ns)
                     : static_cast<Int128>(kTimestampMax.ns) + 1;
}

Timestamp clamped(Int128 ns) noexcept {
  return {static_cast<std::int64_t>(std::clamp<Int128>(ns, kTimestampMin.ns, kTimestampMax.ns))};
}

}  // namespace

std::int64_t bucket_of(Partition partition, Timestamp time) noexcept {
  switch (partition) {
    case Partition::hour:
      return floor_divide(time.ns, kHourNs);
    case Partition::day:
      return floor_divide(time.ns, kDayNs);
    case Partition::month:
    case Partition::year: {
      const year_month_day date{sys_days(days{floor_divide(time.ns, kDayNs)})};
      const std::int64_t years = static_cast<int>(date.year()) - 1970;
      if (partition == Partition::year) return years;
      return years * 12 + static_cast<unsigned>(date.month()) - 1;
    }
    case Partition::none:
      break;
  }
  return 0;
}

BucketTimes bucket_times(Partition partition, std::int64_t bucket) noexcept {
  return {clamped(bucket_start(partition, bucket)),
          clamped(bucket_start(partition, bucket + 1) - 1)};
}

void Bucketer::look_up(Timestamp time) noexcept {
  bucket_ = bucket_of(partition_, time);
  times_ = bucket_times(partition_, bucket_);
}

}  // namespace otolith::model
