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

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/request.h"
#include "otolith/commit.h"

namespace otolith::history {

/// Ordinals first..first+count-1 of one begin.
struct OrdinalRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const OrdinalRun&) const = default;
};

/// Runs of ordinals, sorted and disjoint. Copies share them: there may be millions.
class OrdinalRuns {
 public:
  OrdinalRuns() = default;
  OrdinalRuns(std::vector<OrdinalRun> runs)
      : runs_(std::make_shared<const std::vector<OrdinalRun>>(std::move(runs))) {}
  OrdinalRuns(std::initializer_list<OrdinalRun> runs)
      : OrdinalRuns(std::vector<OrdinalRun>(runs)) {}

  operator const std::vector<OrdinalRun>&() const noexcept { return all(); }
  const std::vector<OrdinalRun>& all() const noexcept {
    static const std::vector<OrdinalRun> kNone;
    return runs_ ? *runs_ : kNone;
  }
  auto begin() const noexcept { return all().begin(); }
  auto end() const noexcept { return all().end(); }
  std::size_t size() const noexcept { return all().size(); }
  bool empty() const noexcept { return all().empty(); }
  bool operator==(const OrdinalRuns& other) const { return all() == other.all(); }

 private:
  std::shared_ptr<const std::vector<OrdinalRun>> runs_;
};

/// Which rows of one begin a snapshot shows.
struct VisibleRows {
  enum class Kind : std::uint8_t { all, none, some } kind = Kind::none;
  OrdinalRuns runs{};  // of `some`: not empty
};

/// A segment of a dataset: rows of one begin, or (sealed, compacted) of many, with begin as a
/// column.
struct SegmentEntry {
  SegmentRef ref;
  CommitNumber begin_first{0};  // the only begin, or the first of many
  CommitNumber begin_last{0};
  bool many = false;  // begin and ordinal are columns of the segment
};

/// Rows of one commit that are still in the log.
struct TailEntry {
  CommitNumber begin{0};
  std::uint64_t rows = 0;
  std::shared_ptr<const Bytes> bytes;  // model/wire.h
  Timestamp time_min{};
  Timestamp time_max{};
};

/// A dataset as of a commit.
struct DatasetEntry {
  DatasetId id;
  std::string name;
  std::shared_ptr<const Schema> schema;
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual CommitNumber number() const noexcept = 0;
  /// Sorted by name.
  virtual std::vector<DatasetEntry> datasets() const = 0;
  virtual std::optional<DatasetEntry> find(std::string_view name) const = 0;
  /// By identity, whatever its name is here; nullopt where it is dropped or not made yet.
  virtual std::optional<DatasetEntry> find(DatasetId dataset) const = 0;
  /// Segments and tail that may hold visible rows, ordered by begin; commits behind this one left
  /// out.
  virtual std::vector<SegmentEntry> segments(DatasetId dataset) const = 0;
  virtual std::vector<TailEntry> tail(DatasetId dataset) const = 0;
  /// The rows with this begin that are visible, of `rows` in all (ordinals 0..rows-1).
  virtual VisibleRows visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const = 0;
  /// True only if all rows of all these begins are visible, both ends included; false may also mean
  /// that each has to be asked about.
  virtual bool shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const = 0;
};

}  // namespace otolith::history
