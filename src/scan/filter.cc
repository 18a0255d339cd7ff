#include "scan/filter.h"

#include <algorithm>
#include <map>

#include "base/mutant.h"
#include "scan/source_filter.h"
#include "segment/tasks.h"

namespace otolith::scan {

namespace {

bool waits_for_policy(const Condition& condition, const Schema& schema) {
  if (schema.duplicates == Duplicates::keep || schema.duplicates == Duplicates::error) return false;
  std::vector<std::size_t> same = schema.key_indexes();  // of rows of which one is shown
  same.push_back(schema.time_index());
  return std::ranges::any_of(columns_of(condition), [&](std::size_t column) {
    return std::ranges::find(same, column) == same.end();
  });
}

}  // namespace

void keep_rows(std::span<std::vector<Unit>> partitions, unsigned threads,
               const FilterOf& filter_of) {
  std::vector<std::pair<const SourceFilter*, Selected*>> parts;
  std::uint64_t rows = 0;
  for (std::vector<Unit>& units : partitions) {
    for (Unit& unit : units) {
      const SourceFilter* const filter = filter_of(*unit.source);
      if (filter == nullptr) continue;
      for (Selected& part : unit.parts) parts.emplace_back(filter, &part);
      rows += unit.rows;
    }
  }
  segment::run_tasks(segment::threads_worth(threads, rows), parts.size(),
                     [&](unsigned, std::size_t task) {
                       const auto& [filter, part] = parts[task];
                       part->ranges = filter->rows(part->piece, part->ranges);
                     });
  for (std::vector<Unit>& units : partitions) {
    for (Unit& unit : units) {
      std::erase_if(unit.parts, [](const Selected& part) { return part.ranges.empty(); });
      unit.rows = 0;
      for (const Selected& part : unit.parts) unit.rows += part.ranges.rows();
    }
    std::erase_if(units, [](const Unit& unit) { return unit.parts.empty(); });
  }
}

Filter::Filter(const Expression& where, std::shared_ptr<const Schema> schema)
    : schema_(std::move(schema)),
      condition_(condition_of(where, *schema_)),
      after_policy_(waits_for_policy(condition_, *schema_) && !mutant("filter-before-duplicates")) {
}

void Filter::keep(std::span<std::vector<Unit>> partitions, unsigned threads) const {
  std::map<const RowSource*, SourceFilter> filters;
  keep_rows(partitions, threads, [&](const RowSource& source) {
    return &filters.try_emplace(&source, condition_, *schema_, source).first->second;
  });
}

std::vector<bool> Filter::passes(const Unit& unit) const {
  const SourceFilter filter(condition_, *schema_, *unit.source);
  std::vector<bool> out;
  out.reserve(unit.rows);
  for (const Selected& part : unit.parts) {
    const RowSet kept = filter.rows(part.piece, part.ranges);
    for (const RowRange& range : part.ranges) {
      for (std::uint64_t row = range.first; row < range.end(); ++row)
        out.push_back(kept.contains(row));
    }
  }
  return out;
}

}  // namespace otolith::scan
