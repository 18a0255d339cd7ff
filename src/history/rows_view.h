// A snapshot that shows chosen rows of one dataset, wherever they are stored.
//
// Role:    what differs between two states, and what a revert or a rollback of a scope brings back,
//          as something that scan reads like any snapshot (apart.h, revert.h, row_questions.h).
// Shapes:  rows by begin and ordinal; the dataset has the name and schema that it is given.
// Errors:  corrupt from `tail` for rows that the log was stripped of without a seal.
// Threads: immutable.
// Why:     neither state shows both sides of a difference. What is chosen is all that is read: a
//          segment without such rows is not listed, and one of many begins says so by row groups.
#pragma once

#include <memory>
#include <vector>

#include "history/marks.h"
#include "history/snapshot_view.h"

namespace otolith::history {

class RowsView final : public Snapshot {
 public:
  /// `base` is a history's own snapshot, of a commit no earlier than any begin; `rows` ascend by
  /// begin.
  RowsView(std::shared_ptr<const Snapshot> base, DatasetEntry dataset,
           std::vector<RowsOfBegin> rows);

  /// The state whose rows these are chosen of.
  const std::shared_ptr<const Snapshot>& base() const noexcept { return base_; }

  std::shared_ptr<const Snapshot> renewed(const Renew& renew) const override;
  CommitNumber number() const noexcept override { return view_.commit; }
  std::vector<DatasetEntry> datasets() const override { return {dataset_}; }
  std::optional<DatasetEntry> find(std::string_view name) const override;
  std::optional<DatasetEntry> find(DatasetId dataset) const override;
  std::vector<SegmentEntry> segments(DatasetId dataset) const override;
  std::vector<TailEntry> tail(DatasetId dataset) const override;
  VisibleRows visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const override;
  bool shows_all(DatasetId, CommitNumber, CommitNumber) const override { return false; }
  bool shows_none(DatasetId dataset, CommitNumber first, CommitNumber last) const override;

 private:
  const RowsOfBegin* of(CommitNumber begin) const noexcept;

  const std::shared_ptr<const Snapshot> base_;
  const CatalogView& view_;  // of base_
  const DatasetEntry dataset_;
  const std::vector<RowsOfBegin> rows_;
};

/// Rows of all begins together.
std::uint64_t rows_in(const std::vector<RowsOfBegin>& rows) noexcept;

}  // namespace otolith::history
