// The commit index: every commit's metadata by number, hash, change id, time and record.
//
// Role:    `log`, `resolve`, retries by change id, the acceptance of reverts.
// Shapes:  runs in index/ from commit 1 on without a gap; behind them, in memory, the commits
//          since.
// Errors:  corrupt from look-ups in a damaged run: the owner rebuilds the index from the log.
// Threads: thread-compatible; RunPlan::write needs no CommitIndex.
// Why:     derived from the log, so that it may be lost; runs double in size up to a limit, so that
//          a commit is written again a few times at most and a look-up reads a page or two of each.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/index_run.h"

namespace otolith::history {

/// A commit's metadata with the bytes that its texts point into.
struct CommitMeta {
  MetaEntry entry;
  Bytes bytes;
  MetaText text;
};

/// A run that should be written: commits in memory, and the runs before them that it takes in.
struct RunPlan {
  RunContent content;
  std::vector<std::string> joins;  // names of runs, oldest first, that end where content begins
  /// Writes the run, removes those it covers, opens it. Without any lock of the index's owner.
  std::unique_ptr<IndexRun> write(io::Vfs& vfs, const Id128& database) const;
};

class CommitIndex {
 public:
  CommitIndex(std::shared_ptr<io::Vfs> vfs, const Id128& database);

  /// Takes the runs on disk up to commit `n`, if they reach it without a gap; else false and none.
  bool use_runs(CommitNumber n);
  /// After every commit was appended anew: takes the runs on disk that say the same, in place of
  /// memory; removes those that say something else if `remove` is true.
  void adopt_runs(bool remove);

  CommitNumber last() const noexcept { return last_; }
  /// Commit last() + 1.
  void append(MetaEntry entry, const MetaText& text);
  /// Forgets commits behind n, all of which must be in memory.
  void truncate(CommitNumber n);
  /// The last commit on disk.
  CommitNumber flushed() const noexcept { return CommitNumber{value_of(recent_first_) - 1}; }

  /// Requires 1 <= number <= last().
  MetaEntry entry(CommitNumber number) const;
  CommitMeta meta(CommitNumber number) const;
  /// Zero for commit 0.
  Hash256 hash(CommitNumber number) const;
  /// Commits whose hash begins with these lower-case hex digits, ascending, `most` of them.
  std::vector<CommitNumber> find_hash(std::string_view prefix, std::size_t most) const;
  std::optional<CommitNumber> find_change(const Id128& change);
  /// The last commit not after this time, or made by this record or one before; 0 if there is none.
  CommitNumber find_time(Timestamp time) const;
  CommitNumber find_record(RecordNumber record) const;

  /// What to write so that the disk holds all commits up to n; nullopt if it does.
  std::optional<RunPlan> plan(CommitNumber n) const;
  void install(std::unique_ptr<IndexRun> run);

 private:
  /// Commits in memory with the same number / kChunkCommits.
  struct Chunk {
    CommitNumber first{0};
    std::vector<MetaEntry> entries;
    Bytes heap;
    CommitNumber last() const noexcept {
      return CommitNumber{value_of(first) + entries.size() - 1};
    }
  };

  const IndexRun& run_of(CommitNumber number) const;
  const Chunk& chunk_of(CommitNumber number) const;
  const MetaEntry& recent(CommitNumber number) const;
  Chunk& open_chunk();
  void drop_recent(CommitNumber until);
  std::vector<std::unique_ptr<IndexRun>> chain() const;
  template <typename Before>
  CommitNumber last_before(Before before) const;
  void index_changes();

  std::shared_ptr<io::Vfs> vfs_;
  Id128 database_;
  std::vector<std::unique_ptr<IndexRun>> runs_;
  CommitNumber recent_first_{1};  // behind the last run
  CommitNumber last_{0};
  std::deque<Chunk> recent_;            // recent_first_ … last_; none empty
  std::vector<std::uint32_t> changes_;  // open addressing: number - recent_first_ + 1, by change id
  std::size_t changes_indexed_ = 0;     // commits in memory that changes_ holds
  ByteWriter scratch_;
};

}  // namespace otolith::history
