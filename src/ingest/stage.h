// Stage: one dataset's rows on their way in, in order of arrival.
//
// Role:    record -> stage; encode takes the rows when the memory is full or the commit comes.
// Shapes:  parts of up to kStagePartBytes, copied; borrowed batches as they are; parts that were
//          read are sorted, and larger.
// Errors:  none.
// Threads: thread-compatible.
// Why:     a row at a time must cost a few copies, not an allocation per column: rows gather in
//          growing columns, and become a part when those are large.
#pragma once

#include <memory>
#include <vector>

#include "history/snapshot.h"
#include "ingest/spilled.h"
#include "model/array.h"
#include "otolith/read.h"

namespace otolith::ingest {

inline constexpr std::uint64_t kStagePartBytes = 16 << 20;

class Stage {
 public:
  explicit Stage(history::DatasetEntry dataset);

  /// Copies rows of a batch under the dataset's schema.
  void copy(const Batch& batch, std::uint64_t first, std::uint64_t rows);
  /// Keeps the batch as it is.
  void borrow(Batch batch);
  /// The same, where its memory is given away: it counts as copied.
  void take_over(Batch batch);
  /// Bytes that were copied and not taken yet.
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Bytes of all rows not taken yet, borrowed ones included.
  std::uint64_t plain_bytes() const noexcept { return plain_bytes_; }
  /// The hash of all rows ever staged (model/rows_hash.h), as far as it was told of them.
  void add_hash(std::uint64_t hash) noexcept { rows_hash_ += hash; }
  std::uint64_t rows_hash() const noexcept { return rows_hash_; }
  /// Rows staged and not removed, and those of them that were taken.
  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t taken_rows() const noexcept { return taken_rows_; }
  /// The rows staged since the last call.
  std::vector<Batch> take();
  /// Drops the rows that the request matches, spilled ones too; none where it throws.
  void remove(const ReadRequest& rows);
  /// The rows not taken yet, in sorted parts of memory that they stay in.
  std::vector<StagedRows> sorted();

  const history::DatasetEntry& dataset() const noexcept { return dataset_; }
  /// Rows that were taken before, in files; nullptr where none was.
  std::unique_ptr<SpilledRows>& spilled() noexcept { return spilled_; }
  const SpilledRows* spilled() const noexcept { return spilled_.get(); }

 private:
  struct Part {
    Batch rows;
    std::optional<StagedRows> sorted{};  // where it is: `rows` views its bytes
  };
  void close_part();
  void sort();

  history::DatasetEntry dataset_;
  std::vector<model::ArrayBuilder> columns_;  // of the part that is growing
  std::uint64_t part_rows_ = 0;
  std::uint64_t part_bytes_ = 0;
  std::vector<Part> parts_;
  std::uint64_t bytes_ = 0;
  std::uint64_t plain_bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t taken_rows_ = 0;
  std::uint64_t rows_hash_ = 0;
  std::unique_ptr<SpilledRows> spilled_;
};

}  // namespace otolith::ingest
