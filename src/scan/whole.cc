#include "scan/whole.h"

#include <cstring>

#include "io/large_memory.h"
#include "model/array.h"
#include "scan/unit.h"
#include "segment/tasks.h"

namespace otolith::scan {

void Whole::add(std::shared_ptr<const RowSource> source, std::size_t piece, std::uint64_t first,
                std::uint64_t rows) {
  parts_.push_back({batches_.size(), std::move(source), piece, first, rows_});
  batches_.push_back({.schema = result_, .rows = rows, .columns = {}});
  rows_ += rows;
}

void Whole::add(Batch batch) { batches_.push_back(std::move(batch)); }

// What was not decoded into the stretch, because it was widened or cut out of pages, is moved
// there.
Array Whole::column_of(const Part& part, const Column& column, const codec::Target& stretch) const {
  const std::uint64_t rows = batches_[part.batch].rows;
  if (stretch.values == nullptr)
    return piece_values(*part.source, part.piece, column, part.first, rows);
  const std::uint64_t width = type_width(column.type);
  const codec::Target target{stretch.owner, stretch.values + part.place * width};
  Array out = piece_values(*part.source, part.piece, column, part.first, rows, target);
  if (out.zero_copy || out.values.bytes.data() == target.values) return out;
  if (rows != 0) std::memcpy(target.values, out.values.bytes.data(), rows * width);
  out.values = {target.owner, {target.values, rows * width}};
  return out;
}

std::vector<Batch> Whole::finish() {
  const std::size_t columns = result_->columns.size();
  std::vector<codec::Target> stretches(columns);
  for (std::size_t i = 0; i < columns && parts_.size() > 1; ++i) {
    const Type type = result_->columns[i].type;
    if (model::is_text(type)) continue;
    const auto memory = io::large_memory(rows_ * type_width(type));
    stretches[i] = {memory, memory.get()};
  }
  for (const Part& part : parts_) batches_[part.batch].columns.resize(columns);
  const unsigned threads = segment::threads_worth(threads_, rows_);
  segment::run_tasks(threads, parts_.size() * columns, [&](unsigned, std::size_t task) {
    const Part& part = parts_[task / columns];
    const std::size_t i = task % columns;
    batches_[part.batch].columns[i] = column_of(part, result_->columns[i], stretches[i]);
  });
  parts_.clear();
  return std::move(batches_);
}

}  // namespace otolith::scan
