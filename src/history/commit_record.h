// The payload of a commit frame: a hashed header of logical content, and a body of places.
//
// Role:    what a committer appends and what replay, index and verify read back.
// Shapes:  header (magic, features, numbers, parent, mountain-range root, texts, lineage, catalog,
//          one root per dataset), then body (request hash; per dataset salt, roots, rows or
//          segment, marks). docs/format/commit.md draws it. Views are valid while the payload they
//          were read from lives.
// Errors:  reading throws corrupt for bytes no writer makes, unsupported_format for unknown
//          features.
// Threads: thread-compatible.
// Why:     the commit hash covers the header only, and the header names no file, offset or salt:
//          stripping rows, compaction, other layouts and lawful erasure leave the chain valid
//          (docs/history.md 7).
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "history/lineage.h"
#include "history/request.h"

namespace otolith::history {

/// What one commit does to one dataset. Above the line: hashed. Below: where it lies.
struct DatasetRecord {
  DatasetId dataset;
  std::uint64_t rows_added = 0;
  std::uint64_t rows_ended = 0;
  std::uint64_t rows_revived = 0;
  std::vector<CommitNumber> touched;  // begins its marks touch, ascending
  Hash256 root;                       // joins rows_root and marks_root; zero without either

  Id128 salt;
  Hash256 rows_root;
  Hash256 marks_root;
  Timestamp time_min{};
  Timestamp time_max{};
  BytesView rows;         // inlined; empty once stripped, or if a segment holds them
  bool stripped = false;  // the rows were here and stand in a sealed segment now
  std::optional<SegmentRef> segment;
  std::vector<std::uint64_t> runs;  // rows of each run, where the segment was written in several
  MarkList marks;  // when written with a marks_segment: only its root goes to the frame
  std::optional<SegmentRef> marks_segment;

  bool operator==(const DatasetRecord&) const;
};

/// A change of lineage, decided: a revert carries its deltas, so that replay never recomputes them.
struct RollbackRecord {
  CommitNumber to{0};
  std::optional<DatasetId> dataset;
  bool operator==(const RollbackRecord&) const = default;
};
using LineageRecord = std::variant<std::monostate, RollbackRecord, Reversal>;

/// Room for replication: who ordered the commit first (docs/format/commit.md). All zero until then.
struct OriginRecord {
  std::uint64_t term = 0;
  Id128 origin;
  std::uint32_t lane = 0;
  std::uint64_t sequence = 0;
  bool operator==(const OriginRecord&) const = default;
};

/// An optional feature: rows that this commit has in segments are one run, unless its body says
/// otherwise. Commits of before it leave that open.
inline constexpr std::uint32_t kRunsTold = 1;

/// One commit as the log holds it.
struct CommitRecord {
  CommitNumber number{0};
  Hash256 parent;
  Hash256 range_root;  // of the mountain range over commits 1 … number-1
  Timestamp time{};
  std::string_view author;
  std::string_view message;
  std::string_view extra;
  Id128 change_id;
  OriginRecord origin;
  std::uint32_t features_optional = 0;  // unknown ones are kept and ignored
  LineageRecord lineage;
  std::vector<CatalogChange> catalog;  // ids of datasets and columns filled in
  std::vector<DatasetRecord> datasets;

  Hash256 request_hash;  // in the body: a hash of user data must not outlive its erasure

  /// Rows, marks, catalog changes: whether it has events of its own (lineage.h, append).
  bool has_content() const noexcept { return !catalog.empty() || !datasets.empty(); }
};

/// Fills rows_ended, rows_revived, touched, marks_root and root from marks and rows_root.
void dataset_record_finish(DatasetRecord& record);
/// Root over marks in their canonical form; zero for none.
Hash256 marks_root(const MarkList& marks);
Hash256 dataset_root(const Hash256& rows_root, const Hash256& marks_root);

/// Writes the payload; `hash` gets the commit hash.
Bytes commit_write(const CommitRecord& record, Hash256& hash);
/// Reads a payload into `record`, whose memory is reused; views point into the payload.
void commit_read(BytesView payload, CommitRecord& record);
/// The hashed part of a payload, and its hash.
BytesView commit_header(BytesView payload);
Hash256 commit_hash(BytesView payload);
/// The same payload without its inlined rows: same header, same hash.
Bytes commit_strip(BytesView payload);

}  // namespace otolith::history
