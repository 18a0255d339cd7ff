#include "model/partition.h"

#include <doctest/doctest.h>

#include <array>
#include <random>

#include "test/budget.h"

namespace otolith::model {

namespace {
constexpr std::array kAll{Partition::none, Partition::hour, Partition::day, Partition::month,
                          Partition::year};

std::int64_t bucket(Partition partition, const char* time) {
  return bucket_of(partition, timestamp_parse(time));
}
}  // namespace

TEST_CASE("partition: buckets count from 1970, and go on below it") {
  CHECK(bucket(Partition::hour, "1970-01-01T00:59:59.999999999") == 0);
  CHECK(bucket(Partition::hour, "1969-12-31T23:59:59.999999999") == -1);
  CHECK(bucket(Partition::hour, "1969-12-31T23:00") == -1);
  CHECK(bucket(Partition::day, "2026-01-05T12:00") == 20458);
  CHECK(bucket(Partition::day, "1969-12-31") == -1);
  CHECK(bucket(Partition::month, "2026-02-01") == 56 * 12 + 1);
  CHECK(bucket(Partition::month, "1969-12-31T23:00") == -1);
  CHECK(bucket(Partition::month, "1968-12-31T23:00") == -13);
  CHECK(bucket(Partition::year, "1969-01-01") == -1);
  CHECK(bucket(Partition::year, "2026-12-31T23:59:59.999999999") == 56);
  CHECK(bucket(Partition::none, "2026-12-31") == 0);
}

TEST_CASE("partition: the times of a bucket are those that fall into it") {
  const BucketTimes february = bucket_times(Partition::month, 54 * 12 + 1);
  CHECK(february.first == timestamp_parse("2024-02-01"));
  CHECK(february.last == timestamp_parse("2024-02-29T23:59:59.999999999"));
  std::mt19937_64 random(test::seed());
  for (const Partition partition : kAll) {
    for (int i = 0; i < 5000; ++i) {
      const Timestamp time{
          std::max<std::int64_t>(static_cast<std::int64_t>(random()), kTimestampMin.ns)};
      const std::int64_t of = bucket_of(partition, time);
      const BucketTimes times = bucket_times(partition, of);
      REQUIRE(times.first <= time);
      REQUIRE(time <= times.last);
      REQUIRE(bucket_of(partition, times.first) == of);
      REQUIRE(bucket_of(partition, times.last) == of);
      if (times.last < kTimestampMax) {
        REQUIRE(bucket_times(partition, of + (partition != Partition::none)).first.ns ==
                times.last.ns + 1);
      }
    }
  }
}

TEST_CASE("partition: the first and the last time have buckets cut to the range") {
  for (const Partition partition : kAll) {
    CHECK(bucket_times(partition, bucket_of(partition, kTimestampMax)).last == kTimestampMax);
    CHECK(bucket_times(partition, bucket_of(partition, kTimestampMin)).first == kTimestampMin);
  }
}

TEST_CASE("partition: a bucketer says what bucket_of says, whatever came before") {
  std::mt19937_64 random(test::seed());
  for (const Partition partition : kAll) {
    Bucketer bucketer(partition);
    std::int64_t time = 0;
    for (int i = 0; i < 5000; ++i) {
      time += static_cast<std::int64_t>(random() % 20'000'000'000'000) - 9'000'000'000'000;
      REQUIRE(bucketer({time}) == bucket_of(partition, {time}));
    }
  }
}

}  // namespace otolith::model
