// What the index keeps of a commit: enough for `log`, look-ups and the acceptance of reverts.
//
// Role:    rows of the commit index, on disk and in memory.
// Shapes:  a fixed part of kMetaEntryBytes per commit, and texts and changes in a heap.
// Errors:  reading throws corrupt for bytes no writer makes.
// Threads: thread-compatible.
// Why:     fixed parts are found by number alone and hold what searches compare: hash, change,
//          time, record. Parent hashes are the hash of the entry before.
#pragma once

#include <string_view>
#include <vector>

#include "history/commit_record.h"

namespace otolith::history {

/// The fixed part.
struct MetaEntry {
  Hash256 hash;
  Id128 change_id;
  Timestamp time{};
  RecordNumber record{0};
  std::uint64_t heap_offset = 0;  // of the rest, in the heap of its run
  std::uint32_t heap_bytes = 0;
  bool relaxed = false;
};
inline constexpr std::size_t kMetaEntryBytes = 80;
void meta_entry_write(std::byte* out, const MetaEntry& entry);
MetaEntry meta_entry_read(BytesView bytes);

/// What a commit did to one dataset, in numbers.
struct MetaChange {
  DatasetId dataset;
  std::uint64_t added = 0;
  std::uint64_t ended = 0;
  std::uint64_t revived = 0;
  bool catalog = false;  // its name or schema too
};

/// The rest; views are valid while what they were read from lives.
struct MetaText {
  Hash256 request_hash;
  std::string_view author;
  std::string_view message;
  std::string_view extra;
  bool lineage = false;                 // a rollback or revert
  std::optional<DatasetId> lineage_of;  // of this dataset alone
  std::vector<MetaChange> changes;      // ascending by dataset
};
void meta_text_write(ByteWriter& out, const MetaText& text);
MetaText meta_text_read(BytesView bytes);
MetaText meta_text_of(const CommitRecord& record);
/// Without its place in a heap.
MetaEntry meta_entry_of(const CommitRecord& record, const Hash256& hash, RecordNumber number,
                        bool relaxed);

}  // namespace otolith::history
