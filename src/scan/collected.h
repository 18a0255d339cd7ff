// Row ids in any order, to be rows by begin.
//
// Role:    what a comparison of two states finds (shown_apart.h, documents_apart.h).
// Shapes:  row ids, each once -> runs of ordinals by begin, ascending.
// Errors:  none.
// Threads: thread-compatible.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "base/ids.h"
#include "history/snapshot.h"

namespace otolith::scan {

class CollectedRows {
 public:
  void add(const RowId& row) { rows_[row.begin].push_back(row.ordinal); }

  std::vector<history::RowsOfBegin> take() {
    std::vector<history::RowsOfBegin> out;
    for (auto& [begin, ordinals] : rows_) {
      std::ranges::sort(ordinals);
      history::RowsOfBegin& of = out.emplace_back(begin);
      for (const std::uint64_t ordinal : ordinals) of.rows.append({ordinal, 1});
    }
    return out;
  }

 private:
  std::map<CommitNumber, std::vector<std::uint64_t>> rows_;
};

/// Both, of rows that are in one of them at most.
inline std::vector<history::RowsOfBegin> joined_rows(const std::vector<history::RowsOfBegin>& a,
                                                     const std::vector<history::RowsOfBegin>& b) {
  std::map<CommitNumber, RowSet> rows;
  for (const history::RowsOfBegin& of : a) rows[of.begin] = of.rows;
  for (const history::RowsOfBegin& of : b) rows[of.begin] = united(rows[of.begin], of.rows);
  std::vector<history::RowsOfBegin> out;
  for (auto& [begin, set] : rows) out.push_back({begin, std::move(set)});
  return out;
}

}  // namespace otolith::scan
