// Rows of an array in memory of our own, where nobody else can change them.
//
// Role:    stage -> encode: what is judged, sorted by, hashed and checksummed is what is written.
// Shapes:  any slice of an array that batch_check has judged; text starts at offset 0.
// Errors:  invalid_argument where the rows no longer are what was judged: another thread changed
//          them, and they cannot be written as they are.
// Threads: thread-compatible; one object per thread.
// Why:     callers lend their arrays, and a thread of theirs may write into one meanwhile: hashed
//          in one state and written in another it would be damage. A copy of a chunk fits the cache
//          that its hashing needs it in anyway, and the memory is used again for the next one.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "otolith/batch.h"

namespace otolith::model {

class OwnRows {
 public:
  /// Copies and judges rows first..first+count-1; valid until the next call. `column` stands for
  /// the column in messages.
  Array take(const Array& array, std::uint64_t first, std::uint64_t count, std::string_view column);

 private:
  void take_text(const Array& array, std::uint64_t first, Array& out, std::string_view column);
  void take_values(const Array& array, std::uint64_t first, Array& out);
  void take_nulls(const Array& array, std::uint64_t first, Array& out);
  void flatten_booleans(std::uint64_t rows) noexcept;

  Bytes values_;
  Bytes offsets_;
  Bytes validity_;
};

/// All rows of an array, or of every column of a batch, kept by who holds the result.
Array own_rows(const Array& array, std::string_view column);
Batch own_rows(const Batch& batch);

/// Refuses rows that are not what was judged before.
[[noreturn]] void throw_rows_changed(std::string_view column);

}  // namespace otolith::model
