#include "scan/merge.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

#include "base/error.h"
#include "base/mutant.h"
#include "model/compare.h"
#include "segment/layout.h"

namespace otolith::scan {

namespace {

struct Entry {
  std::int64_t time = 0;
  model::Pick pick;
};

// Row ids of a unit: constant begin with ordinals by range, or two columns.
struct UnitIds {
  std::optional<CommitNumber> begin;
  std::vector<RowRange>
      ordinals;  // first: ordinal of the first row of a range; count: its position
  Array begins;
  Array of_rows;
};

// Whose rows come first, and which are duplicates of each other.
class Comparison {
 public:
  Comparison(const std::vector<Unit>& cluster, const MergeRule& rule) : order_(rule.order) {
    for (const std::size_t key : rule.schema->key_indexes()) {
      keys_.emplace_back();
      for (const Unit& unit : cluster) {
        keys_.back().push_back(unit_values(unit, rule.schema->columns[key]));
      }
    }
    for (const Unit& unit : cluster) ids_.push_back(ids_of(unit));
  }

  bool less(const Entry& a, const Entry& b) const {
    if (order_ == Order::time && a.time != b.time) return a.time < b.time;
    if (const auto keys = compare_keys(a.pick, b.pick); keys != 0) return keys < 0;
    if (a.time != b.time) return a.time < b.time;
    return compare_ids(a.pick, b.pick) < 0;
  }

  bool duplicate(const Entry& a, const Entry& b) const {
    return a.time == b.time && compare_keys(a.pick, b.pick) == 0;
  }

 private:
  std::strong_ordering compare_keys(const model::Pick& a, const model::Pick& b) const {
    for (const std::vector<Array>& key : keys_) {
      const auto order = model::value_compare(key[a.from], a.row, key[b.from], b.row);
      if (order != 0) return order;
    }
    return std::strong_ordering::equal;
  }

  std::strong_ordering compare_ids(const model::Pick& a, const model::Pick& b) const {
    if (mutant("stable_order_broken")) return b.from <=> a.from;
    if (a.from == b.from) return a.row <=> b.row;
    const auto begins = begin_of(a) <=> begin_of(b);
    return begins != 0 ? begins : ordinal_of(a) <=> ordinal_of(b);
  }

  std::uint64_t begin_of(const model::Pick& at) const {
    const UnitIds& ids = ids_[at.from];
    return ids.begin ? value_of(*ids.begin) : ids.begins.value<std::uint64_t>(at.row);
  }

  std::uint64_t ordinal_of(const model::Pick& at) const {
    const UnitIds& ids = ids_[at.from];
    if (!ids.begin) return ids.of_rows.value<std::uint64_t>(at.row);
    const auto after =
        std::ranges::upper_bound(ids.ordinals, std::uint64_t{at.row}, {}, &RowRange::count);
    const RowRange& range = *std::prev(after);
    return range.first + (at.row - range.count);
  }

  static UnitIds ids_of(const Unit& unit) {
    UnitIds out;
    out.begin = unit.source->begin();
    if (!out.begin) {
      out.begins = unit_values(unit, reserved(segment::kBeginColumn));
      out.of_rows = unit_values(unit, reserved(segment::kOrdinalColumn));
      return out;
    }
    std::uint64_t position = 0;
    for (const Selected& part : unit.parts) {
      const std::uint64_t ordinal = unit.source->pieces()[part.piece].first_ordinal;
      for (const RowRange& range : part.ranges) {
        out.ordinals.push_back({ordinal + range.first, position});
        position += range.count;
      }
    }
    return out;
  }

  static Column reserved(ColumnId id) {
    return {.name = "row id", .type = {TypeKind::uint64}, .nullable = false, .id = value_of(id)};
  }

