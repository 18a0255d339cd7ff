// Snapshot over the catalog: a version of it, the lineage, and a commit number.
//
// Role:    what History::head and at hand out.
// Shapes:  names are resolved once, at the first look-up, and shared by all snapshots between two
//          changes of catalog or lineage.
// Errors:  corrupt from `tail` for rows that the log was stripped of without a seal.
// Threads: immutable, but for what is worked out once by whoever asks first: the names of a
//          NameTable, and what is shown otherwise than at the bases of joins.
// Why:     making one costs two pointers: opening any of 10^6 commits must not depend on history.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/mutex.h"
#include "history/catalog.h"
#include "history/lineage.h"
#include "history/turned.h"

namespace otolith::history {

/// What a look into the catalog needs: which version, and as of which commit.
struct CatalogView {
  std::shared_ptr<const CatalogVersion> catalog;
  std::shared_ptr<const Lineage> lineage;
  CommitNumber commit{0};
  std::uint64_t parts = 0;  // how often relaxed commits were lost before it was taken
  bool held = false;        // taken under the append lock: it names what is there now
  bool proposed = false;    // of a commit that was never made: what a request would lead to
};

/// The dataset as its lineage shows it; nullopt where it does not exist.
std::optional<DatasetEntry> dataset_at(const CatalogView& view, const DatasetVersion& dataset);

/// The names of one commit, found when first asked for.
class NameTable {
 public:
  explicit NameTable(CatalogView view) : view_(std::move(view)) {}
  const std::vector<DatasetEntry>& entries() const;  // sorted by name, the database's first
  const DatasetEntry* find(std::string_view name) const;

 private:
  const CatalogView view_;
  mutable std::once_flag once_;
  mutable std::vector<DatasetEntry> entries_;  // written once, under once_
};

class SnapshotView final : public Snapshot {
 public:
  /// `names` must hold for view.commit.
  SnapshotView(CatalogView view, std::shared_ptr<const NameTable> names)
      : view_(std::move(view)), names_(std::move(names)) {}

  CommitNumber number() const noexcept override { return view_.commit; }
  std::vector<DatasetEntry> datasets() const override;
  std::optional<DatasetEntry> find(std::string_view name) const override;
  std::optional<DatasetEntry> find(DatasetId dataset) const override;
  std::optional<DatasetEntry> database() const override;
  std::vector<SegmentEntry> segments(DatasetId dataset) const override;
  std::vector<SegmentEntry> segments_and_past(DatasetId dataset) const override;
  std::vector<TailEntry> tail(DatasetId dataset) const override;
  std::vector<TailEntry> tail_within(DatasetId dataset, Timestamp first,
                                     Timestamp last) const override;
  std::vector<TailEntry> tail_since(DatasetId dataset, CommitNumber after) const override;
  std::optional<TailEntry> tail_of(DatasetId dataset, CommitNumber begin) const override;
  std::optional<CommitNumber> tail_first(DatasetId dataset) const override;
  bool sees(DatasetId dataset, CommitNumber commit) const override;
  std::vector<RowMark> marks_of(DatasetId dataset, CommitNumber begin,
                                std::uint64_t ordinal) const override;
  VisibleRows visible(DatasetId dataset, CommitNumber begin, std::uint64_t rows) const override;
  bool shows(DatasetId dataset, const RowId& row) const override;
  bool shows_all(DatasetId dataset, CommitNumber first, CommitNumber last) const override;
  bool stands(DatasetId dataset, const SegmentEntry& entry, CommitNumber first,
              CommitNumber last) const override;

  const CatalogView& view() const noexcept { return view_; }

 private:
  using Since = std::shared_ptr<const Turned>;
  /// Rows that are shown here and not at the base, for what was past there; for what was present
  /// the other way about.
  Since since(const DatasetVersion& dataset, CommitNumber base, bool past) const;

  const CatalogView view_;
  const std::shared_ptr<const NameTable> names_;
  mutable Mutex since_mutex_;
  mutable std::map<std::tuple<DatasetId, CommitNumber, bool>, Since> since_
      OTO_GUARDED_BY(since_mutex_);
};

}  // namespace otolith::history
