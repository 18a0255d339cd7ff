#include "scan/first_rows.h"

#include <algorithm>
#include <span>

#include "base/mutant.h"

namespace otolith::scan {

namespace {

// A part of a unit, and the times of its piece.
struct Asked {
  std::size_t unit = 0;
  std::size_t place = 0;  // among the unit's parts
  Selected part;
  std::int64_t time_min = 0;
  std::int64_t time_max = 0;
  std::uint64_t rows = 0;
};

class Steps {
 public:
  Steps(std::vector<Unit>& cluster, const MergeRule& rule, const FirstRows& first)
      : cluster_(cluster),
        first_(first),
        in_order_(is_in_order(cluster, rule)),
        by_time_(rule.order == Order::time || rule.schema->keys.empty()) {
    for (std::size_t unit = 0; unit < cluster.size(); ++unit) {
      for (std::size_t i = 0; i < cluster[unit].parts.size(); ++i) {
        Selected& part = cluster[unit].parts[i];
        const Piece& piece = cluster[unit].source->pieces()[part.piece];
        const std::uint64_t rows = part.ranges.rows();
        parts_.push_back({unit, i, std::move(part), piece.time_min, piece.time_max, rows});
      }
      cluster[unit].parts.clear();
      cluster[unit].rows = 0;
    }
    if (in_order_) {
      if (first.reverse) std::ranges::reverse(parts_);
    } else if (first.reverse) {
      std::ranges::sort(parts_, std::greater<>(), &Asked::time_max);
    } else {
      std::ranges::sort(parts_, std::less<>(), &Asked::time_min);
    }
  }

  /// Asks the next parts, of `step_rows` rows or more; false where none is left or none is needed.
  bool next(const Filter& filter, std::uint64_t step_rows) {
    const std::size_t begin = asked_;
    for (std::uint64_t rows = 0; asked_ < parts_.size() && rows < step_rows; ++asked_)
      rows += parts_[asked_].rows;
    ask(filter, std::span(parts_).subspan(begin, asked_ - begin));
    return asked_ < parts_.size() && final_rows() < first_.wanted;
  }

  /// What passed goes back into the units, in their order.
  void finish() {
    parts_.resize(asked_);
    std::ranges::sort(parts_, {},
                      [](const Asked& asked) { return std::pair(asked.unit, asked.place); });
    for (Asked& asked : parts_) {
      if (asked.part.ranges.empty()) continue;
      Unit& unit = cluster_[asked.unit];
      unit.parts.push_back(std::move(asked.part));
      unit.rows += asked.rows;
    }
    std::erase_if(cluster_, [](const Unit& unit) { return unit.parts.empty(); });
  }

 private:
  // One run, whose rows are read as they are stored.
  static bool is_in_order(const std::vector<Unit>& cluster, const MergeRule& rule) {
    return cluster.size() == 1 &&
           (rule.order == Order::stored || rule.schema->key_indexes().empty());
  }

  // Each part as a unit of its own, so that the filter gives back which rows are whose.
  void ask(const Filter& filter, std::span<Asked> parts) {
    std::vector<std::vector<Unit>> units;
    for (Asked& asked : parts) {
      Unit unit{cluster_[asked.unit].source, {}, asked.rows, asked.time_min, asked.time_max};
      unit.parts.push_back(std::move(asked.part));
      units.push_back({std::move(unit)});
    }
    filter.keep(units, first_.threads);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].part = {};
      parts[i].rows = 0;
      if (units[i].empty()) continue;
      parts[i].part = std::move(units[i].front().parts.front());
      parts[i].rows = units[i].front().rows;
    }
  }

  // Rows that no part still to be asked can come before.
  std::uint64_t final_rows() const {
    const Asked& next = parts_[asked_];
    std::uint64_t rows = 0;
    for (const Asked& asked : std::span(parts_).first(asked_)) {
      const bool before =
          first_.reverse ? asked.time_min > next.time_max : asked.time_max < next.time_min;
      const bool final_by_time = before && (by_time_ || mutant("filter-stops-among-keys"));
      if (in_order_ || final_by_time || mutant("filter-stops-among-runs")) rows += asked.rows;
    }
    return rows;
  }

  std::vector<Unit>& cluster_;
  const FirstRows first_;
  const bool in_order_;
  const bool by_time_;  // rows come by time first, not by keys
  std::vector<Asked> parts_;
  std::size_t asked_ = 0;
};

}  // namespace

void keep_first(std::vector<Unit>& cluster, const Filter& filter, const MergeRule& rule,
                const FirstRows& first, std::uint64_t& step_rows) {
  Steps steps(cluster, rule, first);
  for (bool more = true; more; step_rows = std::min(step_rows * 8, kWaveRows))
    more = steps.next(filter, step_rows);
  steps.finish();
}

}  // namespace otolith::scan
