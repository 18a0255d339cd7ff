// The catalog: every dataset that ever was, its names and schemas as events, its segments and tail.
//
// Role:    what a snapshot looks up, what seal switches, what a checkpoint saves.
// Shapes:  datasets ascending by id; per dataset events, segments and tail rows in the order of
//          records.
// Errors:  corrupt where a record contradicts the catalog (an unknown dataset, a second seal).
// Threads: thread-compatible: Catalog is the one writer's. CatalogVersion is for any thread: what
//          it holds only grows, and readers leave out what is behind their commit number.
// Why:     a commit appends to shared arrays, so a new snapshot costs its own commit; only a seal
//          and a join make a new version, in which tail rows and the segment that covers them, or
//          segments and the one that joins them, change places at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/growing.h"
#include "history/commit_record.h"
#include "history/frame_record.h"
#include "history/marks.h"
#include "history/snapshot.h"

namespace otolith::history {

/// Something that happened to the name or the schema of a dataset.
struct DatasetEvent {
  enum class Kind : std::uint8_t { create = 1, alter = 2, rename = 3, drop = 4 };
  CommitNumber commit{0};
  Kind kind = Kind::create;
  std::string name;                      // of create and rename
  std::shared_ptr<const Schema> schema;  // of create and alter
};

struct StoredSegment {
  SegmentEntry entry;
  std::uint64_t generation = 0;  // of the dataset's version that it first belongs to
};

/// Marks of a commit that stand in a file of their own. They are in `marks` too.
struct MarksFile {
  CommitNumber commit{0};
  SegmentRef ref;
};

struct StoredTail {
  TailEntry entry;         // bytes are null where the log was stripped of them
  RecordNumber record{0};  // the frame that holds the rows
};

/// One dataset between two of its seals and joins.
struct DatasetVersion {
  DatasetId id;
  std::shared_ptr<Growing<DatasetEvent>> events;
  std::shared_ptr<Growing<StoredSegment>> segments;
  std::shared_ptr<Growing<StoredTail>> tail;
  std::shared_ptr<Marks> marks;
  std::shared_ptr<Growing<MarksFile>> marks_files;
  std::uint64_t generation = 0;
  RecordNumber sealed{0};  // rows of records up to this one stand in segments
};

/// All datasets between two seals or joins of any of them.
struct CatalogVersion {
  Growing<std::shared_ptr<const DatasetVersion>> datasets;

  /// nullptr if no commit made such a dataset.
  const DatasetVersion* find(DatasetId id) const;
};

/// The catalog as its one writer sees it.
class Catalog {
 public:
  Catalog();

  std::shared_ptr<const CatalogVersion> version() const noexcept { return version_; }

  /// Takes in what a commit says of datasets; rows of records that a seal covers are passed over.
  /// Marks that stand in a segment must have been read into the record.
  void apply(const CommitRecord& record, RecordNumber number);
  /// Only the inlined rows of a commit that the catalog holds already: after loading a checkpoint.
  void apply_tail(const CommitRecord& record, RecordNumber number);
  /// The other way: rows of records behind this one were lost.
  void forget_tail(RecordNumber stands);
  /// Whether nothing the seal covers was sealed since its base: all of it or nothing applies.
  bool seal_fits(const SealRecord& seal) const;
  void apply_seal(const SealRecord& seal);
  /// Whether all segments that it replaces are there. corrupt where they are, and those that take
  /// their place hold other rows.
  bool compact_fits(const CompactRecord& compact) const;
  void apply_compact(const CompactRecord& compact);
  /// Forgets every commit behind n: relaxed commits that were lost, or staged ones that failed.
  void truncate(CommitNumber n);

  /// The same where snapshots may show those commits: they keep what they have, and share nothing
  /// with what is appended from here on under the same numbers.
  void part(CommitNumber n);

  /// The next free column id of a dataset, counting every commit there ever was.
  std::uint32_t next_column(DatasetId id) const;
  std::uint64_t tail_bytes() const noexcept { return tail_bytes_; }
  std::uint64_t tail_entries() const noexcept { return tail_entries_; }
  /// Whether the log was stripped of rows that no seal read so far covers.
  bool tail_stripped() const noexcept { return tail_stripped_ != 0; }
  /// The first record whose rows are in the tail; nullopt if the tail is empty.
  std::optional<RecordNumber> tail_first() const;

  /// As of a commit, whatever was appended to this version since. Without tail rows: those are read
  /// again from the log, from `tail_first` on.
  void save(ByteWriter& out, CommitNumber until) const;
  /// Throws corrupt, also for what a commit behind `last` did: the next one would meet it.
  static Catalog load(ByteReader& in, CommitNumber last);

 private:
  void create(DatasetId id, const CreateDataset& change);
  void add_event(DatasetId id, DatasetEvent event);
  void add_rows(const DatasetRecord& dataset, CommitNumber commit, RecordNumber number);
  void count(const TailEntry& entry) noexcept;
  void add_tail(const DatasetVersion& dataset, StoredTail tail);
  const DatasetVersion& get(DatasetId id) const;
  void replace_versions(const std::vector<std::shared_ptr<const DatasetVersion>>& datasets);

  std::shared_ptr<CatalogVersion> version_;
  std::uint64_t tail_bytes_ = 0;     // of rows in the tail
  std::uint64_t tail_entries_ = 0;   // one per commit and dataset
  std::uint64_t tail_stripped_ = 0;  // of these, without their rows
};

/// corrupt for an entry that the log was stripped of, and no seal covers.
void require_rows(const TailEntry& entry);

/// Every column a dataset ever had, by id, in its newest form: what a segment of sealed rows must
/// hold, because rows of dropped columns may come back by rollback. Names differ, and are those of
/// the newest schema where that has the column; only time and keys are never null.
Schema every_column(const DatasetVersion& dataset);

}  // namespace otolith::history
