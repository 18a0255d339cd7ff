// Keeps the rows for which a condition is true.
//
// Role:    filter of the flow: on units before they are merged.
// Shapes:  units lose rows, and go where none is left.
// Errors:  those of reading the columns that the condition asks about.
// Threads: immutable.
// Why:     before the merge, so that only rows that pass are put in order. Where a duplicates
//          policy hides rows it comes first (policy.h): the row it shows may fail, and must not
//          give its place to one that it hides.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "scan/condition.h"
#include "scan/source_filter.h"
#include "scan/unit.h"

namespace otolith::scan {

/// What the rows of a source have to pass; nullptr: nothing.
using FilterOf = std::function<const SourceFilter*(const RowSource&)>;

/// Keeps those that do. Of any number of partitions at once, so that all threads have work.
void keep_rows(std::span<std::vector<Unit>> partitions, unsigned threads,
               const FilterOf& filter_of);

class Filter {
 public:
  Filter(const Expression& where, std::shared_ptr<const Schema> schema);

  /// True if it has to wait for the duplicates policy: it asks about more than keys and time.
  bool after_policy() const noexcept { return after_policy_; }
  /// As keep_rows.
  void keep(std::span<std::vector<Unit>> partitions, unsigned threads) const;
  /// By position in the unit: whether the row passes.
  std::vector<bool> passes(const Unit& unit) const;

 private:
  std::shared_ptr<const Schema> schema_;
  Condition condition_;
  bool after_policy_ = false;
};

}  // namespace otolith::scan
