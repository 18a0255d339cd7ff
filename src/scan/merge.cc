#include "scan/merge.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "model/compare.h"
#include "scan/policy.h"
#include "scan/row_ids.h"
#include "scan/time_order.h"

namespace otolith::scan {

namespace {

// Whose rows come first, and which are duplicates of each other.
class Comparison {
 public:
  Comparison(const std::vector<Unit>& cluster, std::span<const std::int64_t> times,
             const MergeRule& rule, unsigned threads)
      : order_(rule.order), times_(times) {
    for (const std::size_t key : rule.schema->key_indexes()) {
      io::Scratch memory;
      keys_.push_back(units_values(cluster, rule.schema->columns[key], threads, memory));
    }
    starts_.push_back(0);
    for (const Unit& unit : cluster) {
      ids_.emplace_back(unit);
      starts_.push_back(starts_.back() + static_cast<std::uint32_t>(unit.rows));
    }
  }

  bool less(std::uint32_t a, std::uint32_t b) const {
    if (order_ == Order::time && times_[a] != times_[b]) return times_[a] < times_[b];
    if (const auto keys = compare_keys(a, b); keys != 0) return keys < 0;
    if (times_[a] != times_[b]) return times_[a] < times_[b];
    return compare_ids(a, b) < 0;
  }

  bool duplicate(std::uint32_t a, std::uint32_t b) const {
    return times_[a] == times_[b] && compare_keys(a, b) == 0;
  }

  /// Positions of the first row of each unit, and behind the last.
  std::span<const std::uint32_t> starts() const noexcept { return starts_; }
  std::size_t unit_of(std::uint32_t row) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(starts_, row) - starts_.begin()) - 1;
  }
  std::int64_t time(std::uint32_t row) const noexcept { return times_[row]; }

 private:
  std::strong_ordering compare_keys(std::uint32_t a, std::uint32_t b) const {
    for (const Array& key : keys_) {
      const auto order = model::value_compare(key, a, key, b);
      if (order != 0) return order;
    }
    return std::strong_ordering::equal;
  }

  std::strong_ordering compare_ids(std::uint32_t a, std::uint32_t b) const {
    const std::size_t of_a = unit_of(a);
    const std::size_t of_b = unit_of(b);
    if (mutant("stable_order_broken")) return of_b <=> of_a;
    if (of_a == of_b) return a <=> b;
    const std::uint64_t row_a = a - starts_[of_a];
    const std::uint64_t row_b = b - starts_[of_b];
    const auto begins = ids_[of_a].begin(row_a) <=> ids_[of_b].begin(row_b);
    return begins != 0 ? begins : ids_[of_a].ordinal(row_a) <=> ids_[of_b].ordinal(row_b);
  }

  Order order_;
  std::span<const std::int64_t> times_;
  std::vector<Array> keys_;
  std::vector<std::uint32_t> starts_;
  std::vector<RowIds> ids_;
};

using Rows = std::vector<std::uint32_t>;

constexpr std::size_t kStopStretches = 4096;  // merged between two stop points

// The first row behind `first` that does not come before `other`: by growing steps, since rows of
// one unit come in long stretches.
std::uint32_t stretch_end(std::uint32_t first, std::uint32_t end, std::uint32_t other,
                          const Comparison& comparison) {
  std::uint64_t step = 1;
  while (step < end - first && comparison.less(first + static_cast<std::uint32_t>(step), other)) {
    step *= 2;
  }
  auto before = first + static_cast<std::uint32_t>(step / 2);
  auto behind = static_cast<std::uint32_t>(std::min<std::uint64_t>(first + step, end));
  while (behind - before > 1) {
    const std::uint32_t middle = before + (behind - before) / 2;
    (comparison.less(middle, other) ? before : behind) = middle;
  }
  return mutant("stretch_taken_too_far") ? std::min(behind + 1, end) : behind;
}

// Units that are each in the order asked for: the one whose row comes first gives rows as long as
// they come before those of all others.
Rows merge_units(const Comparison& comparison) {
  const std::span starts = comparison.starts();
  Rows out;
  out.reserve(starts.back());
  std::vector<std::pair<std::uint32_t, std::uint32_t>> heads;  // of each unit: next row, end
  for (std::size_t unit = 0; unit + 1 < starts.size(); ++unit)
    heads.emplace_back(starts[unit], starts[unit + 1]);
  const auto behind = [&](const auto& a, const auto& b) {
    return comparison.less(b.first, a.first);
  };
  std::ranges::make_heap(heads, behind);
  for (std::size_t taken = 0; !heads.empty(); ++taken) {
    if (taken % kStopStretches == 0) stop_point();
    std::ranges::pop_heap(heads, behind);
    auto& [first, end] = heads.back();
    const std::uint32_t stop =
        heads.size() == 1 ? end : stretch_end(first, end, heads.front().first, comparison);
    const std::size_t at = out.size();
    out.resize(at + (stop - first));
    std::iota(out.begin() + static_cast<std::ptrdiff_t>(at), out.end(), first);
    first = stop;
    if (first == end)
      heads.pop_back();
    else
      std::ranges::push_heap(heads, behind);
  }
  return out;
}

