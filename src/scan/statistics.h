// Counts, sums and bounds of columns over a time range, from zone maps where they can answer.
//
// Role:    reduce without scan: what a query that only adds up asks first.
// Shapes:  per column: values and nulls among the visible rows; the sum, exact for integers and of
//          floats the double nearest to the true sum, the same however rows are grouped; the least
//          and greatest value. NaN makes a float's sum NaN and is no bound.
// Errors:  those of a scan; limit where a sum of decimals passes 128 bits.
// Threads: thread-compatible.
// Why:     a page answers from its zone map where all its rows are shown and wanted; any other is
//          read. A float sum whose rounding the error bound leaves open is added up again, exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "otolith/timestamp.h"
#include "scan/scan.h"
#include "segment/zone.h"

namespace otolith::scan {

struct TotalsRequest {
  std::vector<std::string> columns;
  std::optional<Timestamp> start;
  std::optional<Timestamp> stop;
};

/// A bound, as its type: int64 (also timestamps), uint64 (also booleans), double, decimals' digits,
/// text; monostate where there is none.
using Bound =
    std::variant<std::monostate, std::int64_t, std::uint64_t, double, Int128, std::string>;
/// monostate for text.
using Sum = std::variant<std::monostate, Int128, double>;

struct ColumnTotals {
  Type type;
  std::uint64_t values = 0;  // not null
  std::uint64_t nulls = 0;
  Bound min;
  Bound max;
  Sum sum;
};

struct Totals {
  std::vector<ColumnTotals> columns;  // as asked for
  std::uint64_t rows = 0;             // visible and in the range
  std::uint64_t values_read = 0;      // of all columns: the rest came from zone maps
};

Totals totals(const ScanContext& context, const std::shared_ptr<const history::Snapshot>& snapshot,
              const history::DatasetEntry& dataset, const TotalsRequest& request);

}  // namespace otolith::scan
