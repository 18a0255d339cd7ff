// Numbers of any type as blocks of 64-bit integers, and back; pages of blocks.
//
// Role:    what the codecs of numbers share: widening, slots of nulls, cutting, sampling.
// Shapes:  blocks of kBlockRows (the last of a page may be short); signed integers and times are
//          extended by their sign, all else by zeros.
// Errors:  none.
// Threads: thread-safe.
// Why:     one width of lanes for every type keeps the kernels few.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "codec/block.h"
#include "codec/codec.h"
#include "model/gather.h"
#include "otolith/decimal.h"

namespace otolith::codec {

/// Integers and times.
bool is_integer(Type type) noexcept;

/// Calls `take` with some value of a fixed type's width: an unsigned integer, or a Decimal.
template <typename Take>
auto with_bits_of(Type type, Take take) {
  switch (type_width(type)) {
    case 1:
      return take(std::uint8_t{});
    case 2:
      return take(std::uint16_t{});
    case 4:
      return take(std::uint32_t{});
    case 8:
      return take(std::uint64_t{});
    default:
      return take(Decimal{});
  }
}

/// The bits of a slot, which need not be aligned.
template <typename Bits>
Bits bits_at(const std::byte* values, std::uint64_t row = 0) noexcept {
  Bits out;
  std::memcpy(&out, values + row * sizeof(Bits), sizeof(Bits));
  return out;
}

/// The value of a slot, widened.
std::uint64_t number_at(const Array& array, std::uint64_t row) noexcept;

/// Rows first..first+count-1, widened; a null repeats the value before it, or the next one where
/// there is none, or is 0.
void numbers_load(const Array& array, std::uint64_t first, std::uint64_t count,
                  BlockValues& out) noexcept;
/// The same, where they are if they need no change, otherwise in `room`.
const std::uint64_t* numbers_at(const Array& array, std::uint64_t first, std::uint64_t count,
                                BlockValues& room) noexcept;

/// `count` values, cut to `width` bytes each.
void numbers_store(const std::uint64_t* values, std::uint64_t count, std::uint32_t width,
                   std::byte* out) noexcept;

/// The numbers of a block (block.h), cut to `width` bytes each; returns the bytes it takes.
std::uint64_t block_numbers(const std::byte* bytes, std::uint64_t count, std::uint32_t width,
                            std::byte* out) noexcept;

/// Appends a page of rows first..first+count-1.
using RowsEncoder =
    std::function<void(const Array& chunk, std::uint64_t first, std::uint64_t count, ByteWriter&)>;
EncodedChunk pages_encode(const Array& chunk, std::uint32_t page_rows, const RowsEncoder& page);

/// Writes a block of values (numbers_at) and returns its end.
using BlockEncoder =
    std::function<std::byte*(const std::uint64_t* values, std::uint64_t count, std::byte* out)>;

/// How the blocks of a codec make pages.
struct BlockPages {
  std::size_t block_bytes_max = kBlockBytesMax;
  BytesView head = {};  // of each page
  BlockEncoder block;
};
EncodedChunk blocks_encode(const Array& chunk, std::uint32_t page_rows, const BlockPages& pages);

/// Bytes of the whole chunk, judged from those of at most `pages` pages of kPageRowsMax rows, or of
/// fewer where so many are more text than kPageTextBytesMax.
std::uint64_t pages_estimate(const Array& chunk, std::uint64_t pages, const RowsEncoder& page);

/// The first row of each of at most kSampleBlocks blocks of a chunk, evenly spread.
std::vector<std::uint64_t> sample_blocks(std::uint64_t rows);
inline constexpr std::uint64_t kSampleBlocks = 4;

/// Bytes of the whole chunk without heads of pages, judged from what `rows` writes of its sample;
/// the chunk is not empty.
std::uint64_t rows_estimate(const Array& chunk, const RowsEncoder& rows);

/// Bytes of the whole chunk in pages of kPageRowsMax, judged from those of its sample.
std::uint64_t blocks_estimate(const Array& chunk, const BlockPages& pages);

/// What is wrong with the blocks of a page: asks `block` (what is left of them, rows, bytes taken)
/// of each.
template <typename Block>
std::string_view blocks_flaw(BytesView rest, const PageFacts& facts, Block block) {
  for (std::uint64_t first = 0; first < facts.rows; first += kBlockRows) {
    std::uint64_t taken = 0;
    const std::string_view wrong =
        block(rest, std::min<std::uint64_t>(kBlockRows, facts.rows - first), &taken);
    if (!wrong.empty()) return wrong;
    rest = rest.subspan(taken);
  }
  return rest.empty() ? "" : "there are bytes behind its last block";
}

/// Calls `block` with the rows of each block of a page in turn.
template <typename Block>
void for_each_block(std::uint64_t rows, Block block) {
  for (std::uint64_t first = 0; first < rows; first += kBlockRows)
    block(first, std::min<std::uint64_t>(kBlockRows, rows - first));
}

/// Codec::gather of the blocks at `at`: `bytes_of` (bytes, count) says what a block takes of which
/// no row is wanted; `decode` (bytes, count, out) does too, and makes its values.
template <typename BytesOf, typename Decode>
void blocks_gather(const std::byte* at, const PageFacts& facts, WantedRows rows, std::byte* out,
                   BytesOf bytes_of, Decode decode) {
  const std::uint32_t width = type_width(facts.type);
  alignas(64) std::array<std::byte, kBlockRows * sizeof(Decimal)> values;
  for (std::uint64_t first = 0; first < facts.rows && !rows.numbers.empty(); first += kBlockRows) {
    const std::uint64_t count = std::min<std::uint64_t>(kBlockRows, facts.rows - first);
    const auto end = std::ranges::lower_bound(rows.numbers, rows.first + first + count);
    const auto held = static_cast<std::size_t>(end - rows.numbers.begin());
    if (held == 0) {
      at += bytes_of(at, count);
      continue;
    }
    at += decode(at, count, values.data());
    model::values_gather(values.data(), width, rows.numbers.first(held), rows.first + first, out);
    out += held * width;
    rows.numbers = rows.numbers.subspan(held);
  }
}

}  // namespace otolith::codec
