// The hall: what all handles of one open database share.
//
// Role:    wires vfs, history, segments and recorders together; open, recover, reopen after fork,
//          close.
// Shapes:  one Hall per Database::open; Table, Snapshot and Recorder keep it alive.
// Errors:  invalid_argument after close, and for writes where nothing may be written; those of the
//          rooms.
// Threads: thread-safe.
// Why:     handles stay small values; whether a call may proceed is decided here and nowhere else.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "db/directory.h"
#include "db/sealer.h"
#include "history/history.h"
#include "ingest/recorder.h"
#include "ingest/unsynced.h"
#include "io/fork.h"
#include "otolith/database.h"
#include "scan/scan.h"

namespace otolith::db {

/// What a handle points at: a snapshot (null: HEAD at each call) and, for a Table, a dataset in it.
struct Pinned {
  std::shared_ptr<const history::Snapshot> snapshot;
  history::DatasetEntry dataset;
  std::uint64_t forks = io::fork_generation();  // when the snapshot was taken
  bool staged = false;                          // it shows more or less than a commit: what a
                                                // recorder has staged, rows of a difference
};

/// A mutex that is new in each forked child: the parent's may have been held by a thread that the
/// child does not have.
class OTO_LOCKABLE("mutex") ForkedMutex {
 public:
  ForkedMutex() : now_(new Gate) {}
  ForkedMutex(const ForkedMutex&) = delete;
  ForkedMutex& operator=(const ForkedMutex&) = delete;
  ~ForkedMutex();

 private:
  friend class ForkedLock;
  struct Gate {
    Mutex mutex;
    const std::uint64_t forks = io::fork_generation();
  };
  Gate& gate();

  std::atomic<Gate*> now_;  // the parent's stay as they are
};

/// Holds a ForkedMutex while it lives.
class OTO_SCOPED_LOCK ForkedLock {
 public:
  explicit ForkedLock(ForkedMutex& mutex) OTO_ACQUIRE(mutex);
  ForkedLock(const ForkedLock&) = delete;
  ForkedLock& operator=(const ForkedLock&) = delete;
  ~ForkedLock() OTO_RELEASE();

 private:
  Mutex& held_;
};

/// The opened parts of a database, replaced as a whole in a forked child.
struct Rooms {
  std::shared_ptr<io::Vfs> vfs;
  std::shared_ptr<io::Environment> environment;
  Directory directory;
  std::shared_ptr<scan::SegmentStore> store;
  ingest::UnsyncedSegments unsynced;  // of relaxed commits
  std::unique_ptr<history::History> history;
  std::unique_ptr<Sealer> sealer;    // destroyed before what it works on
  std::uint64_t sweep_after_ns = 0;  // as the history has it
  bool read_only = false;
};

/// What a Hall stands on: where files are, and sizes that tests set small.
struct Ground {
  std::function<std::shared_ptr<io::Vfs>(bool create, bool read_only)> vfs;
  std::shared_ptr<io::Environment> environment;
  history::HistoryOptions history;
  bool reopen_in_child = true;  // false where the files are this process's own memory
  bool seal_behind = true;      // by a thread; false: by who commits, so that calls have an order
};

class Hall {
 public:
  static std::shared_ptr<Hall> open(const std::string& path, const OpenOptions& options,
                                    const history::HistoryOptions& sizes = {});
  static std::shared_ptr<Hall> open(std::string path, const OpenOptions& options, Ground ground);
  ~Hall();

  /// For reading. In a forked child the first call reopens the database read-only.
  std::shared_ptr<Rooms> rooms();
  /// For writing: refused where the handle is read-only, and in a forked child.
  std::shared_ptr<Rooms> rooms_to_write();
  void close();
  bool closed() const noexcept;
  /// The same, to be looked at often.
  const std::atomic<bool>& closed_flag() const noexcept { return closed_; }

  /// The handle's snapshot, or HEAD with every commit acknowledged before this call.
  std::shared_ptr<const history::Snapshot> snapshot(const Pinned& pinned);
  /// The handle's dataset in that snapshot; not_found where it does not exist there.
  history::DatasetEntry dataset(const history::Snapshot& snapshot, const Pinned& pinned) const;

  ingest::IngestContext ingest_context(Rooms& rooms, Progress progress = {}) const;
  scan::ScanContext scan_context(const Rooms& rooms) const;
  /// Refuses what the commit would refuse of its options, before rows are staged or encoded.
  history::CommitRequest request(Rooms& rooms, const CommitOptions& options) const;
  /// The commit that made this request under its change id before, where one did. Asked while the
  /// request has no changes yet, before names and columns are looked up: it may have changed them.
  std::optional<Commit> repeated(Rooms& rooms, const history::CommitRequest& request) const;
  /// What follows a commit: a sweep and a seal that are due are handed over, the seal waited for
  /// where the tail is twice too long. The commit stands whatever comes of it.
  void committed(Rooms& rooms) const noexcept;

  const std::string& path() const noexcept { return path_; }
  unsigned threads() const noexcept { return threads_; }
  std::uint64_t memory_bytes() const noexcept { return options_.memory_bytes; }

 private:
  Hall(std::string path, const OpenOptions& options, Ground ground);
  std::shared_ptr<Rooms> open_rooms(bool create, bool read_only) const;
  /// In a forked child, before it has opened rooms of its own: those there are the parent's.
  bool of_parent() const noexcept;
  bool in_child() const noexcept;

  const std::string path_;
  const OpenOptions options_;
  const Ground ground_;
  const unsigned threads_;

  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> generation_{0};  // of forks, when rooms_ were opened
  std::uint64_t opened_in_ = 0;               // the generation of Hall::open

  ForkedMutex mutex_;
  std::shared_ptr<Rooms> rooms_ OTO_GUARDED_BY(mutex_);
};

/// Name, found or not, for a not_found message with the nearest dataset.
[[noreturn]] void throw_no_dataset(const history::Snapshot& snapshot, std::string_view name);

/// Into a database on files and a clock of the caller's, and to what no verb shows: tests come
/// through here.
struct Door {
  static Database open(const std::shared_ptr<io::Vfs>& vfs,
                       std::shared_ptr<io::Environment> environment, const OpenOptions& options,
                       const history::HistoryOptions& history);
  /// As a user's, but for the sizes: seals are made by a thread.
  static Database open(const std::string& path, const OpenOptions& options,
                       const history::HistoryOptions& sizes);
  /// The state digest of each dataset as of a commit, by name: the oracle of tests, since nothing
  /// that is done later may change it.
  static std::map<std::string, model::StateDigest> digests(const Database& database,
                                                           CommitNumber number);
  /// Segments of a dataset that stand at HEAD as compact parted them: no row is asked about.
  static std::uint64_t standing(const Database& database, std::string_view dataset);
};

/// The first error of checks that options must pass.
void check_open_options(const OpenOptions& options);

}  // namespace otolith::db
