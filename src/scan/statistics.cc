#include "scan/statistics.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "scan/fold.h"
#include "scan/pages.h"
#include "scan/policy.h"
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
    walk();
    std::vector<bool> again;
    for (const Fold& fold : folds_) again.push_back(!fold.proved());
    if (std::ranges::find(again, true) != again.end()) {
      exactly_ = again;
      walk();
    }
    for (const Fold& fold : folds_) out_.columns.push_back(fold.result());
    return std::move(out_);
  }

 private:
  bool first_pass() const noexcept { return exactly_.empty(); }

  void walk() {
    Walk walk(context_.store, snapshot_, dataset_, wanted_of(request_, *dataset_.schema), false);
    for (;;) {
      std::vector<Unit> units = walk.next();
      if (units.empty()) return;
      if (!mutant("totals-policy-ignored")) {
        hide_duplicates(units, *dataset_.schema, context_.threads);
      }
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
      if (first_pass()) folds_[column].take_nulls(part.ranges.rows());
      return;
    }
    const std::uint64_t rows = source.pieces()[part.piece].rows;
    if (part.ranges == RowSet{{0, rows}} &&
        take_zone(column, source.chunk_zone(part.piece, id), *stored, rows)) {
      return;
    }
    for_each_page(source, part.piece, part.ranges, [&](RowRange page, const RowSet& held) {
      const bool all = held.rows() == page.count || mutant("totals-page-part");
      const std::uint64_t number = page.first / source.page_rows();
      if (all && take_zone(column, source.zone(part.piece, id, number), *stored, page.count))
        return;
      take(column, selected_values(source, {part.piece, held}, columns_[column]));
    });
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
