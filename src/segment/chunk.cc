#include "segment/chunk.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/limits.h"
#include "model/array.h"

namespace otolith::segment {

namespace {

BytesView piece(const Buffer& part, codec::Extent extent) {
  return part.bytes.subspan(extent.at, extent.bytes);
}

PageEntry page_seal(const EncodedChunkEntry& chunk, const Array& page, const codec::Codec& codec,
                    std::uint64_t first, std::uint32_t page_rows) {
  PageEntry out;
  out.place = chunk.bytes.pages[first / page_rows];
  out.zone = zone_of(page);
  const codec::PageFacts facts{page.type, page.length, page.null_count,
                               !chunk.bytes.validity.bytes.empty(),
                               chunk.bytes.offsets.bytes.size()};
  const auto extents = codec::page_extents(codec, facts, first, out.place, out.place);
  out.hash = page_hash(piece(chunk.bytes.validity, extents.validity),
                       piece(chunk.bytes.offsets, extents.offsets),
                       piece(chunk.bytes.values, extents.values));
  return out;
}

// The leaves that begin within a page.
void leaves_hand_over(const Array& chunk, std::uint64_t first, std::uint64_t end,
                      const ChunkLeafSink& leaf) {
  for (std::uint64_t row = align_up(first, kLeafRows); row < end; row += kLeafRows) {
    const std::uint64_t rows = std::min<std::uint64_t>(kLeafRows, chunk.length - row);
    leaf(row / kLeafRows, model::array_slice(chunk, row, rows));
  }
}

}  // namespace

EncodedChunkEntry chunk_encode(const Array& rows, const codec::Codec& codec,
                               std::uint32_t page_rows) {
  EncodedChunkEntry out;
  out.bytes = codec::chunk_parts(codec, rows, page_rows);
  out.entry.codec = codec.key();
  return out;
}

void chunk_seal(EncodedChunkEntry& chunk, const Array& rows, const codec::Codec& codec,
                std::uint32_t page_rows, const ChunkLeafSink& leaf) {
  for (std::uint64_t first = 0; first < rows.length; first += page_rows) {
    const Array page =
        model::array_slice(rows, first, std::min<std::uint64_t>(page_rows, rows.length - first));
    if (leaf) leaves_hand_over(rows, first, first + page.length, leaf);
    chunk.pages.push_back(page_seal(chunk, page, codec, first, page_rows));
    if (first == 0)
      chunk.entry.zone = chunk.pages.front().zone;
    else
      zone_merge(chunk.entry.zone, chunk.pages.back().zone, rows.type);
  }
}

}  // namespace otolith::segment
