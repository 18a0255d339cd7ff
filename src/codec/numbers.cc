#include "codec/numbers.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

template <typename T>
void widen(const std::byte* from, std::uint64_t count, std::uint64_t* out) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) {
    const T value = load_le<T>(from + i * sizeof(T));
    if constexpr (std::is_signed_v<T>)
      out[i] = static_cast<std::uint64_t>(std::int64_t{value});
    else
      out[i] = value;
  }
}

// Floats and unsigned integers by their bits.
void widen_any(const std::byte* from, std::uint64_t count, Type type, std::uint64_t* out) noexcept {
  switch (type.kind) {
    case TypeKind::int8:
      return widen<std::int8_t>(from, count, out);
    case TypeKind::int16:
      return widen<std::int16_t>(from, count, out);
    case TypeKind::int32:
      return widen<std::int32_t>(from, count, out);
    case TypeKind::uint8:
      return widen<std::uint8_t>(from, count, out);
    case TypeKind::uint16:
      return widen<std::uint16_t>(from, count, out);
    case TypeKind::uint32:
    case TypeKind::float32:
      return widen<std::uint32_t>(from, count, out);
    default:
      OTO_INVARIANT(type_width(type) == sizeof(std::uint64_t));
      return widen<std::uint64_t>(from, count, out);
  }
}

template <typename T>
void narrow(const std::uint64_t* values, std::uint64_t count, std::byte* out) noexcept {
  for (std::uint64_t i = 0; i < count; ++i)
    store_le(out + i * sizeof(T), static_cast<T>(values[i]));
}

void fill_nulls(const Array& array, std::uint64_t first, std::uint64_t count,
                BlockValues& out) noexcept {
  std::uint64_t row = 0;
  while (row < count && array.is_null(first + row)) ++row;
  std::uint64_t last = row < count ? out[row] : 0;
  std::fill_n(out.begin(), row, last);
  for (; row < count; ++row) {
    if (array.is_null(first + row))
      out[row] = last;
    else
      last = out[row];
  }
}

}  // namespace

bool is_integer(Type type) noexcept {
  return (type.kind >= TypeKind::int8 && type.kind <= TypeKind::uint64) ||
         type.kind == TypeKind::timestamp;
}

std::uint64_t number_at(const Array& array, std::uint64_t row) noexcept {
  std::uint64_t out = 0;
  const std::uint32_t width = type_width(array.type);
  widen_any(array.values.bytes.data() + row * width, 1, array.type, &out);
  return out;
}

void numbers_load(const Array& array, std::uint64_t first, std::uint64_t count,
                  BlockValues& out) noexcept {
  const std::uint64_t width = type_width(array.type);
  widen_any(array.values.bytes.data() + first * width, count, array.type, out.data());
  if (array.null_count != 0) fill_nulls(array, first, count, out);
}

void numbers_store(const std::uint64_t* values, std::uint64_t count, std::uint32_t width,
                   std::byte* out) noexcept {
  switch (width) {
    case 1:
      return narrow<std::uint8_t>(values, count, out);
    case 2:
      return narrow<std::uint16_t>(values, count, out);
    case 4:
      return narrow<std::uint32_t>(values, count, out);
    default:
      std::memcpy(out, values, count * sizeof(std::uint64_t));
  }
}

EncodedChunk pages_encode(const Array& chunk, std::uint32_t page_rows, const RowsEncoder& page) {
  EncodedChunk out;
  ByteWriter bytes;
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const std::uint64_t at = bytes.size();
    page(chunk, first, std::min<std::uint64_t>(page_rows, chunk.length - first), bytes);
    out.pages.push_back({at, bytes.size() - at});
  }
  out.values = buffer_of(bytes.take());
  return out;
}

EncodedChunk blocks_encode(const Array& chunk, std::uint32_t page_rows, const RowsEncoder& block) {
  return pages_encode(
      chunk, page_rows,
      [&block](const Array& of, std::uint64_t first, std::uint64_t count, ByteWriter& out) {
        for_each_block(
            count, [&](std::uint64_t at, std::uint64_t rows) { block(of, first + at, rows, out); });
      });
}

std::vector<std::uint64_t> sample_blocks(std::uint64_t rows) {
  const std::uint64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const std::uint64_t count = std::min(blocks, kSampleBlocks);
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < count; ++i)
    out.push_back(count == 1 ? 0 : i * (blocks - 1) / (count - 1) * kBlockRows);
  return out;
}

std::uint64_t blocks_estimate(const Array& chunk, const RowsEncoder& block) {
  ByteWriter bytes;
  std::uint64_t sampled = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    block(chunk, first, rows, bytes);
    sampled += rows;
  }
  return sampled == 0 ? 0 : bytes.size() * chunk.length / sampled;
}

}  // namespace otolith::codec
