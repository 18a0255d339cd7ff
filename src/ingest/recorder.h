// Recorder: staged rows for any tables, committed all at once or discarded.
//
// Role:    record -> stage -> encode -> segment -> commit; the life of a write.
// Shapes:  batches of any order and size; memory bounded by the budget, beyond which runs go to
//          files.
// Errors:  invalid_argument after commit or discard, or in a forked child; those of align,
//          batch_check and of history.commit; conflict if the table's schema changed since the
//          first append or remove. What is refused leaves what was staged before it; an append that
//          could not write discards all, and commit() throws its error again, unless discard() is
//          called.
// Threads: thread-compatible: belongs to one thread at a time.
// Why:     one path for every writing verb, so that "segments, then fsync, then commit" is written
//          once.
#pragma once

#include <functional>
#include <memory>

#include "base/limits.h"
#include "history/history.h"
#include "io/environment.h"
#include "io/vfs.h"
#include "otolith/batch.h"
#include "otolith/read.h"
#include "scan/scan.h"

namespace otolith::ingest {

class UnsyncedSegments;  // unsynced.h

/// What every recorder of one handle shares. All pointers outlive the recorders.
struct IngestContext {
  io::Vfs* vfs = nullptr;
  io::Environment* environment = nullptr;
  history::History* history = nullptr;
  Id128 database{};
  unsigned threads = 1;
  std::uint64_t memory_bytes = kMemoryBytesDefault;  // of staged rows
  std::uint64_t inline_bytes_max = kInlineBytesMax;  // rows of a commit kept in its frame
  UnsyncedSegments* unsynced = nullptr;  // null: segments of relaxed commits are synced at once
  std::shared_ptr<scan::SegmentStore> store{};  // where rows to end are looked for
};

using SealProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Recorder {
 public:
  /// Only with `may_be_retry` may its commit have a change id of the caller's: then rows are hashed
  /// as they come.
  explicit Recorder(IngestContext context, bool may_be_retry = false);
  Recorder(Recorder&&) noexcept;
  ~Recorder();  // discards

  /// Stages a copy of the rows.
  void append(const history::DatasetEntry& dataset, const Batch& batch);
  /// Stages without a copy: the batch's buffers must stay valid and unchanged until commit()
  /// returns.
  void append_borrowed(const history::DatasetEntry& dataset, const Batch& batch);
  /// Ends the rows that the request matches: of those staged here at once, of the others those that
  /// match in the state the commit stands on. limit where staged rows stand in a file already, and
  /// invalid_argument where a duplicates policy would have to judge staged rows and others.
  void remove(const history::DatasetEntry& dataset, const ReadRequest& rows);
  /// `request` brings author, message, change id, time; its datasets are filled here.
  Commit commit(history::CommitRequest request);
  void discard() noexcept;
  /// invalid_argument once it has ended.
  void check_usable() const;
  bool open() const noexcept;
  /// Whether an error ended it.
  bool failed() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Moves the durable tail into segments and says so in the log; the number of rows, 0 if there was
/// nothing to seal or another process sealed it first. `progress` gets bytes done and bytes in all;
/// it may throw: then nothing is sealed. A dataset that cannot be sealed (its codec is not
/// registered here, or throws) stays in the tail; the others are sealed, and then its error is
/// thrown.
std::uint64_t seal_tail(const IngestContext& context, const SealProgress& progress = {});

}  // namespace otolith::ingest
