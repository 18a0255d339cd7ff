// The pieces of a read that gives all its rows at once, decoded side by side.
//
// Role:    scan of the flow, where the caller wants everything: each column becomes one stretch of
//          memory that the batches are slices of, so that nothing is copied to join them.
// Shapes:  batches as Scan::next gives them; columns of fixed width in one allocation each. Text,
//          and what a mapping hands out, stay where they are.
// Errors:  those of the sources.
// Threads: thread-compatible; decodes on several threads itself.
// Why:     a batch at a time decodes into memory of its own, which is copied again into the array
//          that users ask for, and starts threads for each row group. Here pages are touched once.
#pragma once

#include <memory>
#include <vector>

#include "otolith/batch.h"
#include "scan/source.h"

namespace otolith::scan {

class Whole {
 public:
  Whole(std::shared_ptr<const Schema> result, unsigned threads)
      : result_(std::move(result)), threads_(threads) {}

  /// Rows first..first+rows-1 of a piece, as the next batch.
  void add(std::shared_ptr<const RowSource> source, std::size_t piece, std::uint64_t first,
           std::uint64_t rows);
  /// A batch that is made already, as the next one.
  void add(Batch batch);
  std::size_t batches() const noexcept { return batches_.size(); }
  /// All of them, in the order they were added.
  std::vector<Batch> finish();

 private:
  struct Part {
    std::size_t batch = 0;
    std::shared_ptr<const RowSource> source;
    std::size_t piece = 0;
    std::uint64_t first = 0;
    std::uint64_t place = 0;  // of its first row among the rows of all parts
  };

  Array column_of(const Part& part, const Column& column, const codec::Target& stretch) const;

  std::shared_ptr<const Schema> result_;
  unsigned threads_;
  std::vector<Batch> batches_;
  std::vector<Part> parts_;
  std::uint64_t rows_ = 0;  // of the parts
};

}  // namespace otolith::scan
