#include "model/order.h"

#include <algorithm>
#include <bit>
#include <compare>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/compare.h"
#include "model/key_rank.h"
#include "model/partition.h"

namespace otolith::model {

namespace {

using Permutation = std::vector<std::uint32_t>;

// Below this, comparing beats the passes over histograms.
constexpr std::uint64_t kFewRows = 512;

class Sorter {
 public:
  explicit Sorter(const Batch& batch)
      : times_(batch.columns[batch.schema->time_index()].values.as<std::int64_t>(), batch.rows),
        partition_(batch.schema->partition) {
    for (const std::size_t key : batch.schema->key_indexes()) keys_.push_back(&batch.columns[key]);
  }

  RowOrder order() const {
    RowOrder out;
    if (!in_order()) {
      if (times_.size() > kRunRowsMax) refuse_size();
      out.permutation = times_.size() <= kFewRows ? by_comparing() : by_passes();
    }
    out.run = partitions(out.permutation);
    return out;
  }

  bool in_order() const {
    // In time order every bucket is, too; with keys it takes a look at each row.
    if (keys_.empty()) return std::ranges::is_sorted(times_);
    Bucketer bucketer(partition_);
    std::int64_t bucket = times_.empty() ? 0 : bucketer({times_[0]});
    for (std::uint64_t row = 1; row < times_.size(); ++row) {
      const std::int64_t next = bucketer({times_[row]});
      if (next < bucket || (next == bucket && compare_in_bucket(row - 1, row) > 0)) return false;
      bucket = next;
    }
    return true;
  }

  // Whether the first row of `other` may stand behind our last.
  bool leads_to(const Sorter& other) const {
    const std::uint64_t row = times_.size() - 1;
    const std::int64_t bucket = bucket_of(partition_, {times_[row]});
    const std::int64_t next = bucket_of(partition_, {other.times_[0]});
    if (bucket != next) return bucket < next;
    const auto order = row_compare(keys_, row, other.keys_, 0);
    return order != 0 ? order < 0 : times_[row] <= other.times_[0];
  }

  // Buckets ascend along the order, so the end of each is found by halving.
  Run partitions(const Permutation& rows) const {
    const auto time_at = [&](std::uint64_t i) {
      return Timestamp{times_[rows.empty() ? i : rows[i]]};
    };
    Run run;
    for (std::uint64_t first = 0; first < times_.size();) {
      const std::int64_t bucket = bucket_of(partition_, time_at(first));
      const BucketTimes times = bucket_times(partition_, bucket);
      std::uint64_t inside = first;
      std::uint64_t end = times_.size();
      while (end - inside > 1) {
        const std::uint64_t middle = inside + (end - inside) / 2;
        (time_at(middle) <= times.last ? inside : end) = middle;
      }
      run.push_back({.bucket = bucket, .rows = end - first});
      first = end;
    }
    return run;
  }

 private:
  [[noreturn]] void refuse_size() const {
    throw_error(
        ErrorCode::limit,
        "{} rows are more than can be sorted at once (kRunRowsMax {}); append them in pieces",
        times_.size(), kRunRowsMax);
  }

  std::strong_ordering compare_in_bucket(std::uint64_t i, std::uint64_t j) const noexcept {
    for (const Array* key : keys_) {
      if (const auto order = value_compare(*key, i, *key, j); order != 0) return order;
    }
    return times_[i] <=> times_[j];
  }

  Permutation by_comparing() const {
    std::vector<std::int64_t> buckets(times_.size());
    for (std::size_t i = 0; i < buckets.size(); ++i)
      buckets[i] = bucket_of(partition_, {times_[i]});
    Permutation rows(times_.size());
    std::iota(rows.begin(), rows.end(), 0u);
    std::ranges::sort(rows, [&](std::uint32_t i, std::uint32_t j) {
      if (buckets[i] != buckets[j]) return buckets[i] < buckets[j];
      const auto order = compare_in_bucket(i, j);
      return order != 0 ? order < 0 : i < j;
    });
    return rows;
  }

