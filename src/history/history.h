// The history of one database: commits in, snapshots out.
//
// Role:    the hall of this room: open and recover, commit, refresh, snapshot, log, tags, seal,
//          verify.
// Shapes:  CommitRequest -> Commit; reference -> Snapshot.
// Errors:  conflict, not_found, invalid_argument, limit, snapshot_expired; those of log.h.
// Threads: thread-safe; committers of one process share a batch and an fsync.
// Why:     one object owns log, lineage, catalog, marks and index, so that they switch together.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "history/apart.h"
#include "history/log.h"
#include "history/request.h"
#include "history/revert.h"
#include "history/snapshot.h"
#include "otolith/commit.h"

namespace otolith::history {

struct HistoryOptions {
  LogOptions log;
  std::uint64_t tail_bytes_max = kTailBytesMax;
  std::uint64_t tail_commits_max = kTailCommitsMax;
  std::uint64_t inline_bytes_max = kInlineBytesMax;  // of a commit's rows, for who encodes them
  std::uint64_t checkpoint_commits = kCheckpointCommits;
  std::uint64_t sweep_after_ns = kSweepAfterNs;  // of files that a join replaced
  /// Whether a segment is there and sound: asked at opening, of trailing relaxed commits that an
  /// earlier uptime may have left; history ends before the first whose segments are not. Empty: all
  /// are. Throws where it cannot be told.
  std::function<bool(const SegmentRef&)> segment_ok;
  /// Syncs segments that relaxed commits name and nobody has synced yet: called under the lock,
  /// from opening on. Empty: whoever commits has synced them.
  std::function<void(const std::vector<SegmentRef>&)> sync_segments;
  /// Reads marks that stand in a file of their own. Empty: there are none.
  std::function<MarkList(const SegmentRef&)> read_marks;
  /// Rows with ids or `error` keys that a revert would show twice. Empty: a revert that has to ask
  /// is refused.
  FindMeetings meetings;
};

/// A seal: rows of the tail of one dataset, up to a record, now stand in a segment.
struct SealedDataset {
  DatasetId dataset;
  SegmentEntry segment;
};
struct SealRequest {
  RecordNumber covers{0};  // tail rows of records up to this one
  std::vector<SealedDataset> datasets;
};

/// A join: the rows of some segments of one dataset, all durable, stand in others now.
struct CompactRequest {
  DatasetId dataset;
  std::vector<Id128> replaced;         // in any order
  std::vector<SegmentEntry> segments;  // one, or one of each side
};

/// A file of segments/ that a retained commit needs.
struct NeededSegment {
  DatasetId dataset;
  SegmentEntry entry;  // of marks: begin_first and begin_last are the commit that made them
  bool marks = false;  // holds marks, not rows
};

/// What the hash of a commit says of the rows that it added to one dataset.
struct RowsProof {
  CommitNumber commit{0};
  DatasetId dataset;
  std::uint64_t rows = 0;
  Id128 salt;
  Hash256 root;                       // of their leaves
  std::vector<std::uint64_t> runs{};  // rows of each, where the log tells several
  bool one_run = false;               // sorted at once for certain
};

class History {
 public:
  static void create(io::Vfs& vfs, io::Environment& environment, const Id128& database,
                     const LogOptions& options = {});
  static std::unique_ptr<History> open(std::shared_ptr<io::Vfs> vfs,
                                       std::shared_ptr<io::Environment> environment,
                                       const Id128& database, HistoryOptions options);
  virtual ~History() = default;

  /// Decides the request against every commit before it and makes it durable (or relaxed).
  virtual Commit commit(CommitRequest request) = 0;
  /// Takes in what other handles committed, then gives the newest snapshot.
  virtual std::shared_ptr<const Snapshot> head() = 0;
  /// HEAD, or where records before it are damaged, the newest snapshot that can be read.
  virtual std::shared_ptr<const Snapshot> readable() = 0;
  virtual std::shared_ptr<const Snapshot> at(CommitNumber number) = 0;
  /// The commit of a snapshot with its rows where they stand now: a segment it names may have been
  /// joined with others and swept. snapshot_expired if the commit was lost since.
  virtual std::shared_ptr<const Snapshot> renew(const Snapshot& snapshot) = 0;
  /// "42", "HEAD", "HEAD~3", "#abcdef", a tag (docs/history.md 5).
  virtual CommitNumber resolve(std::string_view reference) = 0;
  /// The newest commit not after this time.
  virtual CommitNumber resolve_time(Timestamp time) = 0;

