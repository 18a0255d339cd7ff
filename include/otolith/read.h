// What to read: a time range, keys, a condition, columns, an order; and what to delete or replace.
//
// Role:    the argument of every reading and ending verb of tables; scan carries it out.
// Shapes:  times are half-open [start, stop); `limit` counts rows of the result.
// Errors:  checked where it is used: invalid_argument names the column and the nearest name.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "otolith/expression.h"
#include "otolith/options.h"
#include "otolith/timestamp.h"

namespace otolith {

/// One value of a key column: an integer of any width, the bytes of text and binary, 0 or 1 for a
/// boolean; for a decimal an integer, or text such as "12.50".
using KeyValue = std::variant<std::int64_t, std::uint64_t, std::string>;

/// Rows whose key column equals one of the values.
struct KeyFilter {
  std::string column;
  std::vector<KeyValue> values;
};

/// `time`: by time, equal times in stored order. `stored`: (partition, keys, time, commit, place),
/// the cheapest.
enum class Order : std::uint8_t { time, stored };

/// What to read of a table.
struct ReadRequest {
  std::optional<Timestamp> start{};                   // included; none: from the first row
  std::optional<Timestamp> stop{};                    // excluded; none: to the last row
  std::optional<std::vector<std::string>> columns{};  // in this order; none: all, in schema order
  std::vector<KeyFilter> keys{};                      // all must hold
  std::optional<Expression> where{};                  // must be true, not null
  std::optional<std::uint64_t> limit{};
  bool reverse = false;  // the last rows first
  Order order = Order::time;
  Progress progress{};  // of rows gone through, in all at most; where it throws the read ends
};

/// Of which keys to read the last row, and as of when.
struct AsofRequest {
  Timestamp at = kTimestampMax;                       // included
  std::optional<std::vector<std::string>> columns{};  // in this order; none: all, in schema order
  std::vector<KeyFilter> keys{};                      // all must hold; none: of all keys
};

/// Of which rows to tell who wrote them.
struct BlameRequest {
  std::optional<Timestamp> start{};  // included; none: from the first row
  std::optional<Timestamp> stop{};   // excluded; none: to the last row
  std::vector<KeyFilter> keys{};     // all must hold
};

/// Which rows to delete: those for which everything named here holds.
struct DeleteRequest {
  std::optional<Timestamp> start{};   // included; none: from the first row
  std::optional<Timestamp> stop{};    // excluded; none: to the last row
  std::vector<KeyFilter> keys{};      // all must hold
  std::optional<Expression> where{};  // must be true, not null
  bool all = false;                   // every row: has to be said, and alone
};

/// Which rows a batch takes the place of; it may have rows of this range and these keys only.
struct ReplaceRequest {
  std::optional<Timestamp> start{};  // included; none: from the first row
  std::optional<Timestamp> stop{};   // excluded; none: to the last row
  std::vector<KeyFilter> keys{};     // all must hold; none: of all keys
};

}  // namespace otolith
