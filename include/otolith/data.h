// The result of a read: rows in pieces, each column also as one array.
//
// Role:    the end of the flow: scan hands over batches, Data keeps them and joins them on demand.
// Shapes:  rows() rows in batches() pieces of one schema.
// Errors:  not_found for a column that is not there, with the nearest name.
// Threads: thread-safe; joined columns are made once.
// Why:     pieces are zero-copy more often than whole columns, so both are offered, and `zero_copy`
//          says which it was, per column, never a guess.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "otolith/batch.h"

namespace otolith {

/// Rows that were read. Copies share the data, which stay valid as long as any of them lives.
class Data {
 public:
  Data(std::shared_ptr<const Schema> schema, std::vector<Batch> batches);

  /// Rows in all pieces together.
  std::uint64_t rows() const noexcept;
  /// The columns that were read, in the order asked for.
  const Schema& schema() const noexcept;
  /// The same, for those who keep it longer than this object.
  std::shared_ptr<const Schema> schema_shared() const noexcept;
  /// One per row group where that was possible without a copy.
  const std::vector<Batch>& batches() const noexcept;
  /// The whole column as one array: the batch's own if there is one, else a copy made at first use.
  const Array& column(std::size_t index) const;
  const Array& column(std::string_view name) const;
  /// True if column(index) lies in a mapped file.
  bool zero_copy(std::size_t index) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace otolith
