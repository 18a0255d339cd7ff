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
#include "otolith/options.h"
#include "otolith/read.h"
#include "scan/scan.h"

namespace otolith::ingest {

class UnsyncedSegments;    // unsynced.h
struct DocumentOperation;  // document_operation.h

/// A collection as its user knows it: it may be made by what is written first.
struct CollectionName {
  std::string name;
  std::optional<DatasetId> dataset{};   // where it exists; it is followed under other names
  Schema schema = collection_schema();  // that it has, or is made with; ids of columns do not count
};

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
  Progress progress{};                          // of rows, while a commit encodes them
};

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
  /// Stages rows of the dataset's schema that were judged value by value, in memory that is given
  /// away.
  void append_built(const history::DatasetEntry& dataset, Batch batch);
  /// Ends the rows that the request matches: of those staged here at once, of the others those that
  /// match in the state the commit stands on. invalid_argument where a duplicates policy would have
  /// to judge staged rows and others.
  void remove(const history::DatasetEntry& dataset, const ReadRequest& rows);
  /// Stages what is done to documents, all of it or, where any is refused, none; what it comes to
  /// is known at the commit. limit where documents take half of memory_bytes.
  void write(const CollectionName& collection, std::vector<DocumentOperation> operations);
  /// HEAD as of this call with what the documents staged of a collection come to, and the
  /// collection in it; nullopt where neither shows it. Throws what the commit would.
  struct Look {
    std::shared_ptr<const history::Snapshot> snapshot;
    std::optional<history::DatasetEntry> dataset;
  };
  Look look_documents(const CollectionName& collection);
  /// HEAD as of this call, with what was staged of this dataset; later calls do not change it.
  /// conflict if it was altered or dropped since. One that could not write ends the recorder.
  std::shared_ptr<const history::Snapshot> look(const history::DatasetEntry& dataset);
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
std::uint64_t seal_tail(const IngestContext& context, const Progress& progress = {});

}  // namespace otolith::ingest