// Rows of one time that are of several units: each unit's are in order, but not all of them.
void settle_ties(std::span<std::uint32_t> rows, const Comparison& comparison) {
  if (mutant("ties_unsettled")) return;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t end = first + 1;
    while (end < rows.size() && comparison.time(rows[end]) == comparison.time(rows[first])) ++end;
    const std::span tied = rows.subspan(first, end - first);
    if (tied.size() > 1 && comparison.unit_of(tied.front()) != comparison.unit_of(tied.back())) {
      std::ranges::sort(tied,
                        [&](std::uint32_t a, std::uint32_t b) { return comparison.less(a, b); });
    }
    first = end;
  }
}

// Of rows that share keys and time, which now stand together, the first or the last stays.
bool drop_duplicates(Rows& rows, const Comparison& comparison, Duplicates policy) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool again = kept != 0 && comparison.duplicate(rows[kept - 1], rows[i]);
    if (!again)
      rows[kept++] = rows[i];
    else if (policy == Duplicates::last)
      rows[kept - 1] = rows[i];
  }
  const bool dropped = kept != rows.size();
  rows.resize(kept);
  return dropped;
}

// Rows of one unit that share keys and time are neighbours: most often their times tell that none
// do, and no key is read.
bool neighbours_share(const std::vector<Unit>& cluster, std::span<const std::int64_t> times,
                      const Schema& schema, unsigned threads) {
  std::vector<Array> keys;
  const auto same_keys = [&](std::uint64_t row) {
    return std::ranges::all_of(
        keys, [&](const Array& key) { return model::value_compare(key, row - 1, key, row) == 0; });
  };
  for (std::uint64_t row = 1; row < times.size(); ++row) {
    if (times[row - 1] != times[row]) continue;
    if (keys.empty()) {
      for (const std::size_t key : schema.key_indexes()) {
        io::Scratch memory;
        keys.push_back(units_values(cluster, schema.columns[key], threads, memory));
      }
    }
    if (same_keys(row)) return true;
  }
  return false;
}

// Each unit has the order asked for.
bool units_in_order(const MergeRule& rule) {
  return rule.schema->keys.empty() || rule.order == Order::stored;
}

void check_limit(const std::vector<Unit>& cluster) {
  const std::uint64_t rows = rows_in(cluster);
  if (rows <= UINT32_MAX) return;
  throw_error(ErrorCode::limit,
              "a partition holds {} rows that have to be sorted at once; a sorted read takes at "
              "most {}: read stored order, a shorter range, or use smaller partitions",
              rows, UINT32_MAX);
}

}  // namespace

std::vector<std::vector<Unit>> clusters_of(std::vector<Unit> units, const MergeRule& rule) {
  std::vector<std::vector<Unit>> out;
  if (units.empty()) return out;
  if (!rule.schema->keys.empty() && rule.order == Order::stored) {
    out.push_back(std::move(units));
    return out;
  }
  std::ranges::sort(units, {}, &Unit::time_min);
  std::int64_t time_max = 0;
  for (Unit& unit : units) {
    if (out.empty() || unit.time_min > time_max) out.emplace_back();
    time_max = out.back().empty() ? unit.time_max : std::max(time_max, unit.time_max);
    out.back().push_back(std::move(unit));
  }
  return out;
}

bool may_share(const std::vector<Unit>& cluster) noexcept {
  return cluster.size() != 1 || !cluster.front().source->unique();
}

std::optional<Rows> merge(const std::vector<Unit>& cluster, const MergeRule& rule, unsigned threads,
                          io::Scratch& scratch) {
  const bool single = cluster.size() == 1;
  bool policy = rule.hide && hides_rows(*rule.schema) && may_share(cluster);
  if (single && !policy && units_in_order(rule)) return std::nullopt;
  check_limit(cluster);
  const Array column =
      units_values(cluster, rule.schema->columns[rule.schema->time_index()], threads, scratch);
  const std::span times(column.values.as<std::int64_t>(), column.length);
  if (single && policy) {
    policy = neighbours_share(cluster, times, *rule.schema, threads) &&
             !mutant("neighbours-never-share");
  }
  const bool sorted = single && (units_in_order(rule) || std::ranges::is_sorted(times));
  if (sorted && !policy) return std::nullopt;
  if (single && !policy) return rows_by_time(times, threads);
  const Comparison comparison(cluster, times, rule, threads);
  Rows rows = units_in_order(rule)
                  ? merge_units(comparison)
                  : rows_by_time(times, threads, [&](std::span<std::uint32_t> slice) {
                      if (!single) settle_ties(slice, comparison);
                    });
  const bool dropped = policy && drop_duplicates(rows, comparison, rule.schema->duplicates);
  if (sorted && !dropped) return std::nullopt;
  return rows;
}

}  // namespace otolith::scan
