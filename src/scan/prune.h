// Which rows of a piece a request can want: by row group, by page, then by row where need be.
//
// Role:    prune of the flow, by time and keys; judge.h does the same by conditions.
// Shapes:  request -> Wanted, once; Wanted and a piece -> ranges of rows.
// Errors:  invalid_argument for names that are not there and values of a wrong kind.
// Threads: immutable.
// Why:     bounds first: a page is read only if its zone map leaves the question open.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/row_set.h"
#include "otolith/decimal.h"
#include "otolith/read.h"
#include "otolith/schema.h"
#include "scan/source.h"

namespace otolith::scan {

/// One key column's values, as stored columns of any width are compared with them.
struct KeyTest {
  ColumnId column{};
  bool leads = false;                          // rows are sorted by it before anything else
  std::vector<std::int64_t> signed_values;     // sorted; those that int64 can hold
  std::vector<std::uint64_t> unsigned_values;  // sorted; those that are not negative
  std::vector<std::string> texts;              // sorted
  std::vector<Decimal> decimals;               // sorted; in units of the schema's scale
  std::uint8_t scale = 0;                      // of decimals
};

/// What a request wants of rows, in ids and plain values.
struct Wanted {
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> stop;
  ColumnId time{};
  std::vector<KeyTest> keys;
  std::vector<std::size_t> columns;  // in the schema, in the order asked for
  CommitNumber begun_after{0};       // what only holds rows of commits up to it is not opened

  /// False if no time from min to max is wanted.
  bool overlaps(std::int64_t min, std::int64_t max) const noexcept {
    return (!start || max >= *start) && (!stop || min < *stop);
  }
  /// True if every time from min to max is wanted.
  bool covers(std::int64_t min, std::int64_t max) const noexcept {
    return (!start || min >= *start) && (!stop || max < *stop);
  }
};

Wanted wanted_of(const ReadRequest& request, const Schema& schema);

/// The rows among `candidates` that are wanted.
RowSet prune(const RowSource& source, std::size_t piece, const Wanted& wanted, RowSet candidates);

}  // namespace otolith::scan
