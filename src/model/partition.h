// Partitions: the time buckets (UTC) that rows are put together in.
//
// Role:    orders rows, cuts row groups, prunes reads, places leaves.
// Shapes:  a bucket is a signed number: hours, days, months or years since 1970-01-01T00:00Z,
//          negative before; always 0 where a dataset has no partitions.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a bucket's times are given as first and last, both included: the end of the bucket that
//          holds 2262-04-11T23:47:16.854775807Z is no int64.
#pragma once

#include <cstdint>

#include "otolith/schema.h"
#include "otolith/timestamp.h"

namespace otolith::model {

/// The times of a bucket, both ends included, cut to what a Timestamp can hold.
struct BucketTimes {
  Timestamp first;
  Timestamp last;
  bool operator==(const BucketTimes&) const = default;
};

/// The bucket a time falls into.
std::int64_t bucket_of(Partition partition, Timestamp time) noexcept;

/// The times of a bucket that holds at least one.
BucketTimes bucket_times(Partition partition, std::int64_t bucket) noexcept;

/// bucket_of for many times: neighbours mostly share a bucket, so it remembers the last one's
/// times.
class Bucketer {
 public:
  explicit Bucketer(Partition partition) noexcept : partition_(partition) {}

  std::int64_t operator()(Timestamp time) noexcept {
    if (time < times_.first || time > times_.last) look_up(time);
    return bucket_;
  }
  /// The times of the bucket given last.
  const BucketTimes& times() const noexcept { return times_; }

 private:
  void look_up(Timestamp time) noexcept;

  Partition partition_;
  std::int64_t bucket_ = 0;
  BucketTimes times_{kTimestampMax, kTimestampMin};  // holds nothing yet
};

}  // namespace otolith::model
