// Chosen rows of several segments of one dataset in one order, a few at a time.
//
// Role:    what a join writes of each side: rows with their ids.
// Shapes:  segments -> batches in stored order (partition, keys, time, begin, ordinal), columns of
//          the schema, then begin and ordinal; at most a row group to a batch.
// Errors:  those of reading; corrupt where a stored type does not widen to the schema's.
// Threads: thread-compatible.
// Why:     of each run of each segment a window of rows is in memory, sized so that all windows of
//          a partition fit what is given: what a join takes does not depend on how much it joins.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "model/row_layout.h"
#include "otolith/batch.h"
#include "scan/unit.h"

namespace otolith::ingest {

/// About what one row takes in memory, with its ids; texts are guessed.
std::uint64_t row_bytes(const Schema& schema) noexcept;

/// A segment, and the rows of it that are wanted, by piece.
struct JoinSource {
  std::shared_ptr<const scan::RowSource> source;
  std::vector<RowSet> rows;
};

class JoinRows {
 public:
  /// Windows take `window_bytes` together, or 256 rows each.
  JoinRows(std::vector<JoinSource> sources, std::shared_ptr<const Schema> schema,
           std::uint64_t window_bytes);

  /// Partitions of all of them, in order; none is empty.
  model::Run run() const;
  /// Some values of a column of text: some thousand, fewer where they are long, from places evenly
  /// spread.
  Array sample(std::size_t column) const;
  void write(const std::function<void(const Batch&)>& sink) const;

 private:
  // Pieces of one run within one partition.
  struct Part {
    const scan::RowSource* source = nullptr;
    std::uint32_t run = 0;
    std::vector<scan::Selected> pieces;
  };

  std::vector<std::shared_ptr<const scan::RowSource>> sources_;
  std::shared_ptr<const Schema> schema_;
  std::uint64_t window_bytes_;
  std::map<std::int64_t, std::vector<Part>> partitions_;
};

}  // namespace otolith::ingest
