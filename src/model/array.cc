#include "model/array.h"

#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/hash.h"

namespace otolith::model {

namespace {

Buffer sub_buffer(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) {
  return {buffer.owner, buffer.bytes.subspan(offset, bytes)};
}

void set_bits(std::byte* out, std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t i = first; i < first + count; ++i) {
    if ((i & 7) == 0 && first + count - i >= 8) {
      out[i >> 3] = std::byte{0xff};
      i += 7;
    } else {
      out[i >> 3] |= static_cast<std::byte>(1u << (i & 7));
    }
  }
}

Buffer zeroed(std::uint64_t bytes, std::byte** data) {
  Buffer out = buffer_allocate(bytes, data);
  if (bytes != 0) std::memset(*data, 0, bytes);
  return out;
}

}  // namespace

std::uint64_t bitmap_nulls(std::span<const std::byte> bitmap, std::uint64_t rows) noexcept {
  std::uint64_t valid = 0;
  std::uint64_t row = 0;
  for (; row + 64 <= rows; row += 64) {
    valid += static_cast<unsigned>(std::popcount(load_le<std::uint64_t>(bitmap.data() + row / 8)));
  }
  for (; row < rows; ++row) {
    valid += (std::to_integer<unsigned>(bitmap[row >> 3]) >> (row & 7)) & 1u;
  }
  return rows - valid;
}

void bitmap_copy(std::span<const std::byte> from, std::uint64_t first, std::uint64_t count,
                 std::byte* out, std::uint64_t to) noexcept {
  if (count == 0) return;
  if (((first | to) & 7) == 0) {
    std::memcpy(out + to / 8, from.data() + first / 8, bitmap_bytes(count));
    const auto spare = static_cast<unsigned>(count & 7);
    if (spare != 0) out[(to + count) / 8] &= static_cast<std::byte>((1u << spare) - 1);
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = first + i;
    const auto bit = (std::to_integer<unsigned>(from[at >> 3]) >> (at & 7)) & 1u;
    out[(to + i) >> 3] |= static_cast<std::byte>(bit << ((to + i) & 7));
  }
}

Array array_slice(const Array& array, std::uint64_t first, std::uint64_t count) {
  OTO_INVARIANT(first <= array.length && count <= array.length - first);
  Array out{.type = array.type, .length = count, .zero_copy = array.zero_copy};
  if (is_text(array.type)) {
    out.offsets = sub_buffer(array.offsets, first * 8, (count + 1) * 8);
    out.values = array.values;
  } else {
    const std::uint64_t width = type_width(array.type);
    out.values = sub_buffer(array.values, first * width, count * width);
  }
  if (array.null_count == 0) return out;
  if ((first & 7) == 0) {
    out.validity = sub_buffer(array.validity, first / 8, bitmap_bytes(count));
  } else {
    std::byte* bits = nullptr;
    out.validity = zeroed(bitmap_bytes(count), &bits);
    bitmap_copy(array.validity.bytes, first, count, bits, 0);
  }
  out.null_count = bitmap_nulls(out.validity.bytes, count);
  if (out.null_count == 0) out.validity = {};
  return out;
}

Batch batch_slice(const Batch& batch, std::uint64_t first, std::uint64_t count) {
  Batch out{.schema = batch.schema, .rows = count};
  for (const Array& column : batch.columns)
    out.columns.push_back(array_slice(column, first, count));
  return out;
}

Batch batch_copy(const Batch& batch, std::uint64_t first, std::uint64_t count) {
  Batch out{.schema = batch.schema, .rows = count};
  for (const Array& column : batch.columns) {
    ArrayBuilder copy(column.type);
    copy.append_rows(column, first, count);
    out.columns.push_back(copy.finish());
  }
  return out;
}

Array array_of_nulls(Type type, std::uint64_t rows) {
  Array out{.type = type, .length = rows, .null_count = rows};
  std::byte* data = nullptr;
  if (rows != 0) out.validity = zeroed(bitmap_bytes(rows), &data);
  if (is_text(type)) {
    out.offsets = zeroed((rows + 1) * 8, &data);
  } else {
    out.values = zeroed(rows * type_width(type), &data);
  }
  return out;
}

Buffer validity_concat(std::span<const Array* const> parts) {
  std::uint64_t rows = 0;
  for (const Array* part : parts) rows += part->length;
  std::byte* bits = nullptr;
  Buffer out = zeroed(bitmap_bytes(rows), &bits);
  std::uint64_t row = 0;
  for (const Array* part : parts) {
    if (part->null_count != 0) {
      bitmap_copy(part->validity.bytes, 0, part->length, bits, row);
    } else {
      set_bits(bits, row, part->length);
    }
    row += part->length;
  }
  return out;
}

std::uint64_t text_bytes(const Array& array) noexcept {
  const auto* offsets = array.offsets.as<std::int64_t>();
  return static_cast<std::uint64_t>(offsets[array.length] - offsets[0]);
}

std::uint64_t text_copy(const Array& array, std::uint64_t at, std::byte* ends, std::byte* values) {
  const auto* from = array.offsets.as<std::int64_t>();
  const std::int64_t moved = static_cast<std::int64_t>(at) - from[0];
  for (std::uint64_t i = 0; i < array.length; ++i) store_le(ends + i * 8, from[i + 1] + moved);
  const std::uint64_t bytes = text_bytes(array);
  if (bytes != 0) std::memcpy(values, array.values.bytes.data() + from[0], bytes);
  return bytes;
}

