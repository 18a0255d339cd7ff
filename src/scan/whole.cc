#include "scan/whole.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/limits.h"
#include "base/mutant.h"
#include "base/stopping.h"
#include "model/array.h"
#include "model/gather.h"
#include "segment/tasks.h"

namespace otolith::scan {

void Whole::add(std::shared_ptr<const RowSource> source, std::size_t piece, std::uint64_t first,
                std::uint64_t rows) {
  parts_.push_back({batches_.size(), std::move(source), piece, first, rows_});
  batches_.push_back({.schema = result_, .rows = rows, .columns = {}});
  rows_ += rows;
}

void Whole::add(PickedRows picked) {
  const std::uint64_t rows = picked.rows.size();
  picked_.push_back({batches_.size(), std::move(picked), rows_});
  for (std::uint64_t at = 0; at < rows; at += kRowGroupRowsMax) {
    const std::uint64_t count = std::min<std::uint64_t>(rows - at, kRowGroupRowsMax);
    batches_.push_back({.schema = result_, .rows = count, .columns = {}});
    batches_.back().columns.resize(result_->columns.size());
  }
  rows_ += rows;
}

void Whole::add(Batch batch) { batches_.push_back(std::move(batch)); }

std::vector<Whole::Stretch> Whole::stretches() const {
  std::vector<Stretch> out(result_->columns.size());
  if (parts_.size() < 2 && picked_.empty()) return out;  // a part by itself is one already
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Type type = result_->columns[i].type;
    if (model::is_text(type)) {
      out[i].text.resize(threads_);
    } else {
      const auto memory = io::large_memory(rows_ * type_width(type));
      out[i].fixed = {memory, memory.get()};
    }
  }
  return out;
}

namespace {

Buffer take(io::LargePieces& from, std::size_t bytes, std::byte** data) {
  const std::shared_ptr<std::byte> piece = from.take(bytes);
  *data = piece.get();
  return {piece, {piece.get(), bytes}};
}

// Text of a piece in memory that others share, instead of pages of its own to be cleared.
Array moved_text(const Array& text, io::LargePieces& to) {
  Array out = text;
  std::byte* offsets = nullptr;
  std::byte* values = nullptr;
  out.offsets = take(to, (text.length + 1) * sizeof(std::int64_t), &offsets);
  out.values = take(to, model::text_bytes(text), &values);
  store_le<std::int64_t>(offsets, 0);
  model::text_copy(text, 0, offsets + sizeof(std::int64_t), values);
  return out;
}

}  // namespace

// What was not decoded into the stretch, because it was widened or cut out of pages, is moved
// there.
Array Whole::column_of(const Part& part, const Column& column, Stretch& stretch,
                       unsigned worker) const {
  const std::uint64_t rows = batches_[part.batch].rows;
  codec::Target target = stretch.fixed;
  const std::uint64_t width = type_width(column.type);
  if (target.values != nullptr) target.values += part.place * width;
  Array out = piece_values(*part.source, part.piece, column, part.first, rows, target);
  if (out.zero_copy) return out;
  if (!stretch.text.empty()) return moved_text(out, stretch.text[worker]);
  if (target.values == nullptr || out.values.bytes.data() == target.values) return out;
  if (rows != 0) std::memcpy(target.values, out.values.bytes.data(), rows * width);
  out.values = {target.owner, {target.values, rows * width}};
  return out;
}

void Whole::decode_parts(std::vector<Stretch>& stretches) {
  const std::size_t columns = result_->columns.size();
  for (const Part& part : parts_) batches_[part.batch].columns.resize(columns);
  const unsigned threads = segment::threads_worth(threads_, rows_);
  segment::run_tasks(threads, parts_.size() * columns, [&](unsigned worker, std::size_t task) {
    const Part& part = parts_[task / columns];
    const std::size_t i = task % columns;
    batches_[part.batch].columns[i] = column_of(part, result_->columns[i], stretches[i], worker);
    decoded_ += batches_[part.batch].rows;
  });
}

// A column at a time: what it is gathered from stays near the cores.
void Whole::gather_picked(const Picked& picked, std::vector<Stretch>& stretches,
                          io::Scratch& scratch) {
  const std::span rows(picked.rows.rows);
  const std::size_t batches = (rows.size() + kRowGroupRowsMax - 1) / kRowGroupRowsMax;
  const unsigned threads = segment::threads_worth(threads_, rows.size());
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const Column& column = result_->columns[i];
    const Array from = units_values(picked.rows.units, column, threads_, scratch);
    segment::run_tasks(threads, batches, [&](unsigned worker, std::size_t batch) {
      const std::size_t first = batch * kRowGroupRowsMax;
      Stretch& stretch = stretches[i];
      const auto allocate = [&](std::size_t bytes, std::byte** data) -> Buffer {
        if (!stretch.text.empty()) return take(stretch.text[worker], bytes, data);
        *data =
            stretch.fixed.values + (picked.place + (mutant("picked_rows_misplaced") ? 0 : first)) *
                                       type_width(column.type);
        return {stretch.fixed.owner, {*data, bytes}};
      };
      Batch& to = batches_[picked.batch + batch];
      to.columns[i] = model::gather(from, rows.subspan(first, to.rows), allocate);
      decoded_ += to.rows;
    });
  }
}

std::vector<Batch> Whole::finish(const Progress& progress) {
  std::optional<Stopping> telling;
  const std::uint64_t columns = std::max<std::uint64_t>(result_->columns.size(), 1);
  if (progress) {
    telling.emplace([&] {  // that all is done is said once
      if (decoded_ / columns < rows_) progress(decoded_ / columns, rows_);
    });
  }
  std::vector<Stretch> to = stretches();
  decode_parts(to);
  io::Scratch scratch;
  for (const Picked& picked : picked_) gather_picked(picked, to, scratch);
  parts_.clear();
  picked_.clear();
  telling.reset();
  std::uint64_t all = 0;
  for (const Batch& batch : batches_) all += batch.rows;
  if (progress) progress(all, all);
  return std::move(batches_);
}

}  // namespace otolith::scan
