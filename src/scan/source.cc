#include "scan/source.h"

#include <algorithm>

#include "base/error.h"
#include "model/array.h"
#include "model/wire.h"
#include "scan/store.h"

namespace otolith::scan {

namespace {

class SegmentSource final : public RowSource {
  // Runs a read; its errors gain the commits concerned.
  template <typename Read>
  auto located(Read read) const {
    try {
      return read();
    } catch (const Error& error) {
      throw with_commits(error, entry_);
    }
  }

 public:
  SegmentSource(std::shared_ptr<const segment::SegmentReader> reader,
                const history::SegmentEntry& entry)
      : reader_(std::move(reader)), entry_(entry) {
    const segment::Footer& shape = reader_->shape();
    if (shape.many != entry.many) {
      throw with_commits(
          Error(ErrorCode::corrupt, "the segment holds other commits than the log says",
                ErrorWhere{reader_->name(), std::nullopt, {}}),
          entry);
    }
    if (!entry.many) begin_ = entry.begin_first;
    rows_ = shape.rows;
    page_rows_ = shape.page_rows;
    unique_ = shape.unique;
    for (const segment::RowGroup& group : shape.row_groups) {
      pieces_.push_back({group.run, group.partition, group.rows, group.first_ordinal,
                         group.time_min, group.time_max});
    }
  }

  const history::SegmentEntry* entry() const noexcept override { return &entry_; }

  std::span<const segment::ShreddedPath> shredded() const noexcept override {
    return reader_->shape().shredded;
  }

  std::optional<Type> type(ColumnId column) const override {
    const auto found = reader_->find(column);
    if (!found) return std::nullopt;
    return reader_->shape().columns[*found].type;
  }

  const segment::Zone* zone(std::size_t piece, ColumnId column, std::uint64_t page) const override {
    return located([&] { return &reader_->page_zone(piece, *reader_->find(column), page); });
  }

  const segment::Zone* chunk_zone(std::size_t piece, ColumnId column) const override {
    return located([&] { return &reader_->chunk_zone(piece, *reader_->find(column)); });
  }

  Array values(std::size_t piece, ColumnId column, std::uint64_t first,
               std::uint64_t rows) const override {
    return located([&] { return reader_->rows(piece, *reader_->find(column), first, rows); });
  }

  std::string text(std::size_t piece, ColumnId column, std::uint64_t row) const override {
    return located([&] { return reader_->text(piece, *reader_->find(column), row); });
  }

  std::optional<std::string> picked(std::size_t piece, ColumnId column,
                                    std::uint64_t row) const override {
    return located([&] { return reader_->picked(piece, *reader_->find(column), row); });
  }

  void prefetch(std::size_t piece, ColumnId column, std::uint64_t row) const override {
    located([&] { reader_->prefetch(piece, *reader_->find(column), row); });
  }

  Array values_into(std::size_t piece, ColumnId column, std::uint64_t first, std::uint64_t rows,
                    const codec::Target& target) const override {
    return located(
        [&] { return reader_->rows(piece, *reader_->find(column), first, rows, target); });
  }

  bool select(std::size_t piece, ColumnId column, std::uint64_t page, const model::Criterion& test,
              std::uint64_t* bits) const override {
    return located(
        [&] { return reader_->select(piece, *reader_->find(column), page, test, bits); });
  }

  std::optional<Buffer> gather(std::size_t piece, ColumnId column, std::uint64_t page,
                               std::span<const std::uint32_t> rows, std::byte* out) const override {
    return located([&] { return reader_->gather(piece, *reader_->find(column), page, rows, out); });
  }

 private:
  std::shared_ptr<const segment::SegmentReader> reader_;
  history::SegmentEntry entry_;
};

class TailSource final : public RowSource {
 public:
  TailSource(const history::TailEntry& entry, ColumnId time) {
    try {
      stored_ = model::wire_decode(*entry.bytes, entry.bytes);
    } catch (const Error& error) {
      ErrorWhere where = error.where();
      where.commits = {value_of(entry.begin)};
      throw Error(error.code(), error.message(), std::move(where));
    }
    const Array* times = stored_.find(time);
    if (times == nullptr || times->null_count != 0 || stored_.rows != entry.rows) {
      throw Error(ErrorCode::corrupt,
                  "the rows of a commit in the log are not what its header says",
                  ErrorWhere{{}, std::nullopt, {value_of(entry.begin)}});
    }
    begin_ = entry.begin;
    rows_ = stored_.rows;
    add_pieces(*times);
  }

