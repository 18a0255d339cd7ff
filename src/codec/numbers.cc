#include "codec/numbers.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "codec/lengths.h"
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
    case TypeKind::boolean:
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

const std::uint64_t* numbers_at(const Array& array, std::uint64_t first, std::uint64_t count,
                                BlockValues& room) noexcept {
  const std::byte* at = array.values.bytes.data() + first * sizeof(std::uint64_t);
  if (type_width(array.type) == sizeof(std::uint64_t) && array.null_count == 0 &&
      std::bit_cast<std::uintptr_t>(at) % alignof(std::uint64_t) == 0) {
    return reinterpret_cast<const std::uint64_t*>(at);
  }
  numbers_load(array, first, count, room);
  return room.data();
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

std::uint64_t block_numbers(const std::byte* bytes, std::uint64_t count, std::uint32_t width,
                            std::byte* out) noexcept {
  if (width == sizeof(std::uint64_t) && count == kBlockRows)
    return block_decode(bytes, count, reinterpret_cast<std::uint64_t*>(out));
  alignas(64) BlockValues values;  // of whole rows of lanes
  const std::uint64_t taken = block_decode(bytes, count, values.data());
  numbers_store(values.data(), count, width, out);
  return taken;
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

EncodedChunk blocks_encode(const Array& chunk, std::uint32_t page_rows, const BlockPages& pages) {
  const std::uint64_t blocks = (chunk.length + kBlockRows - 1) / kBlockRows;
  const std::uint64_t count = (chunk.length + page_rows - 1) / page_rows;
  std::byte* begin = nullptr;
  Buffer room = buffer_allocate(blocks * pages.block_bytes_max + count * pages.head.size(), &begin);
  EncodedChunk out;
  alignas(64) BlockValues values;
  std::byte* end = begin;
  for (std::uint64_t first = 0; first < chunk.length; first += page_rows) {
    const std::byte* const page = end;
    end = std::ranges::copy(pages.head, end).out;
    const std::uint64_t page_end = std::min<std::uint64_t>(first + page_rows, chunk.length);
    for (std::uint64_t at = first; at < page_end; at += kBlockRows) {
      const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, page_end - at);
      end = pages.block(numbers_at(chunk, at, rows, values), rows, end);
    }
    out.pages.push_back(
        {static_cast<std::uint64_t>(page - begin), static_cast<std::uint64_t>(end - page)});
  }
  const auto bytes = static_cast<std::size_t>(end - begin);
  if (bytes * 2 > room.bytes.size()) {
    out.values = {std::move(room.owner), room.bytes.first(bytes)};
  } else {  // what waits to be written should not hold much more
    std::byte* exact = nullptr;
    out.values = buffer_allocate(bytes, &exact);
    std::copy(begin, end, exact);
  }
  return out;
}

namespace {

// Rows of a sampled page: fewer where no codec would take so much text at once.
std::uint64_t sample_rows(const Array& chunk) {
  std::uint64_t rows = kPageRowsMax;
  while (rows > kBlockRows && model::is_text(chunk.type) && text_too_long(chunk, rows)) rows /= 2;
  return rows;
}

}  // namespace

std::uint64_t pages_estimate(const Array& chunk, std::uint64_t pages, const RowsEncoder& page) {
  const std::uint64_t page_rows = sample_rows(chunk);
  const std::uint64_t all = (chunk.length + page_rows - 1) / page_rows;
  const std::uint64_t count = std::min(all, pages);
  ByteWriter bytes;
  std::uint64_t sampled = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t first = i * all / count * page_rows;
    const std::uint64_t rows = std::min<std::uint64_t>(page_rows, chunk.length - first);
    page(chunk, first, rows, bytes);
    sampled += rows;
  }
  return sampled == 0 ? 0 : bytes.size() * chunk.length / sampled;
}

std::vector<std::uint64_t> sample_blocks(std::uint64_t rows) {
  const std::uint64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const std::uint64_t count = std::min(blocks, kSampleBlocks);
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < count; ++i)
    out.push_back(count == 1 ? 0 : i * (blocks - 1) / (count - 1) * kBlockRows);
  return out;
}

std::uint64_t rows_estimate(const Array& chunk, const RowsEncoder& rows) {
  ByteWriter sample;
  std::uint64_t sampled = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    rows(chunk, first, count, sample);
    sampled += count;
  }
  return sample.size() * chunk.length / sampled;
}

std::uint64_t blocks_estimate(const Array& chunk, const BlockPages& pages) {
  Bytes room(pages.block_bytes_max);
  alignas(64) BlockValues values;
  std::uint64_t sampled = 0;
  std::uint64_t bytes = 0;
  for (const std::uint64_t first : sample_blocks(chunk.length)) {
    const std::uint64_t rows = std::min<std::uint64_t>(kBlockRows, chunk.length - first);
    const std::byte* end = pages.block(numbers_at(chunk, first, rows, values), rows, room.data());
    bytes += static_cast<std::uint64_t>(end - room.data());
    sampled += rows;
  }
  const std::uint64_t heads = (chunk.length + kPageRowsMax - 1) / kPageRowsMax * pages.head.size();
  return sampled == 0 ? 0 : bytes * chunk.length / sampled + heads;
}

}  // namespace otolith::codec
