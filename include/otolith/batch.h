// Columns in memory, in Arrow layout: what moves between the stages of a write and of a query.
//
// Role:    append takes batches, scanning gives batches; NumPy and Arrow read them without a copy.
// Shapes:  a validity bitmap (bit i of byte i/8, least significant first; absent when there are no
//          nulls), values (length * width bytes, little-endian), for strings and binary length + 1
//          int64 offsets into the values. A boolean is a byte, 0 or 1; a decimal is 16 bytes
//          (otolith/decimal.h). Slots of nulls hold zeros where Otolith made them.
// Errors:  batch_check throws invalid_argument.
// Threads: immutable; buffers are shared and keep their owner (a mapping, a NumPy array) alive.
// Why:     booleans are bytes, as NumPy has them, where Arrow has bits: rows are sliced, merged and
//          compared like all others, and the bits stand where size counts, in files and frames.
// Source:  Apache Arrow columnar format, "Physical Memory Layout" (large_utf8 for strings).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "otolith/schema.h"

namespace otolith {

/// Bytes with whoever keeps them alive. An empty owner means: the caller does, for the call.
struct Buffer {
  std::shared_ptr<const void> owner{};
  std::span<const std::byte> bytes{};

  /// The bytes as values of one type.
  template <typename T>
  const T* as() const noexcept {
    return reinterpret_cast<const T*>(bytes.data());
  }
};

/// Allocates `bytes` bytes aligned to 64, not zeroed; `*data` is writable until the Buffer is
/// shared.
Buffer buffer_allocate(std::size_t bytes, std::byte** data);
/// Takes over a vector's bytes.
Buffer buffer_of(std::vector<std::byte> bytes);

/// One column of values.
struct Array {
  Type type{};
  std::uint64_t length = 0;
  std::uint64_t null_count = 0;
  Buffer validity{};  // empty when null_count is 0
  Buffer offsets{};   // strings and binary only
  Buffer values{};
  bool zero_copy = false;  // the values lie in a mapped file or in the caller's memory

  /// Whether the value at a row is missing.
  bool is_null(std::uint64_t row) const noexcept {
    return null_count != 0 &&
           ((std::to_integer<unsigned>(validity.bytes[row >> 3]) >> (row & 7)) & 1u) == 0;
  }
  /// The value at a row, for fixed-width types (std::uint8_t for booleans, Decimal for decimals);
  /// undefined at a null.
  template <typename T>
  T value(std::uint64_t row) const noexcept {
    return values.as<T>()[row];
  }
  /// The text at a row, for strings and binary; valid while the Array lives.
  std::string_view text(std::uint64_t row) const noexcept {
    const auto* at = offsets.as<std::int64_t>();
    return {values.as<char>() + at[row], static_cast<std::size_t>(at[row + 1] - at[row])};
  }
};

/// Columns of one length, in the order of `schema->columns`.
struct Batch {
  std::shared_ptr<const Schema> schema{};
  std::uint64_t rows = 0;
  std::vector<Array> columns{};
};

/// Throws invalid_argument unless lengths, types and buffers of the batch fit its schema: no nulls
/// in the time column, in keys and in required columns; times in range; booleans 0 or 1; decimals
/// of no more digits than their precision; strings valid UTF-8; strings and binary within limits.
void batch_check(const Batch& batch);

}  // namespace otolith