  std::optional<Type> type(ColumnId column) const override {
    const Array* found = stored_.find(column);
    return found == nullptr ? std::nullopt : std::optional(found->type);
  }

  const segment::Zone* zone(std::size_t, ColumnId, std::uint64_t) const override { return nullptr; }
  const segment::Zone* chunk_zone(std::size_t, ColumnId) const override { return nullptr; }

  Array values(std::size_t piece, ColumnId column, std::uint64_t first,
               std::uint64_t rows) const override {
    Array out =
        model::array_slice(*stored_.find(column), pieces_[piece].first_ordinal + first, rows);
    out.zero_copy = false;  // memory of the log, not a mapped file
    return out;
  }

 private:
  void add_pieces(const Array& times) {
    std::uint64_t row = 0;
    for (std::uint32_t run = 0; run < stored_.layout.runs.size(); ++run) {
      for (const model::PartitionRows& partition : stored_.layout.runs[run]) {
        const auto* first = times.values.as<std::int64_t>() + row;
        const auto [least, greatest] = std::minmax_element(first, first + partition.rows);
        pieces_.push_back({run, partition.bucket, partition.rows, row, *least, *greatest});
        row += partition.rows;
      }
    }
  }

  model::StoredRows stored_;
};

class BatchSource final : public RowSource {
 public:
  explicit BatchSource(const Batch& batch) : batch_(batch) {
    rows_ = batch_.rows;
    if (rows_ == 0) return;
    const auto* times = batch_.columns[batch_.schema->time_index()].values.as<std::int64_t>();
    const auto [least, greatest] = std::minmax_element(times, times + rows_);
    pieces_.push_back({0, 0, rows_, 0, *least, *greatest});
  }

  std::optional<Type> type(ColumnId column) const override {
    const Array* found = find(column);
    return found == nullptr ? std::nullopt : std::optional(found->type);
  }
  const segment::Zone* zone(std::size_t, ColumnId, std::uint64_t) const override { return nullptr; }
  const segment::Zone* chunk_zone(std::size_t, ColumnId) const override { return nullptr; }
  Array values(std::size_t, ColumnId column, std::uint64_t first,
               std::uint64_t rows) const override {
    return model::array_slice(*find(column), first, rows);
  }

 private:
  const Array* find(ColumnId column) const {
    const auto& columns = batch_.schema->columns;
    const auto found = std::ranges::find(columns, value_of(column), &Column::id);
    if (found == columns.end()) return nullptr;
    return &batch_.columns[static_cast<std::size_t>(found - columns.begin())];
  }

  Batch batch_;
};

}  // namespace

std::shared_ptr<const RowSource> batch_source(const Batch& batch) {
  return std::make_shared<const BatchSource>(batch);
}

std::string RowSource::text(std::size_t piece, ColumnId column, std::uint64_t row) const {
  return std::string(values(piece, column, row, 1).text(0));
}

std::optional<std::string> RowSource::picked(std::size_t, ColumnId, std::uint64_t) const {
  return std::nullopt;
}

Array RowSource::values_into(std::size_t piece, ColumnId column, std::uint64_t first,
                             std::uint64_t rows, const codec::Target&) const {
  return values(piece, column, first, rows);
}

bool RowSource::select(std::size_t, ColumnId, std::uint64_t, const model::Criterion&,
                       std::uint64_t*) const {
  return false;
}

std::optional<Buffer> RowSource::gather(std::size_t, ColumnId, std::uint64_t,
                                        std::span<const std::uint32_t>, std::byte*) const {
  return std::nullopt;
}

std::shared_ptr<const RowSource> segment_source(
    std::shared_ptr<const segment::SegmentReader> reader, const history::SegmentEntry& entry) {
  return std::make_shared<const SegmentSource>(std::move(reader), entry);
}

std::shared_ptr<const RowSource> tail_source(const history::TailEntry& entry, ColumnId time) {
  return std::make_shared<const TailSource>(entry, time);
}

}  // namespace otolith::scan
