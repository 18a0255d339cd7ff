// A snapshot: the database as of one commit, immutable, sharing structure with its neighbours.
//
// Role:    what scan, prune and every reading verb start from.
// Shapes:  datasets by name at that commit; per dataset its schema, its segments, its tail and
//          which rows of each begin are visible.
// Errors:  none: a Snapshot that exists can be read; segments may fail on their own.
// Threads: immutable.
// Why:     segments and tail are those of one catalog state, so rows and the seal that covers them
//          are never both seen; visibility is asked per begin, never stored per commit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/row_set.h"
#include "history/request.h"
#include "otolith/commit.h"

namespace otolith::history {

/// Which rows of one begin a snapshot shows, by ordinal.
class VisibleRows {
 public:
  enum class Kind : std::uint8_t { all, none, some };

  VisibleRows() = default;
  /// Of the rows 0..rows-1: below `end` these, from there on all or none.
  VisibleRows(RowSet set, std::uint64_t end, bool behind, std::uint64_t rows);
  static VisibleRows all_or_none(bool all) noexcept;

  Kind kind() const noexcept { return kind_; }
  bool shows(std::uint64_t ordinal) const noexcept;
  /// How many of a range are shown.
  std::uint64_t rows_in(RowRange range) const noexcept;
  /// Those of a range, counted from its first one on.
  RowSet slice(RowRange range) const;
  /// Those of a set.
  RowSet among(const RowSet& rows) const;
  std::uint64_t memory() const noexcept { return set_ ? set_->memory() : 0; }

 private:
  Kind kind_ = Kind::none;
  std::shared_ptr<const RowSet> set_;  // of `some`; shared by copies, for it may be large
  std::uint64_t end_ = 0;
  bool behind_ = false;
};

/// What compact made of rows: those that its base showed stand apart from those that it did not.
enum class Side : std::uint8_t { mixed, present, past };

/// A segment of a dataset: rows of one begin, or (sealed, compacted) of many, with begin as a
/// column.
struct SegmentEntry {
  SegmentRef ref;
  CommitNumber begin_first{0};  // the only begin, or the first of many
  CommitNumber begin_last{0};
  bool many = false;        // begin and ordinal are columns of the segment
  Side side = Side::mixed;  // as of `base`; mixed, unless there are many
  CommitNumber base{0};     // showed all rows of a present segment, none of a past one
};

/// Rows of one commit that are still in the log.
struct TailEntry {
  CommitNumber begin{0};
  std::uint64_t rows = 0;
  std::shared_ptr<const Bytes> bytes;  // model/wire.h
  Timestamp time_min{};
  Timestamp time_max{};
};

/// A commit that ended or revived a row.
struct RowMark {
  CommitNumber commit{0};
  bool revive = false;
};

/// A dataset as of a commit.
struct DatasetEntry {
  DatasetId id;
  std::string name;
  std::shared_ptr<const Schema> schema;
};

class Snapshot;
/// Gives a commit's snapshot as it is stored now; nullptr where it cannot.
using Renew = std::function<std::shared_ptr<const Snapshot>(const Snapshot&)>;

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  /// The same rows as they are stored now; nullptr where that cannot be had.
  virtual std::shared_ptr<const Snapshot> renewed(const Renew& renew) const { return renew(*this); }
  virtual CommitNumber number() const noexcept = 0;
  /// Sorted by name.
  virtual std::vector<DatasetEntry> datasets() const = 0;
  virtual std::optional<DatasetEntry> find(std::string_view name) const = 0;
  /// By identity, whatever its name is here; nullopt where it is dropped or not made yet.
  virtual std::optional<DatasetEntry> find(DatasetId dataset) const = 0;
  /// The dataset that stands for the database and holds its metadata; nullopt before there are any.
  virtual std::optional<DatasetEntry> database() const { return std::nullopt; }
  /// Segments and tail that may hold visible rows, ordered by begin; commits behind this one left
  /// out.
  virtual std::vector<SegmentEntry> segments(DatasetId dataset) const = 0;
  /// Those of them that may hold rows of which nothing is visible here, too: the past ones.
  virtual std::vector<SegmentEntry> segments_and_past(DatasetId dataset) const {
    return segments(dataset);
  }
  virtual std::vector<TailEntry> tail(DatasetId dataset) const = 0;
  /// Those of them with rows from `first` to `last`, both included, as far as entries tell.
  virtual std::vector<TailEntry> tail_within(DatasetId dataset, Timestamp first,
                                             Timestamp last) const;
  /// Those of them of commits behind this one, without a look at those before.
  virtual std::vector<TailEntry> tail_since(DatasetId dataset, CommitNumber after) const;
  /// The one of this commit.
  virtual std::optional<TailEntry> tail_of(DatasetId dataset, CommitNumber begin) const;
  /// The commit of the first of all of them; nullopt where the tail is empty.
  virtual std::optional<CommitNumber> tail_first(DatasetId dataset) const;
  /// Whether the commit's events count here.
  virtual bool sees(DatasetId dataset, CommitNumber commit) const;
  /// The marks on a row that count here, by commit.
  virtual std::vector<RowMark> marks_of(DatasetId dataset, CommitNumber begin,
                                        std::uint64_t ordinal) const;
  /// The rows with this begin that are visible, of `rows` in all (ordinals 0..rows-1).
  virtual VisibleRows visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const = 0;
  /// Whether the row is visible, without a look at others of its begin.
  virtual bool shows(DatasetId dataset, const RowId& row) const;
  /// True only if all rows of all these begins are visible, both ends included; false may also mean
  /// that each has to be asked about.
  virtual bool shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const = 0;
  /// The same of none: true only if no row of any of these begins is visible.
  virtual bool shows_none(DatasetId, CommitNumber, CommitNumber) const { return false; }
  /// True only if the rows of all these begins in a present segment are still all visible, in a
  /// past one none; false may also mean that each has to be asked about.
  virtual bool stands(DatasetId, const SegmentEntry&, CommitNumber, CommitNumber) const {
    return false;
  }
};

/// Some rows of one begin.
struct RowsOfBegin {
  CommitNumber begin{0};
  RowSet rows;
};

}  // namespace otolith::history
