#include "scan/time_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include "base/mutant.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

constexpr std::size_t kSliceRows = 1 << 15;   // sorted within a MiB
constexpr std::size_t kSamples = 32;          // of times, for each slice
constexpr std::size_t kStripeRows = 1 << 18;  // distributed by one task
constexpr std::size_t kDigitRowsMin = 4096;   // passes over the digits cost as much as few rows
constexpr unsigned kDigitBitsMax = 11;

// Where slices begin, by a sample of the times, so that each has about as many rows.
class Slices {
 public:
  explicit Slices(std::span<const std::int64_t> times) : first_{INT64_MIN} {
    const std::size_t count = times.size() / kSliceRows;
    std::vector<std::int64_t> sample;
    for (std::size_t i = 0; count > 1 && i < count * kSamples; ++i)
      sample.push_back(times[i * (times.size() / (count * kSamples))]);
    std::ranges::sort(sample);
    for (std::size_t at = kSamples; at < sample.size(); at += kSamples) {
      if (sample[at] != first_.back()) first_.push_back(sample[at]);
    }
  }

  std::size_t count() const noexcept { return first_.size(); }
  /// The slice of a time; that of the row before is a good guess.
  std::size_t of(std::int64_t time, std::size_t guess) const noexcept {
    if (first_[guess] <= time && (guess + 1 == count() || time < first_[guess + 1])) return guess;
    if (mutant("slices_part_equal_times") && guess + 1 < count() && time == first_[guess + 1])
      return guess;
    return static_cast<std::size_t>(std::ranges::upper_bound(first_, time) - first_.begin()) - 1;
  }

 private:
  std::vector<std::int64_t> first_;
};

// All rows by slice, those of one slice in the order of their numbers.
class Distribution {
 public:
  Distribution(std::span<const std::int64_t> times, unsigned threads)
      : times_(times), slices_(times), rows_(times.size()) {
    const std::size_t stripes = (times.size() + kStripeRows - 1) / kStripeRows;
    std::vector<std::vector<std::uint32_t>> places(stripes);
    segment::run_tasks(threads, stripes, [&](unsigned, std::size_t stripe) {
      places[stripe].resize(slices_.count());
      for_each_row(stripe, [&](std::uint32_t, std::size_t slice) { ++places[stripe][slice]; });
    });
    std::uint32_t place = 0;
    for (std::size_t slice = 0; slice < slices_.count(); ++slice) {
      starts_.push_back(place);
      for (std::vector<std::uint32_t>& of : places) place += std::exchange(of[slice], place);
    }
    starts_.push_back(place);
    segment::run_tasks(threads, stripes, [&](unsigned, std::size_t stripe) {
      for_each_row(stripe, [&](std::uint32_t row, std::size_t slice) {
        rows_[places[stripe][slice]++] = row;
      });
    });
  }

  std::size_t count() const noexcept { return slices_.count(); }
  std::span<std::uint32_t> slice(std::size_t i) noexcept {
    return std::span(rows_).subspan(starts_[i], starts_[i + 1] - starts_[i]);
  }
  std::vector<std::uint32_t> take() noexcept { return std::move(rows_); }

 private:
  void for_each_row(std::size_t stripe, auto look) const {
    const std::size_t end = std::min(times_.size(), (stripe + 1) * kStripeRows);
    std::size_t slice = 0;
    for (std::size_t row = stripe * kStripeRows; row < end; ++row) {
      slice = slices_.of(times_[row], slice);
      look(static_cast<std::uint32_t>(row), slice);
    }
  }

  std::span<const std::int64_t> times_;
  Slices slices_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> starts_;  // of each slice in rows_, and their end
};

// Sorts slices, one after the other in the same memory.
class Sorter {
 public:
  void sort(std::span<const std::int64_t> times, std::span<std::uint32_t> rows) {
    entries_.clear();
    for (const std::uint32_t row : rows)
      entries_.push_back({static_cast<std::uint64_t>(times[row]) ^ kSign, row});
    if (mutant("stable_order_by_time_broken")) std::ranges::reverse(entries_);
    if (rows.size() < kDigitRowsMin)
      std::ranges::sort(entries_, {}, [](const Entry& of) { return std::pair(of.time, of.row); });
    else
      sort_by_digits();
    std::ranges::transform(entries_, rows.begin(), &Entry::row);
  }

 private:
  static constexpr std::uint64_t kSign = 1ull << 63;  // flipped, integers sort as unsigned ones
  struct Entry {
    std::uint64_t time;
    std::uint32_t row;
  };

  // The lowest digit first; each pass keeps the order of equal ones.
  void sort_by_digits() {
    const auto [least, greatest] = std::ranges::minmax(entries_, {}, &Entry::time);
    const std::uint64_t from = least.time;
    const auto bits = static_cast<unsigned>(std::bit_width(greatest.time - from));
    const unsigned passes = (bits + kDigitBitsMax - 1) / kDigitBitsMax;
    const unsigned digit_bits = passes == 0 ? 0 : (bits + passes - 1) / passes;
    const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;
    sorted_.resize(entries_.size());
    for (unsigned shift = 0; shift < bits; shift += digit_bits) {
      const auto digit = [&](const Entry& entry) { return ((entry.time - from) >> shift) & mask; };
      std::array<std::uint32_t, (std::size_t{1} << kDigitBitsMax) + 1> places{};
      for (const Entry& entry : entries_) ++places[digit(entry) + 1];
      std::partial_sum(places.begin(), places.end(), places.begin());
      for (const Entry& entry : entries_) sorted_[places[digit(entry)]++] = entry;
      entries_.swap(sorted_);
    }
  }

  std::vector<Entry> entries_;
  std::vector<Entry> sorted_;
};

}  // namespace

std::vector<std::uint32_t> rows_by_time(std::span<const std::int64_t> times, unsigned threads,
                                        const Settle& settle) {
  threads = segment::threads_worth(threads, times.size());
  Distribution rows(times, threads);
  std::vector<Sorter> sorters(threads);
  segment::run_tasks(threads, rows.count(), [&](unsigned worker, std::size_t slice) {
    sorters[worker].sort(times, rows.slice(slice));
    if (settle) settle(rows.slice(slice));
  });
  return rows.take();
}

}  // namespace otolith::scan
