// Writes one segment: sorted runs in, an immutable file out.
//
// Role:    encode -> segment of a write; seals and compaction write through it too.
// Shapes:  one dataset's rows in one or more runs; each run's rows are sorted by (partition, keys,
//          time, arrival) and come in batches of any size.
// Errors:  invalid_argument where rows are not in the order, the partition or of the values that
//          the caller has judged: they changed meanwhile; those of codecs, which name column and
//          dataset; limit; those of the file. After any error the file is worthless: remove it and
//          begin another.
// Threads: thread-compatible; works on `threads` threads inside append and end_run.
// Why:     a run's rows per partition are known when it begins, so every column has its place in
//          the file at once, whatever the order of batches. A chunk is copied once, into memory
//          that stays in the cache, and judged, hashed and written from there (model/own_rows.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "codec/codec.h"
#include "io/vfs.h"
#include "model/row_layout.h"
#include "otolith/batch.h"
#include "segment/layout.h"

namespace otolith::segment {

/// Which rows of which column a leaf of the commit's proof holds (docs/history.md 7).
struct LeafRows {
  std::size_t column = 0;  // in the schema
  std::uint64_t leaf = 0;  // counted over all runs and partitions: model::ContentHasher::places()
  unsigned worker = 0;     // below `threads`; no two calls with the same one at the same time
  Array rows;              // valid during the call
};

/// Gets every leaf once, from any of the writer's threads, while its values are in the cache.
/// Columns begin and ordinal and shredded ones have no leaves.
using LeafSink = std::function<void(const LeafRows& leaf)>;

/// What a segment is of, and how to write it.
struct SegmentSpec {
  Header header;
  std::string file;                      // its name in messages
  std::string dataset;                   // likewise
  std::shared_ptr<const Schema> schema;  // of the batches; every column has its id
  bool many = false;               // batches bring two more columns, uint64: begin and ordinal
  std::vector<Column> shredded{};  // and behind them these, named by paths; ids are the writer's
  unsigned threads = 1;
  LeafSink leaf;  // may be empty
  const codec::Codec* codec =
      nullptr;  // of every chunk; nullptr: as the profiles of the schema choose
};

/// The codec of a user that a column asks for; nullptr where a profile chooses. Throws what
/// codec_asked does, with the names of column and dataset.
const codec::Codec* column_codec(const Schema& schema, const Column& column,
                                 std::string_view dataset);

/// What the log is told of a segment.
struct SegmentInfo {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t footer_hash = 0;
  Timestamp time_min{};
  Timestamp time_max{};
  bool unique = false;  // no two rows share keys and time, as far as that is known
};

class SegmentWriter {
 public:
  /// `file` is empty, open for writing, and outlives the writer.
  SegmentWriter(io::File& file, SegmentSpec spec);
  SegmentWriter(SegmentWriter&&) noexcept;
  ~SegmentWriter();

  /// The next run, which will have exactly these rows.
  void begin_run(const model::Run& run);
  /// Its next rows. Buffers without an owner are read during the call only.
  void append(const Batch& batch);
  void end_run();
  /// Says that rows of a shredded column are null whose documents have a value there.
  void note_strays(std::size_t shredded);
  /// Writes the indexes and the footer. Call sync() before the commit names the segment.
  SegmentInfo finish();
  void sync();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otolith::segment
