#include "scan/statistics.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "scan/fold.h"
#include "scan/prune.h"
#include "scan/walk.h"

namespace otolith::scan {

namespace {

// One pass over the wanted rows: zones to the folds, or values.
class Pass {
 public:
  Pass(const ScanContext& context, std::shared_ptr<const history::Snapshot> snapshot,
       const history::DatasetEntry& dataset, const TotalsRequest& request)
      : context_(context), snapshot_(std::move(snapshot)), dataset_(dataset) {
    request_.start = request.start;
    request_.stop = request.stop;
    request_.columns = request.columns;
    request_.order = Order::stored;
    for (const std::size_t column : wanted_of(request_, *dataset.schema).columns) {
      columns_.push_back(dataset.schema->columns[column]);
      folds_.emplace_back(columns_.back());
    }
  }

  Totals run() {
    const Duplicates policy = dataset_.schema->duplicates;
    const bool hides = policy == Duplicates::last || policy == Duplicates::first;
    go(hides && !mutant("totals-policy-ignored"));
    std::vector<bool> again;
    for (const Fold& fold : folds_) again.push_back(!fold.proved());
    if (std::ranges::find(again, true) != again.end()) {
      exactly_ = again;
      go(hides);
    }
    for (const Fold& fold : folds_) out_.columns.push_back(fold.result());
    return std::move(out_);
  }

 private:
  bool first_pass() const noexcept { return exactly_.empty(); }

  void go(bool by_scan) {
    if (by_scan)
      scan();
    else
      walk();
  }

  // Where a policy hides rows only a scan knows which are left.
  void scan() {
    Scan scan(context_, snapshot_, dataset_, request_);
    while (const auto batch = scan.next()) {
      if (first_pass()) out_.rows += batch->rows;
      for (std::size_t i = 0; i < folds_.size(); ++i) take(i, batch->columns[i]);
    }
  }

  void walk() {
    Walk walk(context_.store, snapshot_, dataset_, wanted_of(request_, *dataset_.schema), false);
    for (;;) {
      const std::vector<Unit> units = walk.next();
      if (units.empty()) return;
      for (const Unit& unit : units) {
        if (first_pass()) out_.rows += unit.rows;
        for (const Selected& part : unit.parts) {
          for (std::size_t i = 0; i < folds_.size(); ++i) take_part(i, *unit.source, part);
        }
      }
    }
  }

  void take(std::size_t column, const Array& values) {
    if (first_pass()) {
      folds_[column].take(values);
    } else if (exactly_[column]) {
      folds_[column].take_exactly(values);
    } else {
      return;
    }
    out_.values_read += values.length;
  }

  bool take_zone(std::size_t column, const segment::Zone* zone, Type stored, std::uint64_t rows) {
    if (!first_pass() || zone == nullptr || !folds_[column].answers(*zone, stored)) return false;
    folds_[column].take(*zone, rows);
    return true;
  }

  void take_part(std::size_t column, const RowSource& source, const Selected& part) {
    if (!first_pass() && !exactly_[column]) return;
    const ColumnId id{columns_[column].id};
    const auto stored = source.type(id);
    if (!stored) {
      if (first_pass()) folds_[column].take_nulls(rows_in(part.ranges));
      return;
    }
    const std::uint64_t rows = source.pieces()[part.piece].rows;
    if (part.ranges == RowRanges{{0, rows}} &&
        take_zone(column, source.chunk_zone(part.piece, id), *stored, rows)) {
      return;
    }
    const std::uint64_t page_rows = std::min(source.page_rows(), rows);
    for (const RowRange& range : part.ranges) {
      for (std::uint64_t row = range.first; row < range.end();) {
        const std::uint64_t page = row / page_rows;
        const std::uint64_t page_end = std::min((page + 1) * page_rows, rows);
        const std::uint64_t end = std::min(page_end, range.end());
        const bool all = (row == page * page_rows && end == page_end) || mutant("totals-page-part");
        if (!all || !take_zone(column, source.zone(part.piece, id, page), *stored,
                               page_end - page * page_rows)) {
          take(column, piece_values(source, part.piece, columns_[column], row, end - row));
        }
        row = end;
      }
    }
  }

  const ScanContext& context_;
  std::shared_ptr<const history::Snapshot> snapshot_;
  const history::DatasetEntry& dataset_;
  ReadRequest request_;
  std::vector<Column> columns_;
  std::vector<Fold> folds_;
  std::vector<bool> exactly_;  // of the second pass: the columns it is for
  Totals out_;
};

}  // namespace

Totals totals(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
              const history::DatasetEntry& dataset, const TotalsRequest& request) {
  return Pass(context, snapshot, dataset, request).run();
}

}  // namespace otolith::scan