  virtual Commit commit_info(CommitNumber number) = 0;
  /// When a commit was made that a snapshot of this handle shows rows of.
  virtual Timestamp commit_time(CommitNumber number) { return commit_info(number).time; }
  /// How two states differ, of all datasets or of one; no row is read.
  virtual StatesApart apart(CommitNumber from, CommitNumber to,
                            std::optional<DatasetId> dataset) = 0;
  /// How the state that this request would make differs from HEAD. Throws as `commit` would;
  /// nothing is written. For rollbacks and reverts: rows that a request adds are not told.
  virtual StatesApart preview(CommitRequest request) = 0;
  /// The newest commit that is on the disk for certain, also by other handles.
  virtual CommitNumber durable_head() = 0;
  /// Where records are damaged, only what none behind them could change: up to a time, or the first
  /// `limit` in reverse.
  virtual std::vector<Commit> log(const LogFilter& filter) = 0;
  virtual void tag(const std::string& name, CommitNumber number) = 0;
  virtual void untag(const std::string& name) = 0;
  virtual std::map<std::string, CommitNumber> tags() = 0;

  /// True if the tail is beyond its limits, or so many times of them, so that the committer should
  /// have it sealed.
  virtual bool seal_due(std::uint64_t times = 1) = 0;
  /// The last record whose tail rows a seal that begins now can cover (durable ones only).
  virtual RecordNumber seal_point() = 0;
  /// Tail rows of durable records up to the point, per dataset.
  virtual std::vector<std::pair<DatasetId, std::vector<TailEntry>>> tail_until(
      RecordNumber point) = 0;
  /// The schema a dataset has at HEAD of its newest record, whatever its lineage: for sealing.
  virtual std::shared_ptr<const Schema> schema_of(DatasetId dataset) = 0;
  /// False if another seal covered any of it meanwhile: the caller removes its files.
  virtual bool seal(const SealRequest& request) = 0;
  /// Some of the tail could not be sealed: as much as it holds now is no reason for the next seal,
  /// which would fail as well and cut the others' rows into small segments.
  virtual void seal_left() = 0;
  /// False if another join replaced any of the segments meanwhile: the caller removes its file.
  virtual bool compact(const CompactRequest& request) = 0;
  virtual void checkpoint() = 0;
  /// Makes relaxed commits durable; `sync_segments` syncs the segments they name first.
  virtual void sync() = 0;

  /// Every segment any retained commit needs, those of marks too: for verify and inspect.
  virtual std::vector<NeededSegment> all_segments() = 0;
  /// Of these segments those that no retained commit needs, asked under the append lock with every
  /// readable record taken in, also what was not durable. Nobody can come to name them whose owners
  /// are gone. Those that a join replaced within `sweep_after_ns` are spared, unless `at_once`.
  /// corrupt where damage hides what is needed.
  virtual std::vector<Id128> unneeded(const std::vector<Id128>& segments, bool at_once) = 0;
  /// Rewrites log files that at least so many others follow, and of whose rows none is left to be
  /// sealed, without those rows. Headers, marks and hashes stay; a record that cannot be read is
  /// corrupt.
  virtual StripReport strip_log(std::size_t followers = 1) = 0;
  virtual LogStatus status() = 0;
  /// Log frames, commit chain, mountain range, index against log; hands over each problem, and
  /// where it is asked for what sound commits say of their rows.
  virtual void verify(const std::function<void(const Error&)>& problem,
                      const std::function<void(const RowsProof&)>& rows = {}) = 0;
  /// Sync mark, checkpoint, locks given back. Never throws away an error: throws it.
  virtual void close() = 0;
};

}  // namespace otolith::history
