// Encode: one dataset's staged rows become what its commit says of them.
//
// Role:    stage -> encode -> segment: sorted runs in a segment file, or bytes inside the frame.
// Shapes:  parts are batches under the dataset's schema, in order of arrival; a run is at most
//          `run_bytes` where it has to be sorted, and has no limit where its rows come in order.
// Errors:  io, no_space from the file; limit. After one the encoder is worthless; its file goes
//          with it.
// Threads: thread-compatible; works on context.threads threads inside add_run.
// Why:     each leaf is hashed by the task that writes it, in cache, so the digest costs no second
//          pass over the rows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "ingest/recorder.h"
#include "ingest/segment_file.h"
#include "ingest/shredding.h"
#include "model/leaf.h"
#include "segment/writer.h"

namespace otolith::ingest {

/// A dataset's part of a commit, ready to be named by a frame.
struct Encoded {
  history::DatasetChange change;
  std::optional<SegmentFile> file{};  // written, not synced
  std::uint64_t rows_hash = 0;        // model/rows_hash.h, where the commit may be a retry
  bool unique = false;                // no two rows share keys and time, as far as that was asked
  std::optional<history::UniqueRows> question{};  // unique_rows.h
};

class SegmentEncoder {
 public:
  using Written = std::function<void(std::uint64_t rows)>;

  /// `recorder` owns the file until the commit; `shredding` is of a collection.
  SegmentEncoder(const IngestContext& context, const Id128& recorder, history::DatasetEntry dataset,
                 Shredding shredding = {});
  SegmentEncoder(const SegmentEncoder&) = delete;
  SegmentEncoder& operator=(const SegmentEncoder&) = delete;

  /// Writes the parts' rows as one run, or several where they must be sorted and are too many.
  /// `written` gets the number of rows now and then, and may throw: then the encoder is worthless.
  void add_run(std::vector<Batch> parts, std::uint64_t run_bytes, const Written& written = {});
  /// The next run, batch by batch: its rows are sorted already.
  void begin_run(const model::Run& run);
  void append(const Batch& batch);
  void end_run();
  std::uint64_t rows() const noexcept { return change_.rows_added; }
  Encoded finish();

 private:
  void write_run(const model::Run& run, std::span<const Batch> parts, const Written& written);
  void hash_leaf(const segment::LeafRows& leaf);

  const history::DatasetEntry dataset_;
  history::DatasetChange change_;
  SegmentFile file_;
  model::ContentHasher content_;
  std::vector<std::size_t> content_column_;  // by column of the schema
  std::vector<model::LeafHasher> hashers_;   // by worker
  Shredding shredding_;
  segment::SegmentWriter writer_;
};

/// The rows inside the frame.
Encoded encode_inline(const IngestContext& context, const history::DatasetEntry& dataset,
                      std::vector<Batch> parts);

/// The least and the greatest time of a batch that has rows.
std::pair<Timestamp, Timestamp> times_of(const Batch& batch);

/// All rows of the parts in stored order, and their partitions. Takes the parts' memory piece by
/// piece.
Batch sort_parts(std::vector<Batch> parts, model::Run& run);

}  // namespace otolith::ingest
