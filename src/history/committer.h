// Group commit: committers of one process share a batch, an append and an fsync.
//
// Role:    the steps lock -> catch up -> decide -> append -> fsync -> publish of every change
//          (docs/history.md 2).
// Shapes:  one Submission per change; batches of at most kBatchCommitsMax of them or kBatchBytesMax
//          bytes.
// Errors:  what decide() throws, to that submitter alone; locked, io, no_space, corrupt to all of
//          the batch. Error::outcome: failed (nothing of it is in the log) or unknown (the log may
//          hold it).
// Threads: thread-safe. decide, appended and undone of a batch, and the hooks, run on the leader's
//          thread (the hooks also on the thread that keeps the promise of relaxed commits), one at
//          a time, under the append lock: never take a mutex there that is held while calling
//          submit() or sync().
// Why:     docs/history.md 2, "Group commit". Generic over the decision, so that it is tested
//          without commits.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "history/log.h"

namespace otolith::history {

/// The turn of a submission: its record, if it decides for one, gets this number.
struct Turn {
  RecordNumber number{0};
  bool last_round =
      false;  // `later` is no answer any more: decide now, however much there is to check
};

/// What a submission decides in its turn.
struct Decision {
  enum class Kind : std::uint8_t {
    append,   // the record
    nothing,  // an empty change, or one that is in the log already: succeeds without a record
    later,    // too much to re-evaluate under the lock: prepare() again without it
  };
  Kind kind = Kind::nothing;
  Record record;

  static Decision append(Record record) { return {Kind::append, std::move(record)}; }
  static Decision nothing() { return {}; }
  static Decision later() { return {Kind::later, {}}; }
};

/// One change on its way. Lives until submit() returns.
class Submission {
 public:
  virtual ~Submission() = default;
  /// Without the lock, on the submitter's thread, before each round.
  virtual void prepare() {}
  /// Under the lock, caught up, in order: judged against every record before it and the staged
  /// effects of those before it in the batch. Throws to leave alone (conflict, …).
  virtual Decision decide(const Turn& turn) = 0;
  /// Its record is in the log, as durable as it asked for: publish it. Under the lock, in order.
  virtual void appended(RecordNumber number) noexcept = 0;
  /// Its write failed after decide(): take back what it staged. Called in reverse order.
  virtual void undone() noexcept = 0;
};

/// What the owner of the history does at the committer's steps.
struct CommitterHooks {
  FrameSink sink;                              // records of others, in order
  std::function<void(RecordNumber)> fallback;  // relaxed records behind this one are lost
  /// Syncs the segments that relaxed records name; whether there were any. Also asked where those
  /// records are durable already: who adopts records vouches for no segment.
  std::function<bool()> before_durable;
};

class Committer {
 public:
  Committer(Log& log, io::Environment& environment, CommitterHooks hooks);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// The record's number, or 0 for a change that needs none.
  RecordNumber submit(Submission& submission, LockPurpose purpose = LockPurpose::commit);
  /// Makes every visible record durable, segments first.
  void sync();
  /// Ends the thread that makes relaxed records durable within kRelaxedSyncNs; syncs what is left.
  void close();

  struct Counts {
    std::uint64_t batches = 0;  // each with one append
    std::uint64_t commits = 0;
  };
  Counts counts() const;

 private:
  struct Slot;
  using Batch = std::list<Slot*>;  // parts of the queue, moved without allocating
  using Staged = std::vector<Slot*>;

  void run_round(Slot& slot);
  void lead() noexcept;
  Batch gather() noexcept;
  std::size_t company_expected() const OTO_REQUIRES(mutex_);
  void await_company(std::size_t expected, std::uint64_t patience_ns);
  std::size_t run_batch(const Batch& batch, LockPurpose purpose) noexcept;
  std::size_t decide_all(const Batch& batch, Staged& staged, std::vector<Record>& records);
  void mark(LogLock& lock);
  void append_all(LogLock& lock, const Staged& staged, std::vector<Record> records);
  void remember_relaxed() noexcept;
  bool keeper_knows();
  void keep_relaxed_promise();

  Log& log_;
  io::Environment& environment_;  // times appends, to know how long waiting for company pays
  const CommitterHooks hooks_;

  std::atomic<std::size_t> queued_{0};  // size of queue_, for the leader that waits for more

  mutable Mutex mutex_;
  Batch queue_ OTO_GUARDED_BY(mutex_);
  bool leading_ OTO_GUARDED_BY(mutex_) = false;  // by who has begun, or was woken for it
  std::size_t last_batch_ OTO_GUARDED_BY(mutex_) = 0;
  std::uint64_t last_append_ns_ OTO_GUARDED_BY(mutex_) = 0;
  Counts counts_ OTO_GUARDED_BY(mutex_);

  Mutex keeper_mutex_;
  Condition keeper_wakes_;
  // Started by the first relaxed record; joined without the mutex by who has set closing_, behind
  // which nobody starts it.
  std::thread keeper_;
  bool relaxed_waits_ OTO_GUARDED_BY(keeper_mutex_) = false;
  bool closing_ OTO_GUARDED_BY(keeper_mutex_) = false;
};

}  // namespace otolith::history
