// A state with what a recorder staged on top: what the recorder itself reads.
//
// Role:    between stage and scan: a recorder's reads, and the search for staged rows to take out.
// Shapes:  staged rows stand in places, each sorted; every place has a begin of its own behind that
//          of any commit, in the order of arrival, so that equal rows keep it. (A segment of the
//          state may hold rows of commits behind it.)
// Errors:  none.
// Threads: immutable.
// Why:     a snapshot like any other: pruning, merging, policies and counting need not know of
//          recorders.
#pragma once

#include <memory>
#include <vector>

#include "history/snapshot.h"
#include "segment/reader.h"

namespace otolith::ingest {

/// Sorted rows of a recorder in one place: in a file, or in memory as a frame would hold them.
struct StagedRows {
  std::uint64_t rows = 0;
  Timestamp time_min{};
  Timestamp time_max{};
  std::optional<history::SegmentRef> segment{};
  std::shared_ptr<const segment::SegmentReader>
      reader{};                          // of it: the file may go before its users
  std::shared_ptr<const Bytes> bytes{};  // model/wire.h, without a segment
  history::VisibleRows left = history::VisibleRows::all_or_none(true);  // not taken out again
};

/// Those of a begin with `rows` rows that are left where some go.
history::VisibleRows without(const history::VisibleRows& shown, std::uint64_t rows,
                             const RowSet& gone);

/// What a recorder did to one dataset.
struct StagedChange {
  history::DatasetEntry dataset;
  std::vector<StagedRows> rows{};  // in the order of arrival
  history::MarkList ended{};       // of the base
};

class StagedSnapshot final : public history::Snapshot {
 public:
  /// Without a base: the staged rows alone.
  StagedSnapshot(std::shared_ptr<const history::Snapshot> base, StagedChange change);

  std::shared_ptr<const Snapshot> renewed(const history::Renew& renew) const override;
  CommitNumber number() const noexcept override;
  std::vector<history::DatasetEntry> datasets() const override;
  std::optional<history::DatasetEntry> find(std::string_view name) const override;
  std::optional<history::DatasetEntry> find(DatasetId dataset) const override;
  std::optional<history::DatasetEntry> database() const override;
  std::vector<history::SegmentEntry> segments(DatasetId dataset) const override;
  std::vector<history::SegmentEntry> segments_and_past(DatasetId dataset) const override;
  std::vector<history::TailEntry> tail(DatasetId dataset) const override;
  std::vector<history::TailEntry> tail_since(DatasetId dataset, CommitNumber after) const override;
  std::optional<history::TailEntry> tail_of(DatasetId dataset, CommitNumber begin) const override;
  std::optional<CommitNumber> tail_first(DatasetId dataset) const override;
  bool sees(DatasetId dataset, CommitNumber commit) const override;
  std::vector<history::RowMark> marks_of(DatasetId dataset, CommitNumber begin,
                                         std::uint64_t ordinal) const override;
  history::VisibleRows visible(DatasetId dataset, CommitNumber begin,
                               std::uint64_t rows) const override;
  bool shows(DatasetId dataset, const RowId& row) const override;
  bool shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const override;
  bool stands(DatasetId dataset, const history::SegmentEntry& entry, CommitNumber first,
              CommitNumber last) const override;

  /// The place of staged rows that has this begin.
  std::size_t place_of(CommitNumber begin) const noexcept;
  CommitNumber begin_of(std::size_t place) const noexcept;

 private:
  bool of(DatasetId dataset) const noexcept { return dataset == change_.dataset.id; }
  /// Segments that were staged for the dataset are put behind those that are there.
  std::vector<history::SegmentEntry> with_staged(DatasetId dataset,
                                                 std::vector<history::SegmentEntry> there) const;
  /// Whether rows of any of these begins were ended.
  bool ends_any(DatasetId dataset, CommitNumber first, CommitNumber last) const;

  const std::shared_ptr<const history::Snapshot> base_;
  const StagedChange change_;
};

}  // namespace otolith::ingest
