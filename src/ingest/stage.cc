#include "ingest/stage.h"

#include <algorithm>
#include <utility>

#include "model/gather.h"
#include "scan/matches.h"

namespace otolith::ingest {

namespace {

Batch without(const Batch& part, const scan::RowRanges& gone) {
  if (gone.empty()) return part;
  std::vector<std::uint32_t> rows;
  rows.reserve(part.rows - scan::rows_in(gone));
  std::uint64_t row = 0;
  const auto keep_until = [&](std::uint64_t end) {
    for (; row < end; ++row) rows.push_back(static_cast<std::uint32_t>(row));
  };
  for (const scan::RowRange& range : gone) {
    keep_until(range.first);
    row = range.end();
  }
  keep_until(part.rows);
  return model::gather(part, rows);
}

}  // namespace

Stage::Stage(history::DatasetEntry dataset) : dataset_(std::move(dataset)) {
  for (const Column& column : dataset_.schema->columns) columns_.emplace_back(column.type);
}

void Stage::copy(const Batch& batch, std::uint64_t first, std::uint64_t rows) {
  if (rows == 0) return;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].append_rows(batch.columns[c], first, rows);
  }
  // As if rows were of one size: an estimate is enough to bound memory.
  const std::uint64_t bytes = model::batch_plain_bytes(batch) * rows / batch.rows;
  part_rows_ += rows;
  part_bytes_ += bytes;
  bytes_ += bytes;
  plain_bytes_ += bytes;
  if (part_bytes_ >= kStagePartBytes) close_part();
}

void Stage::borrow(Batch batch) {
  if (batch.rows == 0) return;
  close_part();  // arrival decides among equal rows
  plain_bytes_ += model::batch_plain_bytes(batch);
  parts_.push_back(std::move(batch));
}

void Stage::close_part() {
  if (part_rows_ == 0) return;
  Batch part{.schema = dataset_.schema, .rows = std::exchange(part_rows_, 0)};
  for (model::ArrayBuilder& column : columns_) part.columns.push_back(column.finish());
  parts_.push_back(std::move(part));
  part_bytes_ = 0;
}

void Stage::remove(const ReadRequest& rows) {
  close_part();
  std::vector<Batch> kept;
  std::uint64_t bytes = 0;
  for (const Batch& part : parts_) {
    Batch left = without(part, scan::matching_rows(part, rows));
    if (left.rows == 0) continue;
    bytes += model::batch_plain_bytes(left);
    kept.push_back(std::move(left));
  }
  parts_ = std::move(kept);
  bytes_ = std::min(bytes_, bytes);
  plain_bytes_ = bytes;
}

std::vector<Batch> Stage::take() {
  close_part();
  bytes_ = 0;
  plain_bytes_ = 0;
  return std::exchange(parts_, {});
}

}  // namespace otolith::ingest
