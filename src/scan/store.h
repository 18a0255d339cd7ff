// The open segments of one handle.
//
// Role:    every scan, seal, check and verify gets its readers here.
// Shapes:  a reader per segment id, kept open while it is used and, up to `open_max`, beyond.
// Errors:  corrupt for a segment that is damaged, missing or another's, with the commits it holds
//          rows of; io where the OS refuses, after readers nobody uses were closed to make room.
// Threads: thread-safe.
// Why:     a mapping costs its page faults once: hot segments stay mapped. A reader in use is
//          shared, so closing it here never takes it away from a scan.
#pragma once

#include <cstdint>
#include <memory>

#include "history/snapshot.h"
#include "io/vfs.h"
#include "segment/reader.h"

namespace otolith::scan {

struct StoreOptions {
  bool map = true;              // false: read with pread, verify every time
  std::size_t open_max = 4096;  // readers kept; machines allow some 65,000 mappings a process
};

class SegmentStore {
 public:
  SegmentStore(std::shared_ptr<io::Vfs> vfs, const Id128& database, StoreOptions options = {});
  ~SegmentStore();

  std::shared_ptr<const segment::SegmentReader> open(DatasetId dataset,
                                                     const history::SegmentEntry& entry);
  /// Reads all of a segment anew from the disk and checks it, also against the dataset's schema;
  /// throws the first damage.
  void verify(DatasetId dataset, const history::SegmentEntry& entry,
              std::shared_ptr<const Schema> schema, unsigned threads = 1);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The commits a segment holds rows of, for errors: all of the first and last of many.
std::vector<std::uint64_t> commits_of(const history::SegmentEntry& entry);

/// An error about a segment gains the commits concerned.
Error with_commits(const Error& error, const history::SegmentEntry& entry);

}  // namespace otolith::scan