  Order order_;
  std::vector<std::vector<Array>> keys_;  // by key, by unit
  std::vector<UnitIds> ids_;
};

bool applies_policy(const Schema& schema) noexcept {
  return schema.duplicates == Duplicates::last || schema.duplicates == Duplicates::first;
}

std::vector<Entry> entries_of(const std::vector<Unit>& cluster, const Column& time) {
  std::vector<Entry> out;
  std::uint64_t rows = 0;
  for (const Unit& unit : cluster) rows += unit.rows;
  out.reserve(rows);
  for (std::uint32_t from = 0; from < cluster.size(); ++from) {
    const Unit& unit = cluster[from];
    if (unit.rows > UINT32_MAX) {
      throw_error(ErrorCode::limit,
                  "a partition holds {} rows of one run; a sorted read takes at most "
                  "{}: read stored order, a shorter range, or use smaller partitions",
                  unit.rows, UINT32_MAX);
    }
    const Array times = unit_values(unit, time);
    for (std::uint32_t row = 0; row < unit.rows; ++row) {
      out.push_back({times.value<std::int64_t>(row), {from, row}});
    }
  }
  return out;
}

// Merges neighbouring runs that are in order until one is left; true if there was one from the
// start.
bool sort_by_runs(std::vector<Entry>& entries, const Comparison& comparison) {
  const auto less = [&](const Entry& a, const Entry& b) { return comparison.less(a, b); };
  std::vector<std::size_t> starts{0};
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (less(entries[i], entries[i - 1])) starts.push_back(i);
  }
  const bool sorted = starts.size() == 1;
  std::vector<Entry> merged(sorted ? 0 : entries.size());
  while (starts.size() > 1) {
    std::vector<std::size_t> next;
    const auto at = [&](std::size_t run) {
      const std::size_t row = run < starts.size() ? starts[run] : entries.size();
      return entries.begin() + static_cast<std::ptrdiff_t>(row);
    };
    for (std::size_t run = 0; run < starts.size(); run += 2) {
      std::merge(at(run), at(run + 1), at(run + 1), at(run + 2),
                 merged.begin() + static_cast<std::ptrdiff_t>(starts[run]), less);
      next.push_back(starts[run]);
    }
    entries.swap(merged);
    starts = std::move(next);
  }
  return sorted;
}

// The rows of one unit by time. They are in the order (keys, time, row id), so those of equal times
// need only stay as they stand: a sort by digits of the time, the lowest first, keeps that.
std::vector<Entry> sorted_by_digits(std::vector<Entry> entries) {
  constexpr unsigned digit_bits_max = 11;
  if (mutant("stable_order_by_digits_broken")) std::ranges::reverse(entries);
  const auto [least, greatest] = std::ranges::minmax(entries, {}, &Entry::time);
  const auto from = static_cast<std::uint64_t>(least.time);
  const auto bits =
      static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(greatest.time) - from));
  const unsigned passes = (bits + digit_bits_max - 1) / digit_bits_max;
  const unsigned digit_bits = passes == 0 ? 0 : (bits + passes - 1) / passes;
  const std::uint64_t mask = (std::uint64_t{1} << digit_bits) - 1;
  std::vector<Entry> sorted(entries.size());
  for (unsigned shift = 0; shift < bits; shift += digit_bits) {
    const auto digit = [&](const Entry& entry) {
      return ((static_cast<std::uint64_t>(entry.time) - from) >> shift) & mask;
    };
    std::array<std::uint32_t, (std::size_t{1} << digit_bits_max) + 1> places{};
    for (const Entry& entry : entries) ++places[digit(entry) + 1];
    for (std::size_t i = 1; i <= mask; ++i) places[i] += places[i - 1];
    for (const Entry& entry : entries) sorted[places[digit(entry)]++] = entry;
    entries.swap(sorted);
  }
  return entries;
}

// Of rows that share keys and time, which now stand together, the first or the last stays.
bool drop_duplicates(std::vector<Entry>& entries, const Comparison& comparison, Duplicates policy) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const bool again = kept != 0 && comparison.duplicate(entries[kept - 1], entries[i]);
    if (!again)
      entries[kept++] = entries[i];
    else if (policy == Duplicates::last)
      entries[kept - 1] = entries[i];
  }
  const bool dropped = kept != entries.size();
  entries.resize(kept);
  return dropped;
}

// The order a single unit has is the order asked for, and no policy applies.
bool in_order(const std::vector<Unit>& cluster, const MergeRule& rule) {
  if (cluster.size() != 1) return false;
  if (applies_policy(*rule.schema) && !cluster.front().source->unique()) return false;
  return rule.schema->keys.empty() || rule.order == Order::stored;
}

// A single unit of many rows, wanted by time, without duplicates to be looked for.
bool digits_do(const std::vector<Unit>& cluster, const MergeRule& rule) {
  constexpr std::uint64_t rows_worth = 4096;  // passes over the digits cost as much as few rows
  if (cluster.size() != 1 || rule.order != Order::time) return false;
  if (applies_policy(*rule.schema) && !cluster.front().source->unique()) return false;
  return cluster.front().rows >= rows_worth;
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

std::optional<std::vector<model::Pick>> merge(const std::vector<Unit>& cluster,
                                              const MergeRule& rule) {
  if (in_order(cluster, rule)) return std::nullopt;
  const Schema& schema = *rule.schema;
  std::vector<Entry> entries = entries_of(cluster, schema.columns[schema.time_index()]);
  if (digits_do(cluster, rule)) {
    if (std::ranges::is_sorted(entries, {}, &Entry::time)) return std::nullopt;
    entries = sorted_by_digits(std::move(entries));
  } else {
    const Comparison comparison(cluster, rule);
    const bool sorted = sort_by_runs(entries, comparison);
    const bool dropped =
        applies_policy(schema) && drop_duplicates(entries, comparison, schema.duplicates);
    if (sorted && !dropped && cluster.size() == 1) return std::nullopt;
  }
  std::vector<model::Pick> out;
  out.reserve(entries.size());
  for (const Entry& entry : entries) out.push_back(entry.pick);
  return out;
}

}  // namespace otolith::scan
