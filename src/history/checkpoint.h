// A checkpoint: catalog, lineage, marks, mountain range and tags as of one durable record.
//
// Role:    opening loads the newest sound one and replays only what came later (docs/history.md 6).
// Shapes:  index/<record>.checkpoint; one XXH3 over all of it. The two newest are kept.
// Errors:  none from loading: a damaged, foreign or unknown one is passed over with a warning.
// Threads: thread-safe.
// Why:     tail rows are not in it: the log holds them, and replay reads its frames from the first
//          unsealed record on, so a checkpoint stays small and never holds user rows twice.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "history/catalog.h"
#include "history/lineage.h"
#include "history/losses.h"
#include "history/mountain_range.h"
#include "io/vfs.h"

namespace otolith::history {

using Tags = std::map<std::string, CommitNumber>;

/// Where history stands, apart from what hangs on it.
struct HeadState {
  RecordNumber record{0};  // the last one taken in
  CommitNumber commit{0};
  RecordNumber commit_record{0};  // the frame of `commit`
  Hash256 hash;
  Timestamp time = kTimestampMin;
};

/// The file of a segment that was joined with others: it stays for a while, for those who read.
struct ReplacedFile {
  Id128 id;
  Timestamp time{};  // of the join
  bool operator==(const ReplacedFile&) const = default;
};

struct Checkpoint {
  HeadState head;
  std::optional<RecordNumber> tail_first;  // rows of records from here on are read again
  MountainRange range;                     // commits 1 … head.commit
  Tags tags;
  std::vector<LostRecords> lost;
  std::vector<ReplacedFile> replaced;
  Catalog catalog;
  std::shared_ptr<Lineage> lineage;

  /// The first record that replay must read: the head's commit, to compare, and the tail.
  RecordNumber replay_from() const noexcept;
};

/// Without a lock: what catalog and lineage were given since is left out.
Bytes checkpoint_write(const Id128& database, const Checkpoint& checkpoint);
/// Throws corrupt or unsupported_format.
Checkpoint checkpoint_read(const Id128& database, BytesView bytes);
/// The bytes of a file; corrupt before they take memory where the file cannot be a checkpoint, or
/// is one of another database.
Bytes checkpoint_bytes(io::Vfs& vfs, const Id128& database, const std::string& path);
/// The database that a file names as its own; corrupt if it is no checkpoint.
Id128 checkpoint_database(io::Vfs& vfs, const std::string& path);
/// The record that the name of a file in index/ stands for; nullopt if it is no checkpoint's.
std::optional<RecordNumber> checkpoint_of_name(const std::string& name);

/// Writes the file, durable on return, and removes all but the two newest.
void checkpoint_store(io::Vfs& vfs, RecordNumber record, BytesView bytes);
/// The checkpoints that are there, newest first.
std::vector<RecordNumber> checkpoint_list(io::Vfs& vfs);
/// nullopt if it cannot be used; one that is damaged is removed if `remove` is true.
std::optional<Checkpoint> checkpoint_load(io::Vfs& vfs, const Id128& database, RecordNumber record,
                                          bool remove);
void checkpoint_remove(io::Vfs& vfs, RecordNumber record);

}  // namespace otolith::history
