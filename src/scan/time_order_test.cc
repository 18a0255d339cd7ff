#include "scan/time_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>

#include "test/budget.h"
#include "test/rows.h"

namespace otolith::scan {

namespace {

using Times = std::vector<std::int64_t>;

std::vector<std::uint32_t> expected_order(const Times& times) {
  std::vector<std::uint32_t> rows(times.size());
  std::iota(rows.begin(), rows.end(), 0u);
  std::ranges::sort(rows, {}, [&](std::uint32_t row) { return std::pair(times[row], row); });
  return rows;
}

void check_order(const Times& times) {
  const std::vector<std::uint32_t> expected = expected_order(times);
  for (const unsigned threads : {1u, 2u, 3u}) {
    CAPTURE(threads);
    CHECK(rows_by_time(times, threads) == expected);
  }
}

Times times_of(std::size_t rows, auto time) {
  Times out;
  for (std::size_t row = 0; row < rows; ++row) out.push_back(time(row));
  return out;
}

}  // namespace

TEST_CASE("time order: rows of many keys, ties among them, come by time and then by number") {
  test::Random random(test::seed());
  const auto below = [&](std::uint64_t bound) {
    return static_cast<std::int64_t>(test::below(random, bound));
  };
  for (const std::size_t rows : {0u, 1u, 2u, 100u, 4'095u, 4'096u, 65'536u, 300'000u}) {
    CAPTURE(rows);
    check_order(times_of(rows, [&](std::size_t) { return below(1'000'000'000'000); }));
    check_order(times_of(rows, [&](std::size_t) { return below(50) - 25; }));
    check_order(times_of(rows, [&](std::size_t row) {  // of 300 keys, each in order
      return static_cast<std::int64_t>(row % 1000) * 1'000'000 + below(2'000'000);
    }));
  }
}

TEST_CASE("time order: times that are equal, extreme or crowded are sorted as all others") {
  test::Random random(test::seed());
  const std::size_t rows = 200'000;
  check_order(times_of(rows, [](std::size_t) { return std::int64_t{7}; }));
  check_order(times_of(rows, [](std::size_t row) { return static_cast<std::int64_t>(row); }));
  check_order(times_of(rows, [](std::size_t row) { return -static_cast<std::int64_t>(row); }));
  check_order(times_of(rows, [&](std::size_t) { return static_cast<std::int64_t>(random()); }));
  check_order(times_of(rows, [&](std::size_t row) {
    if (row % 3 == 0) return row % 2 == 0 ? INT64_MIN : INT64_MAX;
    return static_cast<std::int64_t>(test::below(random, 3));
  }));
  check_order(times_of(rows, [&](std::size_t row) {  // nearly all within a moment of years
    return row % 1000 == 0 ? static_cast<std::int64_t>(row) * 1'000'000'000'000
                           : static_cast<std::int64_t>(test::below(random, 100));
  }));
}

TEST_CASE("time order: every row is settled once, in a slice that has all rows of its time") {
  test::Random random(test::seed());
  const Times times = times_of(
      300'000, [&](std::size_t) { return static_cast<std::int64_t>(test::below(random, 20'000)); });
  std::vector<std::atomic<int>> slices_of(20'000);
  std::atomic<std::uint64_t> settled = 0;
  std::atomic<int> slices = 0;
  rows_by_time(times, 2, [&](std::span<std::uint32_t> slice) {
    ++slices;
    settled += slice.size();
    std::int64_t last = -1;
    for (const std::uint32_t row : slice) {
      if (times[row] != last) ++slices_of[static_cast<std::size_t>(times[row])];
      last = times[row];
    }
  });
  CHECK(slices > 4);
  CHECK(settled == times.size());
  CHECK(std::ranges::all_of(slices_of, [](const auto& of) { return of <= 1; }));
}

}  // namespace otolith::scan