Array array_concat(std::span<const Array* const> parts) {
  OTO_INVARIANT(!parts.empty());
  if (parts.size() == 1) return *parts.front();
  Array out{.type = parts.front()->type};
  std::uint64_t value_bytes = 0;
  const std::uint64_t width = type_width(out.type);
  for (const Array* part : parts) {
    OTO_INVARIANT(part->type == out.type);
    out.length += part->length;
    out.null_count += part->null_count;
    value_bytes += is_text(out.type) ? text_bytes(*part) : part->length * width;
  }
  std::byte* values = nullptr;
  std::byte* offsets = nullptr;
  out.values = buffer_allocate(value_bytes, &values);
  if (is_text(out.type)) out.offsets = zeroed((out.length + 1) * 8, &offsets);
  if (out.null_count != 0) out.validity = validity_concat(parts);
  std::uint64_t row = 0;
  std::uint64_t end = 0;
  for (const Array* part : parts) {
    if (is_text(out.type)) {
      end += text_copy(*part, end, offsets + (row + 1) * 8, values + end);
    } else {
      const std::uint64_t bytes = part->length * width;
      if (bytes != 0) std::memcpy(values + end, part->values.bytes.data(), bytes);
      end += bytes;
    }
    row += part->length;
  }
  return out;
}

Batch batch_concat(std::span<const Batch> parts) {
  OTO_INVARIANT(!parts.empty());
  if (parts.size() == 1) return parts.front();
  Batch out{.schema = parts.front().schema, .rows = 0};
  for (const Batch& part : parts) out.rows += part.rows;
  std::vector<const Array*> column(parts.size());
  for (std::size_t c = 0; c < parts.front().columns.size(); ++c) {
    for (std::size_t i = 0; i < parts.size(); ++i) column[i] = &parts[i].columns[c];
    out.columns.push_back(array_concat(column));
  }
  return out;
}

void copy_plain_values(const Array& array, std::uint64_t first, std::uint64_t count,
                       std::byte* out) noexcept {
  const std::uint64_t width = type_width(array.type);
  if (count != 0) std::memcpy(out, array.values.bytes.data() + first * width, count * width);
  if (array.null_count == 0) return;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (array.is_null(first + i)) std::memset(out + i * width, 0, width);
  }
}

std::uint64_t array_plain_bytes(const Array& array) noexcept {
  const std::uint64_t bitmap = array.null_count == 0 ? 0 : bitmap_bytes(array.length);
  if (!is_text(array.type)) return bitmap + array.length * type_width(array.type);
  return bitmap + array.length * 4 + text_bytes(array);
}

std::uint64_t batch_plain_bytes(const Batch& batch) noexcept {
  std::uint64_t bytes = 0;
  for (const Array& column : batch.columns) bytes += array_plain_bytes(column);
  return bytes;
}

void ArrayBuilder::append_validity(bool valid) {
  if ((length_ & 7) == 0) validity_.push_back(std::byte{0});
  if (valid) validity_.back() |= static_cast<std::byte>(1u << (length_ & 7));
  ++length_;
}

void ArrayBuilder::append(std::span<const std::byte> value) {
  values_.insert(values_.end(), value.begin(), value.end());
  append_validity(true);
}

void ArrayBuilder::append_offset() {
  const auto end = static_cast<std::int64_t>(values_.size());
  const BytesView bytes = std::as_bytes(std::span(&end, 1));
  offsets_.insert(offsets_.end(), bytes.begin(), bytes.end());
}

void ArrayBuilder::append_text(std::string_view text) {
  const BytesView bytes = as_bytes_view(text);
  values_.insert(values_.end(), bytes.begin(), bytes.end());
  append_offset();
  append_validity(true);
}

void ArrayBuilder::append_null() {
  if (is_text(type_)) {
    append_offset();
  } else {
    values_.resize(values_.size() + type_width(type_));
  }
  append_validity(false);
  ++null_count_;
}

void ArrayBuilder::append_text_rows(const Array& array, std::uint64_t first, std::uint64_t count) {
  const auto* from = array.offsets.as<std::int64_t>() + first;
  const auto start = static_cast<std::int64_t>(values_.size());
  const BytesView bytes = array.values.bytes.subspan(
      static_cast<std::uint64_t>(from[0]), static_cast<std::uint64_t>(from[count] - from[0]));
  values_.insert(values_.end(), bytes.begin(), bytes.end());
  const std::size_t at = offsets_.size();
  offsets_.resize(at + count * 8);
  for (std::uint64_t i = 0; i < count; ++i) {
    store_le(offsets_.data() + at + i * 8, start + from[i + 1] - from[0]);
  }
}

void ArrayBuilder::append_rows(const Array& array, std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  if (is_text(type_)) {
    append_text_rows(array, first, count);
  } else {
    const std::uint64_t width = type_width(type_);
    const BytesView bytes = array.values.bytes.subspan(first * width, count * width);
    values_.insert(values_.end(), bytes.begin(), bytes.end());
  }
  validity_.resize(bitmap_bytes(length_ + count));
  if (array.null_count == 0) {
    set_bits(validity_.data(), length_, count);
  } else {
    bitmap_copy(array.validity.bytes, first, count, validity_.data(), length_);
    for (std::uint64_t i = first; i < first + count; ++i) null_count_ += array.is_null(i) ? 1 : 0;
  }
  length_ += count;
}

Array ArrayBuilder::finish() {
  Array out{.type = type_, .length = length_, .null_count = null_count_};
  if (null_count_ != 0) out.validity = buffer_of(std::move(validity_));
  if (is_text(type_)) out.offsets = buffer_of(std::move(offsets_));
  out.values = buffer_of(std::move(values_));
  *this = ArrayBuilder(type_);
  return out;
}

}  // namespace otolith::model
