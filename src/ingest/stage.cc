#include "ingest/stage.h"

#include <utility>

namespace otolith::ingest {

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

std::vector<Batch> Stage::take() {
  close_part();
  bytes_ = 0;
  plain_bytes_ = 0;
  return std::exchange(parts_, {});
}

}  // namespace otolith::ingest
