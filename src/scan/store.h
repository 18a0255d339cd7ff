// The open segments of one handle.
//
// Role:    every scan, seal, check and verify gets its readers here.
// Shapes:  a reader per segment id, kept open while it is used and, up to `open_max`, beyond.
// Errors:  corrupt for a segment that is damaged, missing or another's, with the commits it holds
//          rows of; io where the OS refuses, after readers nobody uses were closed to make room.
//          A segment that is gone since it was joined with others is no error: a scan goes on with
//          the same commit as it is stored now (docs/history.md 5).
// Threads: thread-safe.
// Why:     a mapping costs its page faults once: hot segments stay mapped. A reader in use is
//          shared, so closing it here never takes it away from a scan.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/limits.h"
#include "history/snapshot.h"
#include "io/vfs.h"
#include "segment/reader.h"

namespace otolith::scan {

/// The part of memory_bytes that indexes of ids may take.
inline constexpr std::uint64_t kIdsShare = 4;
/// A segment's index is made when it has this many rows for each look-up: then these have cost as
/// much as making it does.
inline constexpr std::uint64_t kRowsALookUp = 256;

struct StoreOptions {
  bool map = true;              // false: read with pread, verify every time
  std::size_t open_max = 4096;  // readers kept; machines allow some 65,000 mappings a process
  /// The commit of a snapshot with its rows where they stand now; null, as an empty function, where
  /// they cannot have moved.
  history::Renew renew{};
  std::uint64_t ids_bytes_max = kMemoryBytesDefault / kIdsShare;  // of all SegmentIds kept
};

class TailIds;     // tail_ids.h
class SegmentIds;  // segment_ids.h
class KnownIds;    // known_ids.h
class RowSource;   // source.h

class SegmentStore {
 public:
  SegmentStore(std::shared_ptr<io::Vfs> vfs, const Id128& database, StoreOptions options = {});
  ~SegmentStore();

  std::shared_ptr<const segment::SegmentReader> open(DatasetId dataset,
                                                     const history::SegmentEntry& entry);
  /// A reader that nobody keeps but its users, for a file that may be removed before they are done.
  /// As long as one has it, open() gives it too.
  std::shared_ptr<const segment::SegmentReader> lend(DatasetId dataset,
                                                     const history::SegmentEntry& entry);
  /// The same; nullptr where the file is not there.
  std::shared_ptr<const segment::SegmentReader> find(DatasetId dataset,
                                                     const history::SegmentEntry& entry);
  /// The same, checking what it reads each time and shared with nobody: for who writes it anew.
  std::shared_ptr<const segment::SegmentReader> find_apart(DatasetId dataset,
                                                           const history::SegmentEntry& entry);
  /// The snapshot's commit as it is stored now, where `gone` was not found. corrupt where it still
  /// has the segment: the file is missing.
  std::shared_ptr<const history::Snapshot> renewed(const history::Snapshot& snapshot,
                                                   DatasetId dataset,
                                                   const history::SegmentEntry& gone) const;
  /// Where ids of documents stand in what is in no segment yet.
  TailIds& tail_ids() noexcept;
  /// Where ids stand in a segment of a collection; nullptr where that is not known (yet).
  std::shared_ptr<const SegmentIds> ids(const history::SegmentEntry& entry);
  /// Those of all segments of a collection at once.
  KnownIds& known_ids() noexcept;
  /// Ids were looked for in this segment without them: makes them where that has become worth it.
  void ids_missed(const history::SegmentEntry& entry,
                  const std::shared_ptr<const RowSource>& source, ColumnId column);
  /// Reads all of a segment anew from the disk and checks it, also against the dataset's schema,
  /// and shredded columns against documents; throws the first damage.
  void verify(DatasetId dataset, const history::SegmentEntry& entry,
              const std::shared_ptr<const Schema>& schema, unsigned threads = 1);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The commits a segment holds rows of, for errors: all of the first and last of many.
std::vector<std::uint64_t> commits_of(const history::SegmentEntry& entry);

/// An error about a segment gains the commits concerned.
Error with_commits(const Error& error, const history::SegmentEntry& entry);

}  // namespace otolith::scan
