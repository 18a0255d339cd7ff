// Rows that share keys and time, found among rows of several sources.
//
// Role:    what unique.h refuses, what a revert would show twice, and what of two states is one row
//          that changed (apart.h).
// Shapes:  units of one partition; rows are counted through them one after the other.
// Errors:  those of reading keys and times, and of merge.h.
// Threads: thread-compatible; works on several threads itself.
// Why:     put in order once, and each group met once. Of few rows those that they may meet are
//          looked up by their times and keys, page by page, so that many are never read.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "scan/scan.h"
#include "scan/unit.h"

namespace otolith::scan {

/// Of so few rows those that they meet are looked up; more are merged with what they lie among.
inline constexpr std::uint64_t kLookedUpRowsMax = 1024;

/// Of the rows that are there only those whose keys and time are each some of the other rows'.
void look_up(std::vector<Unit>& there, const std::vector<Unit>& rows, const Schema& schema);

/// The visible rows from `first` to `last`, both included, of a snapshot.
std::vector<Unit> units_between(const ScanContext& context,
                                const std::shared_ptr<const history::Snapshot>& snapshot,
                                const history::DatasetEntry& dataset, std::int64_t first,
                                std::int64_t last);

/// Rows of several units in stored order, in groups that share keys and time.
class Together {
 public:
  Together(const ScanContext& context, const history::DatasetEntry& dataset,
           const std::vector<Unit>& units);

  /// Calls with the rows of each group of so many or more.
  template <typename Meet>
  void groups(std::size_t least, Meet meet) const;

  std::size_t unit_of(std::uint64_t row) const;
  std::uint64_t place_of(std::uint64_t row) const { return row - starts_[unit_of(row)]; }
  /// Of which keys and time a row is.
  std::string text(std::uint64_t row) const;

 private:
  std::uint64_t at(std::uint64_t i) const { return in_order_ ? i : order_[i]; }
  bool same(std::uint64_t a, std::uint64_t b) const;

  const history::DatasetEntry& dataset_;
  std::vector<Array> columns_;
  std::vector<const Array*> same_;
  std::vector<std::uint64_t> starts_;
  std::vector<std::uint32_t> order_;
  bool in_order_ = false;
};

template <typename Meet>
void Together::groups(std::size_t least, Meet meet) const {
  const std::uint64_t rows = starts_.back();
  std::vector<std::uint64_t> group;
  for (std::uint64_t begin = 0, end = 0; begin < rows; begin = end) {
    for (end = begin + 1; end < rows && same(at(begin), at(end)); ++end) {
    }
    if (end - begin < least) continue;
    group.clear();
    for (std::uint64_t i = begin; i < end; ++i) group.push_back(at(i));
    meet(std::span<const std::uint64_t>(group));
  }
}

}  // namespace otolith::scan
