// What to roll back or to revert: everything, one dataset, or some rows of one.
//
// Role:    the arguments of Database::rollback and Database::revert, and of their dry runs.
// Shapes:  rows of a table, by time and keys; documents of a collection, by time and ids. A dataset
//          is named as it was at the commit in question, else as it is at HEAD; times are half-open
//          [start, stop).
// Errors:  checked where it is used: not_found names the nearest dataset, invalid_argument the
//          column.
// Threads: thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "otolith/read.h"

namespace otolith {

/// What goes back to an older state; nothing named: the whole database.
struct RollbackOptions {
  std::optional<std::string> dataset{};
  std::optional<Timestamp> start{};  // rows of the dataset from here on; its columns stay
  std::optional<Timestamp> stop{};   // and before this
  std::vector<KeyFilter> keys{};     // and of these keys; all must hold
  std::optional<std::vector<std::string>> ids{};  // documents of these ids, in the place of keys
  bool replace_name = false;  // a dataset that holds the old name by now is dropped, no conflict

  /// Whether only some rows go back.
  bool scoped() const noexcept { return start || stop || !keys.empty() || ids; }
};

/// Of which dataset a commit is undone; none: of all that it touched.
struct RevertOptions {
  std::optional<std::string> dataset{};
};

}  // namespace otolith
