// Making, cutting and joining arrays: the small grammar that every other file of the room speaks.
//
// Role:    stages of the write and of the query build columns with these.
// Shapes:  Arrow layout as in otolith/batch.h; validity bit i of byte i/8, least significant first.
// Errors:  none but broken invariants; batch_check has judged foreign input before.
// Threads: thread-compatible.
// Why:     slices share buffers, so that cutting a batch at partitions costs nothing; only bitmaps
//          that do not start on a byte are copied.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "otolith/batch.h"

namespace otolith::model {

constexpr std::uint64_t bitmap_bytes(std::uint64_t rows) noexcept { return (rows + 7) / 8; }

/// The bitmaps of several arrays behind each other, ones where an array has no nulls.
Buffer validity_concat(std::span<const Array* const> parts);

inline bool bitmap_get(std::span<const std::byte> bitmap, std::uint64_t row) noexcept {
  return ((std::to_integer<unsigned>(bitmap[row / 8]) >> (row % 8)) & 1u) != 0;
}

/// Zero bits among the first `rows` of a bitmap.
std::uint64_t bitmap_nulls(std::span<const std::byte> bitmap, std::uint64_t rows) noexcept;

/// Copies `count` bits to bit `to` of a bitmap whose bits from there on are zero.
void bitmap_copy(std::span<const std::byte> from, std::uint64_t first, std::uint64_t count,
                 std::byte* out, std::uint64_t to) noexcept;

/// True for string and binary: offsets and bytes instead of values of one width.
constexpr bool is_text(Type type) noexcept {
  return type.kind == TypeKind::string || type.kind == TypeKind::binary;
}

/// Rows first..first+count-1, sharing the buffers.
Array array_slice(const Array& array, std::uint64_t first, std::uint64_t count);
Batch batch_slice(const Batch& batch, std::uint64_t first, std::uint64_t count);

/// `rows` nulls.
Array array_of_nulls(Type type, std::uint64_t rows);

/// Rows first..first+count-1 in memory of their own, whoever owned the buffers.
Batch batch_copy(const Batch& batch, std::uint64_t first, std::uint64_t count);

/// One array after the other; all of one type.
Array array_concat(std::span<const Array* const> parts);
Batch batch_concat(std::span<const Batch> parts);

/// Copies the text of all rows to `values`, and where each of them ends to `ends`, int64 each,
/// counted so that the first text begins at `at`; returns the bytes of text.
std::uint64_t text_copy(const Array& array, std::uint64_t at, std::byte* ends, std::byte* values);
/// What it copies.
std::uint64_t text_bytes(const Array& array) noexcept;

/// Copies values of a fixed-width array, zeros for nulls: the form that is stored and hashed.
void copy_plain_values(const Array& array, std::uint64_t first, std::uint64_t count,
                       std::byte* out) noexcept;

/// Bytes of the rows of an array as stored plainly: values, lengths of text as 4 bytes, bitmap.
std::uint64_t array_plain_bytes(const Array& array) noexcept;
std::uint64_t batch_plain_bytes(const Batch& batch) noexcept;

/// Builds a column, value by value or from rows of other arrays.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Type type) : type_(type) {}

  /// `value` has the width of the type.
  void append(std::span<const std::byte> value);
  template <typename T>
  void append_value(T value) {
    append(std::as_bytes(std::span(&value, 1)));
  }
  void append_text(std::string_view text);
  void append_null();
  void append_rows(const Array& array, std::uint64_t first, std::uint64_t count);
  std::uint64_t length() const noexcept { return length_; }
  Array finish();

 private:
  void append_validity(bool valid);
  void append_offset();
  void append_text_rows(const Array& array, std::uint64_t first, std::uint64_t count);

  Type type_;
  std::uint64_t length_ = 0;
  std::uint64_t null_count_ = 0;
  std::vector<std::byte> values_;
  std::vector<std::byte> offsets_ = std::vector<std::byte>(8);  // int64 each
  std::vector<std::byte> validity_;
};

}  // namespace otolith::model
