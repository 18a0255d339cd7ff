#include "ingest/shredding.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/array.h"
#include "segment/tasks.h"

namespace otolith::ingest {

namespace {

constexpr std::uint64_t kStepRows = 8192;

std::vector<Column> columns_of(const Batch& rows) {
  if (rows.schema->kind != DatasetKind::collection) return {};
  return document::shredded_columns(rows.columns[rows.schema->find(kDocumentBody).value()]);
}

}  // namespace

Shredding::Shredding(std::vector<Column> columns, unsigned threads)
    : shredder_(std::move(columns)), strays_(shredder_.columns().size()), threads_(threads) {}

Shredding::Shredding(const Batch& rows, unsigned threads) : Shredding(columns_of(rows), threads) {}

Batch Shredding::with_columns(Batch rows) {
  if (columns().empty() || rows.rows == 0) return rows;
  const Array& bodies = rows.columns[rows.schema->find(kDocumentBody).value()];
  std::vector<std::vector<document::Shredded>> steps((rows.rows + kStepRows - 1) / kStepRows);
  segment::run_tasks(
      segment::threads_worth(threads_, rows.rows), steps.size(), [&](unsigned, std::size_t step) {
        const std::uint64_t first = step * kStepRows;
        steps[step] = shredder_.shred(bodies, first, std::min(kStepRows, rows.rows - first));
      });
  for (std::size_t column = 0; column < columns().size(); ++column) {
    std::vector<const Array*> parts;
    for (const auto& step : steps) {
      parts.push_back(&step[column].values);
      if (step[column].strays) strays_[column] = true;
    }
    rows.columns.push_back(model::array_concat(parts));
  }
  return rows;
}

void Shredding::tell(segment::SegmentWriter& writer) const {
  for (std::size_t column = 0; column < strays_.size(); ++column) {
    if (strays_[column]) writer.note_strays(column);
  }
}

}  // namespace otolith::ingest
