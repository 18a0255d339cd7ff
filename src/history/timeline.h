// The state of a history: what all records so far add up to, and how one more changes it.
//
// Role:    replay, refresh and the committer feed it; snapshots and decisions are taken from it.
// Shapes:  records in order; of commits a staged suffix that no snapshot shows yet.
// Errors:  take() keeps the first error of a record and takes in nothing behind it: what can be
//          read stays readable, `damage` is thrown to those who ask for HEAD or want to commit.
// Threads: thread-compatible; the engine's mutex guards it.
// Why:     catalog, lineage, index, mountain range and tags change together, in one place, whether
//          a record comes from the disk, from another process or from this one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/checkpoint.h"
#include "history/commit_index.h"
#include "history/history.h"
#include "history/losses.h"
#include "history/snapshot_view.h"

namespace otolith::history {

/// A relaxed commit whose segments nobody has synced yet.
struct RelaxedSegment {
  RecordNumber record{0};
  SegmentRef segment;
};

class Timeline {
 public:
  Timeline(std::shared_ptr<io::Vfs> vfs, const Id128& database, const HistoryOptions& options);

  // ---- Records that are in the log.

  /// Starts from a checkpoint instead of from nothing. False if the index does not reach it.
  bool resume(Checkpoint checkpoint);
  /// Whether the log said the same as the checkpoint, of all records up to it.
  bool resumed() const noexcept { return !resume_; }
  /// Takes in a record of the log. Never throws.
  void take(const Frame& frame) noexcept;
  /// Relaxed records behind this one are lost.
  void fall_back(RecordNumber stands);
  /// The same for a handle that may not say so in the log: what follows is passed over until a
  /// record of the log says it.
  void end_at(RecordNumber stands);
  /// The record of this process that says so; `fall_back` came before.
  void take_lost(const LostRecord& lost, RecordNumber number);
  /// After all of the log was taken in: index runs on disk that say the same take the place of
  /// memory.
  void adopt_index(bool remove);
  bool damaged() const noexcept { return damage_.has_value(); }
  const std::optional<Error>& damage() const noexcept { return damage_; }
  /// Thrown unless nullptr: why records behind visible().record could not be taken in.
  void check_damage() const;

  // ---- Commits of this process, before and after they are in the log.

  /// Makes the commit part of the staged state. Where `relaxed`, its segments are not synced yet.
  void stage(const CommitRecord& record, const Hash256& hash, RecordNumber number, bool relaxed);
  /// The first staged commit is in the log now.
  void publish(RecordNumber number) noexcept;
  /// Takes the last staged commit back.
  void unstage() noexcept;
  bool has_staged() const noexcept { return !staged_.empty(); }
  void apply_tag(const TagRecord& tag, RecordNumber number);
  /// False, and nothing changed, if another seal covered any of it meanwhile.
  bool apply_seal(const SealRecord& seal, RecordNumber number);
  /// False, and nothing changed, if another join replaced any of its segments meanwhile.
  bool apply_compact(const CompactRecord& compact, RecordNumber number);

  // ---- What it adds up to.

  const HeadState& visible() const noexcept { return visible_; }  // shown by snapshots
  const HeadState& staged() const noexcept {                      // what the next commit stands on
    return staged_.empty() ? visible_ : staged_.back().head;
  }
  CatalogView view_at(CommitNumber number) const {
    return {catalog_.version(), lineage_, number, parted_.size()};
  }
  /// Whether the commit that a view was taken of was lost since.
  bool lost(const CatalogView& view) const;
  std::shared_ptr<const Snapshot> snapshot(CommitNumber number);
  std::shared_ptr<const NameTable> names_at(CommitNumber number);

  Catalog& catalog() noexcept { return catalog_; }
  const Catalog& catalog() const noexcept { return catalog_; }
  const Lineage& lineage() const noexcept { return *lineage_; }
  CommitIndex& index() noexcept { return index_; }
  const CommitIndex& index() const noexcept { return index_; }
  const Tags& tags() const noexcept { return tags_; }
  Losses& losses() noexcept { return losses_; }
  /// Files of segments that were joined lately.
  const std::vector<ReplacedFile>& replaced() const noexcept { return replaced_; }
  Hash256 range_root() const { return range_.root(); }
  /// The newest record whose commit stands in an index file.
  RecordNumber indexed() const;
  /// Hash of the newest commit at or before a record, staged ones included.
  Hash256 hash_at(RecordNumber record) const;

  /// Segments of relaxed commits that a durable one must sync first; emptied by relaxed_synced.
  /// `until` gets the last record that names one of them.
  std::vector<SegmentRef> relaxed_segments(RecordNumber& until) const;
  void relaxed_synced(RecordNumber until);
  /// The last record that stands if segments of the trailing relaxed commits up to a record fail
  /// `sound`; nullopt if none does.
  std::optional<RecordNumber> unsound_from(const std::function<bool(const SegmentRef&)>& sound,
                                           RecordNumber until) const;

  /// Whether this error of a look-up is damage in the index, which can be made again.
  bool index_damaged(const Error& error) const;
  /// Makes the index anew, in memory, from a log that was not read yet.
  void rebuild_index(Log& log);

  /// Everything as of visible(); requires that nothing is staged.
  Checkpoint checkpoint() const;

 private:
  struct Staged {
    HeadState head;
    MountainRange range_before;
    bool names = false;  // it changes names or lineage
  };

  void take_record(const Frame& frame);
  void give_up(const LostRecord& lost);
  void take_commit(const Frame& frame);
  void take_known(const Frame& frame);
  void pass_over(const Frame& frame);
  void apply(const CommitRecord& record, const Hash256& hash, RecordNumber number, bool relaxed);
  void read_marks(CommitRecord& record) const;
  void check_follows(const CommitRecord& record) const;
  void check_datasets(const CommitRecord& record) const;
  void renew_names();

  const std::shared_ptr<io::Vfs> vfs_;
  const Id128 database_;
  const HistoryOptions options_;
  Catalog catalog_;
  std::shared_ptr<Lineage> lineage_ = std::make_shared<Lineage>();
  CommitIndex index_;
  MountainRange range_;  // over staged commits too
  Tags tags_;
  Losses losses_;
  std::vector<ReplacedFile> replaced_;
  std::vector<CommitNumber> parted_;  // of each loss of relaxed commits: the last that stood
  HeadState visible_;
  std::deque<Staged> staged_;
  std::shared_ptr<const NameTable> names_;
  CommitNumber names_from_{0};  // names_ holds from this commit to visible_.commit
  std::shared_ptr<const SnapshotView> snapshot_;  // of visible_, once asked for
  std::vector<RelaxedSegment> relaxed_;           // ascending by record

  std::optional<HeadState> resume_;  // of the checkpoint, until the log has confirmed it
  bool resume_compared_ = false;
  std::optional<Hash256> known_;  // of the last commit compared so
  bool ended_ = false;            // end_at() was called and the log has not confirmed it
  std::optional<Error> damage_;
  CommitRecord scratch_;
};

/// Appends a decided commit to a lineage that ends before it.
void append_lineage(Lineage& lineage, const CommitRecord& record);

}  // namespace otolith::history
