// The commit log: numbered, checksummed frames in rotated files, appended under one lock.
//
// Role:    the truth of a database. A commit is one append and one fsync; everything else is
//          derived.
// Shapes:  payloads up to kFrameBytesMax bytes, opaque here; record numbers 1, 2, 3, … over all
//          files.
// Errors:  corrupt (file, offset), locked (naming the holder), io, no_space, unsupported_format.
//          From commit(): Error::outcome says whether the frames can have become durable.
// Threads: thread-safe; LogLock belongs to the thread that took it. Sinks run under the log's own
//          mutex: a caller that takes a mutex in its sink never calls the log while it holds that
//          mutex.
//          What a handle appends it hands to no sink: the caller applies it, before it releases the
//          lock.
// Why:     docs/history.md 1 and 2 are the rules; byte offsets never leave this class.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "base/limits.h"
#include "io/environment.h"
#include "io/vfs.h"

namespace otolith::history {

/// What a frame holds. Numbers are part of the format; unknown ones with the required bit are
/// refused.
enum class FrameType : std::uint8_t {
  commit = 1,
  tag = 2,
  sync_mark = 3,
  seal = 4,
  compact = 5,
  sweep = 6,
  lost = 7,  // relaxed records that were given up (frame_record.h)
};

/// One record as read back. The payload is valid during the call that hands it over.
struct Frame {
  RecordNumber number{0};
  FrameType type{};
  bool relaxed = false;  // acknowledged without its own fsync
  BytesView payload;
};
using FrameSink = std::function<void(const Frame&)>;

/// One record to append.
struct Record {
  FrameType type{};
  bool relaxed = false;
  Bytes payload;
};

/// Sizes that cost time; tests set them small (docs/testing.md).
struct LogOptions {
  std::uint64_t file_bytes = kLogFileBytes;  // then a new file begins
  std::uint64_t preallocate_bytes = kLogPreallocateBytes;
  std::uint64_t reserve_bytes = kReserveBytes;  // 0: no reserve for a full disk
  std::uint64_t lock_wait_ns = kLockWaitNs;
  bool read_only = false;  // nothing is written, not even the lock page
  /// Hash of the newest commit at or before a record that was handed over or appended: for the
  /// header of a new file, and to compare with those that are read. Zeros if there is none, or
  /// where it cannot be said; called under the log's own mutex, like a sink.
  std::function<Hash256(RecordNumber)> commit_hash;
};

/// Who asks for the append lock: relief may use up the reserve when the disk is full.
enum class LockPurpose : std::uint8_t {
  commit,
  relief,  // rollback, untag; later expire and sweep (docs/history.md 2)
};

/// Relaxed records that were given up.
struct LostRecords {
  RecordNumber first{0};
  RecordNumber last{0};
  CommitNumber behind{0};       // the last commit before them
  CommitNumber commit_last{0};  // commits behind + 1 … this one stood in them; 0: nobody could say
  bool operator==(const LostRecords&) const = default;
  /// "records 4 to 5, with commits 3 to 4"
  std::string text() const;
};

/// What `status` reports of the log.
struct LogStatus {
  RecordNumber last{0};  // visible
  RecordNumber durable{0};
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t epoch = 0;
  std::vector<std::string> torn_tails;  // files beside the log that keep what a crash tore
  std::vector<std::string> damage;      // file, offset, records of what cannot be read
  std::vector<LostRecords> lost;        // oldest first; History says it, the log knows no commits
};

/// What taking rows out of log files made of them.
struct StripReport {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // by which they are smaller, space that was only preallocated included
};
/// The payload that takes a record's place.
using Rewrite = std::function<Bytes(const Frame&)>;

class LogLock;

/// The log of one database directory, as one handle sees it.
class Log {
 public:
  /// Told the last record that still stands when relaxed records behind it were lost.
  using Fallback = std::function<void(RecordNumber)>;

