#include "scan/policy.h"

#include <iterator>

#include "scan/merge.h"

namespace otolith::scan {

namespace {

void hide_in_cluster(std::vector<Unit>& cluster, const Schema& schema, unsigned threads) {
  io::Scratch scratch;
  const auto shown = merge(cluster, {&schema, Order::stored}, threads, scratch);
  if (!shown || shown->size() == rows_in(cluster)) return;
  std::vector<bool> chosen(rows_in(cluster));
  for (const std::uint32_t row : *shown) chosen[row] = true;
  keep_chosen(cluster, chosen);
}

}  // namespace

bool hides_rows(const Schema& schema) noexcept {
  return schema.duplicates == Duplicates::last || schema.duplicates == Duplicates::first;
}

void hide_duplicates(std::vector<Unit>& partition, const Schema& schema, unsigned threads) {
  if (!hides_rows(schema)) return;
  auto clusters = clusters_of(std::move(partition), {&schema, Order::time});
  partition.clear();
  for (std::vector<Unit>& cluster : clusters) {
    if (may_share(cluster)) hide_in_cluster(cluster, schema, threads);
    std::ranges::move(cluster, std::back_inserter(partition));
  }
}

void keep_chosen(std::vector<Unit>& units, const std::vector<bool>& chosen) {
  std::uint64_t row = 0;
  for (Unit& unit : units) {
    unit.rows = 0;
    for (Selected& part : unit.parts) {
      RowSet kept;
      for (const RowRange& range : part.ranges) {
        for (std::uint64_t at = range.first; at < range.end(); ++at) {
          if (chosen[row++]) kept.append({at, 1});
        }
      }
      part.ranges = std::move(kept);
      unit.rows += part.ranges.rows();
    }
    std::erase_if(unit.parts, [](const Selected& part) { return part.ranges.empty(); });
  }
  std::erase_if(units, [](const Unit& unit) { return unit.parts.empty(); });
}

}  // namespace otolith::scan
