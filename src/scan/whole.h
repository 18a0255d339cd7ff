// The pieces of a read that gives all its rows at once, decoded side by side.
//
// Role:    scan of the flow, where the caller wants everything: each column becomes one stretch of
//          memory that the batches are slices of, so that nothing is copied to join them.
// Shapes:  batches as Scan::next gives them; columns of fixed width in one allocation each, text in
//          a few. What a mapping hands out stays where it is.
// Errors:  those of the sources.
// Threads: thread-compatible; decodes on several threads itself.
// Why:     a batch at a time decodes into memory of its own, which is copied again into the array
//          that users ask for, and starts threads for each row group. Here pages are touched once.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "io/large_memory.h"
#include "otolith/batch.h"
#include "otolith/options.h"
#include "scan/source.h"
#include "scan/unit.h"

namespace otolith::scan {

/// Rows of several units in any order, counted through the units one after the other.
struct PickedRows {
  std::vector<Unit> units;
  std::vector<std::uint32_t> rows;
};

class Whole {
 public:
  Whole(std::shared_ptr<const Schema> result, unsigned threads)
      : result_(std::move(result)), threads_(threads) {}

  /// Rows first..first+rows-1 of a piece, as the next batch.
  void add(std::shared_ptr<const RowSource> source, std::size_t piece, std::uint64_t first,
           std::uint64_t rows);
  /// Rows that a merge put in order, as the next batches.
  void add(PickedRows picked);
  /// A batch that is made already, as the next one.
  void add(Batch batch);
  std::size_t batches() const noexcept { return batches_.size(); }
  /// All of them, in the order they were added. `progress` gets rows decoded, and all of them; it
  /// may throw to end the read.
  std::vector<Batch> finish(const Progress& progress = {});

 private:
  struct Part {
    std::size_t batch = 0;
    std::shared_ptr<const RowSource> source;
    std::size_t piece = 0;
    std::uint64_t first = 0;
    std::uint64_t place = 0;  // of its first row among the rows of all parts
  };

  struct Picked {
    std::size_t batch = 0;  // the first of them
    PickedRows rows;
    std::uint64_t place = 0;
  };
  // Where the rows of one column go.
  struct Stretch {
    codec::Target fixed;
    std::vector<io::LargePieces> text;  // by worker
  };

  std::vector<Stretch> stretches() const;
  void decode_parts(std::vector<Stretch>& stretches);
  Array column_of(const Part& part, const Column& column, Stretch& stretch, unsigned worker) const;
  void gather_picked(const Picked& picked, std::vector<Stretch>& stretches, io::Scratch& scratch);

  std::shared_ptr<const Schema> result_;
  unsigned threads_;
  std::vector<Batch> batches_;
  std::vector<Part> parts_;
  std::vector<Picked> picked_;
  std::uint64_t rows_ = 0;                 // of the parts and those picked
  std::atomic<std::uint64_t> decoded_{0};  // values of their columns
};

}  // namespace otolith::scan
