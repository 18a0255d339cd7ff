#include "model/rows_hash.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "model/array.h"
#include "model/own_rows.h"

namespace otolith::model {

namespace {

constexpr std::uint64_t kBlockRows = 4096;  // their hashes and one column of them fit the cache

// The finalizer of MurmurHash3 with constants of Stafford's variant 13.
constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t value_at(const Array& column, std::uint64_t row, std::uint64_t width) noexcept {
  if (is_text(column.type)) return xxh3(as_bytes_view(column.text(row)));
  const BytesView bytes = column.values.bytes.subspan(row * width, width);
  std::uint64_t value = 0;
  if (width > sizeof(value)) return xxh3(bytes);
  std::memcpy(&value, bytes.data(), width);
  return value;
}

// Takes each row's value into the row's hash.
void add_column(const Array& column, ColumnId id, std::span<std::uint64_t> hashes) noexcept {
  const std::uint64_t width = type_width(column.type);
  const std::uint64_t seed = mixed(2 * std::uint64_t{value_of(id)} + 1);
  const std::uint64_t null_seed = mixed(2 * std::uint64_t{value_of(id)} + 2);
  for (std::uint64_t row = 0; row < column.length; ++row) {
    const bool null = column.null_count != 0 && column.is_null(row);
    hashes[row] = null ? mixed(hashes[row] + null_seed)
                       : mixed((hashes[row] ^ value_at(column, row, width)) + seed);
  }
}

}  // namespace

std::uint64_t rows_hash(const Batch& batch) {
  std::uint64_t sum = 0;
  std::vector<std::uint64_t> hashes(std::min(batch.rows, kBlockRows));
  OwnRows memory;
  for (std::uint64_t first = 0; first < batch.rows; first += kBlockRows) {
    const std::span block(hashes.data(), std::min(batch.rows - first, kBlockRows));
    std::ranges::fill(block, 0);
    for (std::size_t c = 0; c < batch.columns.size(); ++c) {
      const Column& column = batch.schema->columns[c];
      add_column(memory.take(batch.columns[c], first, block.size(), column.name),
                 ColumnId{column.id}, block);
    }
    for (const std::uint64_t hash : block) sum += hash;
  }
  return sum;
}

}  // namespace otolith::model
