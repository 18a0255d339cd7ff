// State digest: a number that two sets of rows share if and only if they hold the same rows.
//
// Role:    the oracle of history, compaction, backup and sync; computed by a scan, never stored.
// Shapes:  sum modulo 2^128 of the rows' hashes, and their count. A row hashes its values and nulls
//          under the ids and types of its schema's columns, in ascending order of id.
// Errors:  none.
// Threads: thread-compatible; digests of parts join.
// Why:     a sum, so that order, batches and files do not matter. It guards against bugs, not
//          against adversaries.
#pragma once

#include <cstdint>
#include <string>

#include "base/hash.h"
#include "otolith/batch.h"

namespace otolith::model {

class StateDigest {
 public:
  void add(const Batch& batch);
  void add(const StateDigest& other) noexcept;

  std::uint64_t rows() const noexcept { return rows_; }
  Hash128 sum() const noexcept { return sum_; }
  /// "rows:32 hex digits", for reports.
  std::string text() const;
  bool operator==(const StateDigest&) const = default;

 private:
  void add_hash(Hash128 hash) noexcept;

  Hash128 sum_;
  std::uint64_t rows_ = 0;
};

}  // namespace otolith::model
