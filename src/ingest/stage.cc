#include "ingest/stage.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "model/gather.h"
#include "model/wire.h"
#include "scan/matches.h"

namespace otolith::ingest {

namespace {

Batch kept_of(const Batch& part, const RowSet& gone) {
  std::vector<std::uint32_t> rows;
  rows.reserve(part.rows - gone.rows());
  std::uint64_t row = 0;
  const auto keep_until = [&](std::uint64_t end) {
    for (; row < end; ++row) rows.push_back(static_cast<std::uint32_t>(row));
  };
  for (const RowRange& range : gone) {
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
  rows_ += rows;
  part_rows_ += rows;
  part_bytes_ += bytes;
  bytes_ += bytes;
  plain_bytes_ += bytes;
  if (part_bytes_ >= kStagePartBytes) close_part();
}

void Stage::borrow(Batch batch) {
  if (batch.rows == 0) return;
  close_part();  // arrival decides among equal rows
  rows_ += batch.rows;
  plain_bytes_ += model::batch_plain_bytes(batch);
  parts_.push_back({std::move(batch)});
}

void Stage::take_over(Batch batch) {
  bytes_ += model::batch_plain_bytes(batch);
  borrow(std::move(batch));
}

void Stage::close_part() {
  if (part_rows_ == 0) return;
  Batch part{.schema = dataset_.schema, .rows = std::exchange(part_rows_, 0)};
  for (model::ArrayBuilder& column : columns_) part.columns.push_back(column.finish());
  parts_.push_back({std::move(part)});
  part_bytes_ = 0;
}

void Stage::remove(const ReadRequest& rows) {
  close_part();
  std::vector<Part> kept;
  std::uint64_t bytes = 0;
  std::uint64_t left_rows = 0;
  for (const Part& part : parts_) {
    const RowSet gone = scan::matching_rows(part.rows, rows);
    Part left = gone.empty() ? part : Part{kept_of(part.rows, gone)};
    if (left.rows.rows == 0) continue;
    bytes += model::batch_plain_bytes(left.rows);
    left_rows += left.rows.rows;
    kept.push_back(std::move(left));
  }
  if (spilled_) spilled_->remove(rows);
  parts_ = std::move(kept);
  bytes_ = std::min(bytes_, bytes);
  plain_bytes_ = bytes;
  rows_ = taken_rows_ + left_rows;
}

std::vector<Batch> Stage::take() {
  close_part();
  bytes_ = 0;
  plain_bytes_ = 0;
  taken_rows_ = rows_;
  std::vector<Batch> out;
  for (Part& part : parts_) out.push_back(std::move(part.rows));
  parts_.clear();
  return out;
}

// From the first part on that is not sorted, with those before it that are not larger: so parts
// stay few, and no row is sorted often, whatever is appended and taken out between two reads.
void Stage::sort() {
  close_part();
  const auto unsorted = std::ranges::find_if(parts_, [](const Part& part) { return !part.sorted; });
  if (unsorted == parts_.end()) return;
  auto first = static_cast<std::size_t>(unsorted - parts_.begin());
  std::uint64_t rows = 0;
  for (std::size_t i = first; i < parts_.size(); ++i) rows += parts_[i].rows.rows;
  while (first > 0 && parts_[first - 1].rows.rows <= rows) rows += parts_[--first].rows.rows;
  std::vector<Batch> group;
  for (std::size_t i = first; i < parts_.size(); ++i) group.push_back(parts_[i].rows);
  model::Run run;
  const Batch batch = sort_parts(std::move(group), run);
  StagedRows sorted{.rows = batch.rows};
  std::tie(sorted.time_min, sorted.time_max) = times_of(batch);
  sorted.bytes = std::make_shared<const Bytes>(model::wire_encode(batch, {{std::move(run)}}));
  Part part{model::conform(model::wire_decode(*sorted.bytes, sorted.bytes), dataset_.schema),
            std::move(sorted)};
  parts_.resize(first);
  parts_.push_back(std::move(part));
}

std::vector<StagedRows> Stage::sorted() {
  sort();
  std::vector<StagedRows> out;
  for (const Part& part : parts_) out.push_back(*part.sorted);
  return out;
}

}  // namespace otolith::ingest