  /// Writes `log/00000001.log`, the lock page and their directory entries; all durable on return.
  static void create(io::Vfs& vfs, io::Environment& environment, const Id128& database,
                     const LogOptions& options = {});
  static std::unique_ptr<Log> open(std::shared_ptr<io::Vfs> vfs,
                                   std::shared_ptr<io::Environment> environment,
                                   const Id128& database, LogOptions options);
  virtual ~Log() = default;

  /// Begin reading behind this record: what a checkpoint already holds. Before the first refresh.
  virtual void seek(RecordNumber behind) = 0;
  /// What was saved of this record proves that it is on the disk: checkpoints and the index hold
  /// durable commits only. The handle never falls back behind it.
  virtual void vouch(RecordNumber durable) = 0;
  /// Hands over, in order and once, every record that became visible since the last call; never
  /// waits.
  /// If relaxed records that were handed over are lost (`epoch` rose), `fallback` is called first
  /// with the last record that still stands. Damage before the end throws corrupt after all sound
  /// ones.
  virtual void refresh(const FrameSink& sink, const Fallback& fallback) = 0;
  /// Whether `refresh` would hand over anything, or find more of it durable: one look at the lock
  /// page.
  virtual bool behind() = 0;
  /// Waits for the append lock, at most lock_wait less what was waited already. In a forked child:
  /// invalid_argument.
  virtual std::unique_ptr<LogLock> lock(LockPurpose purpose = LockPurpose::commit,
                                        std::uint64_t waited_ns = 0) = 0;
  /// Makes every visible record durable. Segments they name are synced by the caller before, under
  /// the lock: lock(), catch_up(), sync the segments, LogLock::sync().
  virtual void sync() = 0;
  /// Work that no commit should pay for: preallocates ahead, refills the reserve. Does nothing if
  /// another holds the lock. Whoever has time calls it (the committer's leader, after it has
  /// answered).
  virtual void tend() = 0;
  /// Whether there is a file that so many others follow and `strip` has not been through, as far as
  /// this handle knows.
  virtual bool strip_due(std::size_t followers) = 0;
  /// Puts a rewritten copy in the place of every file that at least so many others follow and whose
  /// records all stand before this one; each file once. The records keep their numbers. Who reads
  /// the file meanwhile reads on in the old one. Takes no lock: `until` was learnt under it.
  /// corrupt where a record of the file cannot be read: the file is left as it is.
  virtual StripReport strip(RecordNumber until, std::size_t followers, const Rewrite& rewrite) = 0;
  /// Sync mark, if this handle appended anything. The destructor writes none. `before` runs under
  /// the lock: what the mark vouches for must be synced.
  virtual void close(const std::function<void(LogLock&)>& before = {}) = 0;
  virtual RecordNumber last() const = 0;     // handed over by refresh or appended by this handle
  virtual RecordNumber durable() const = 0;  // known to be on disk
  virtual LogStatus status() = 0;
  /// Reads every frame of every file again from disk, handing over each problem.
  virtual void verify(const std::function<void(const Error&)>& problem) = 0;
};

/// The append lock, held. Released when destroyed.
class LogLock {
 public:
  virtual ~LogLock() = default;
  /// Reads to the last readable frame, adopting what an interrupted writer left (docs/history.md
  /// 1); hands over what this handle has not seen. Must come before append.
  virtual void catch_up(const FrameSink& sink, const Log::Fallback& fallback) = 0;
  /// Appends all records, in order, numbered from last() + 1. Durable unless all are relaxed: then
  /// one fsync, `durable` and `visible` raised; relaxed ones raise `visible` only.
  /// Segments that records name are synced by the caller before (`relaxed_segments` in history.h).
  virtual std::vector<RecordNumber> append(std::vector<Record> records) = 0;
  /// Makes every visible record durable.
  virtual void sync() = 0;
  /// Records that are visible but not durable: segments they name must be synced before a durable
  /// append.
  virtual bool relaxed_pending() const = 0;
};

}  // namespace otolith::history