  Permutation by_passes() const {
    Permutation rows = by_time();
    for (std::size_t key = keys_.size(); key-- > 0;) {
      const KeyRanks ranks = key_ranks(*keys_[key]);
      counting_pass(rows, ranks.of_row, ranks.distinct);
    }
    if (keys_.empty() || partition_ == Partition::none) return rows;
    const KeyRanks buckets = bucket_ranks();
    counting_pass(rows, buckets.of_row, buckets.distinct);
    return rows;
  }

  KeyRanks bucket_ranks() const {
    Array buckets{.type = {TypeKind::int64}, .length = times_.size()};
    std::byte* data = nullptr;
    buckets.values = buffer_allocate(times_.size() * 8, &data);
    Bucketer bucketer(partition_);
    for (std::size_t i = 0; i < times_.size(); ++i) store_le(data + i * 8, bucketer({times_[i]}));
    return key_ranks(buckets);
  }

  static void counting_pass(Permutation& rows, const std::vector<std::uint32_t>& ranks,
                            std::uint32_t distinct) {
    if (distinct < 2) return;
    std::vector<std::uint32_t> at(distinct + 1);
    for (const std::uint32_t rank : ranks) ++at[rank + 1];
    std::partial_sum(at.begin(), at.end(), at.begin());
    Permutation out(rows.size());
    for (const std::uint32_t row : rows) out[at[ranks[row]]++] = row;
    rows.swap(out);
  }

  // Radix sort, least significant digit first, over as many digits as the times differ in.
  Permutation by_time() const {
    constexpr unsigned digit_bits = 11;
    constexpr std::uint64_t digit_mask = (1u << digit_bits) - 1;
    Permutation rows(times_.size());
    std::iota(rows.begin(), rows.end(), 0u);
    if (std::ranges::is_sorted(times_)) return rows;
    const auto [least, most] = std::ranges::minmax(times_);
    const auto base = static_cast<std::uint64_t>(least);
    const auto bits =
        static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(most) - base));
    struct Entry {
      std::uint64_t time;
      std::uint32_t row;
    };
    std::vector<Entry> from(times_.size());
    std::vector<Entry> to(times_.size());
    for (std::uint32_t i = 0; i < from.size(); ++i) {
      from[i] = {static_cast<std::uint64_t>(times_[i]) - base, i};
    }
    for (unsigned shift = 0; shift < bits; shift += digit_bits) {
      std::vector<std::uint32_t> at(digit_mask + 2);
      for (const Entry& entry : from) ++at[((entry.time >> shift) & digit_mask) + 1];
      std::partial_sum(at.begin(), at.end(), at.begin());
      for (const Entry& entry : from) to[at[(entry.time >> shift) & digit_mask]++] = entry;
      from.swap(to);
    }
    std::ranges::transform(from, rows.begin(), &Entry::row);
    return rows;
  }

  std::span<const std::int64_t> times_;
  Partition partition_;
  std::vector<const Array*> keys_;
};

}  // namespace

RowOrder order_rows(const Batch& batch) { return Sorter(batch).order(); }

bool rows_in_order(std::span<const Batch> parts) {
  std::optional<Sorter> before;
  for (const Batch& part : parts) {
    if (part.rows == 0) continue;
    const Sorter sorter(part);
    if (!sorter.in_order() || (before && !before->leads_to(sorter))) return false;
    before.emplace(sorter);
  }
  return true;
}

Run run_of_ordered(std::span<const Batch> parts) {
  Run out;
  for (const Batch& part : parts) {
    for (const PartitionRows& partition : Sorter(part).partitions({})) {
      if (!out.empty() && out.back().bucket == partition.bucket) {
        out.back().rows += partition.rows;
      } else {
        out.push_back(partition);
      }
    }
  }
  return out;
}

}  // namespace otolith::model
