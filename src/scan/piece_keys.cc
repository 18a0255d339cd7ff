#include "scan/piece_keys.h"

#include <algorithm>

#include "base/limits.h"
#include "base/mutant.h"
#include "model/compare.h"
#include "segment/tasks.h"

namespace otolith::scan {

PieceKeys::PieceKeys(const RowSource& source, std::size_t piece, const std::vector<Column>& columns)
    : source_(source),
      piece_(piece),
      columns_(columns),
      rows_(source.pieces()[piece].rows),
      page_rows_(std::min(source.page_rows(), rows_)) {}

bool PieceKeys::same(std::uint64_t a, std::uint64_t b) {
  const Page& of_a = page_of(a);
  const Page& of_b = page_of(b);
  return model::row_compare(of_a.pointers, a % page_rows_, of_b.pointers, b % page_rows_) == 0;
}

std::uint64_t PieceKeys::key_end(std::uint64_t first, std::uint64_t end) {
  std::uint64_t step = 1;
  while (first + step < end && same(first, first + step)) step *= 2;
  std::uint64_t of_key = first + step / 2;
  std::uint64_t behind = std::min(first + step, end);
  while (behind - of_key > 1) {
    const std::uint64_t middle = of_key + (behind - of_key) / 2;
    (same(first, middle) ? of_key : behind) = middle;
  }
  return behind;
}

const PieceKeys::Page& PieceKeys::page_of(std::uint64_t row) {
  const auto [at, fresh] = pages_.try_emplace(row / page_rows_);
  Page& page = at->second;
  if (!fresh) return page;
  const std::uint64_t first = at->first * page_rows_;
  const std::uint64_t rows = std::min(page_rows_, rows_ - first);
  for (const Column& column : columns_)
    page.values.push_back(piece_values(source_, piece_, column, first, rows));
  for (const Array& values : page.values) page.pointers.push_back(&values);
  return page;
}

namespace {

constexpr std::uint64_t kTimesMore = 16;  // rows of a key than are wanted, for this to be worth it

RowSet ends_of_keys(const RowSource& source, const Selected& part,
                    const std::vector<Column>& columns, KeyEnds ends) {
  PieceKeys keys(source, part.piece, columns);
  RowSet out;
  std::uint64_t keys_met = 0;
  std::uint64_t rows_met = 0;
  for (const RowRange& range : part.ranges) {
    for (std::uint64_t row = range.first; row < range.end();) {
      const std::uint64_t end = keys.key_end(row, range.end());
      std::uint64_t count = std::min(ends.rows, end - row);
      if (mutant("ends-of-keys-too-few") && count > 1) --count;
      out.append({ends.last ? end - count : row, count});
      rows_met += end - row;
      row = end;
      ++keys_met;
      const bool few = rows_met < keys_met * ends.rows * kTimesMore;
      if (few && keys_met % kPageRowsMax == 0) return part.ranges;  // nothing to leave out
    }
  }
  return out;
}

}  // namespace

void keep_ends_of_keys(std::vector<Unit>& units, const Schema& schema, KeyEnds ends,
                       unsigned threads) {
  const std::uint64_t rows = rows_in(units);
  if (rows < kRowGroupRowsMax || rows / kTimesMore < ends.rows) return;
  std::vector<Column> columns;
  for (const std::size_t key : schema.key_indexes()) columns.push_back(schema.columns[key]);
  std::vector<std::pair<const RowSource*, Selected*>> parts;
  for (Unit& unit : units) {
    for (Selected& part : unit.parts) parts.emplace_back(unit.source.get(), &part);
  }
  segment::run_tasks(threads, parts.size(), [&](unsigned, std::size_t i) {
    const auto [source, part] = parts[i];
    part->ranges = ends_of_keys(*source, *part, columns, ends);
  });
  for (Unit& unit : units) {
    unit.rows = 0;
    for (const Selected& part : unit.parts) unit.rows += part.ranges.rows();
  }
}

}  // namespace otolith::scan
