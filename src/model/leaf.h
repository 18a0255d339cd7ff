// Leaves: hashes over what rows say, not over how they are stored, joined into one root per commit.
//
// Role:    the task that encodes a leaf hashes it in cache; the root goes into the commit header.
// Shapes:  a leaf is one column of one block of <= kLeafRows rows, counted from the start of its
//          partition within its run (drawing in leaf.cc). Leaves of a column are numbered over all
//          runs.
// Errors:  none.
// Threads: thread-compatible: runs are added by one thread while no other hashes; then leaves are
//          put by any number of threads, each with a LeafHasher of its own; then joined by one.
// Why:     logical content, so that compaction, mirrors with another layout, encryption and lawful
//          erasure keep the commit chain verifiable; >= 32 KiB at once, because BLAKE3 needs that.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "model/leaf_key.h"
#include "model/row_layout.h"
#include "otolith/batch.h"

namespace otolith::model {

/// Which rows a leaf holds.
struct LeafPlace {
  std::uint32_t run = 0;
  std::int64_t bucket = 0;
  std::uint64_t block = 0;      // within the partition of the run
  std::uint64_t first_row = 0;  // ordinal
  std::uint32_t rows = 0;
};

/// A column whose values are hashed.
struct LeafColumn {
  ColumnId id{};
  Type type;
};

/// The columns of a schema, ascending by id: the order of ContentHasher.
std::vector<LeafColumn> leaf_columns(const Schema& schema);

/// Hashes leaves under the keys of one salt.
class LeafHasher {
 public:
  explicit LeafHasher(const Id128& salt) : keys_(salt) {}

  /// Rows first..first+place.rows-1 of the array as leaf number `index` of its column.
  Hash256 hash(ColumnId column, std::uint64_t index, const LeafPlace& place, const Array& array,
               std::uint64_t first);

 private:
  LeafKeys keys_;
  Bytes scratch_;
};

/// The leaves of one commit's rows in one dataset.
class ContentHasher {
 public:
  /// `columns` ascend by id.
  explicit ContentHasher(std::vector<LeafColumn> columns);

  /// Makes room for the leaves of one more run; returns the number of its first leaf.
  std::uint64_t add_run(const Run& run);
  /// The same leaves for every column.
  const std::vector<LeafPlace>& places() const noexcept { return places_; }
  const std::vector<LeafColumn>& columns() const noexcept { return columns_; }
  void put(std::size_t column, std::uint64_t leaf, const Hash256& hash) noexcept {
    hashes_[column][leaf] = hash;
  }
  /// The root over all columns; every leaf must have been put.
  Hash256 rows_root() const;

 private:
  std::vector<LeafColumn> columns_;
  std::vector<LeafPlace> places_;
  std::vector<std::vector<Hash256>> hashes_;  // by column, by leaf
  std::uint32_t runs_ = 0;
  std::uint64_t rows_ = 0;
};

/// All at once, for rows in memory. The batch's rows stand in the order of the layout.
Hash256 rows_root(const Batch& batch, const RowLayout& layout, const Id128& salt);

}  // namespace otolith::model
