// One column chunk on its way to the file: encoded, hashed, summed up.
//
// Role:    encode of the flow, for one row group and column; runs on any thread.
// Shapes:  <= kRowGroupRowsMax rows; pages of page_rows, leaves of kLeafRows.
// Errors:  those of the codec and of the leaf sink.
// Threads: thread-safe.
// Why:     one pass in pieces that fit the cache: leaf, zone map and page hash of the same rows.
#pragma once

#include <functional>
#include <vector>

#include "base/limits.h"
#include "codec/codec.h"
#include "segment/layout.h"

namespace otolith::segment {

/// Who asks for one document reads a page of bodies, which are larger than numbers: one block.
inline constexpr std::uint32_t kDocumentPageRows = kBlockRows;

/// Rows of a page in segments of a dataset.
inline std::uint32_t page_rows_of(const Schema& schema) noexcept {
  return schema.kind == DatasetKind::collection ? kDocumentPageRows : kPageRowsMax;
}

struct EncodedChunkEntry {
  codec::EncodedChunk bytes;
  ChunkEntry entry;  // without the places of its parts
  std::vector<PageEntry> pages;
};

/// Gets each leaf of the chunk: its number in the row group, its rows.
using ChunkLeafSink = std::function<void(std::uint64_t block, const Array& rows)>;

/// The parts of a chunk, so that the caller can find a place for them.
EncodedChunkEntry chunk_encode(const Array& rows, const codec::Codec& codec,
                               std::uint32_t page_rows);

/// Fills pages and zone maps in, and hands the leaves over.
void chunk_seal(EncodedChunkEntry& chunk, const Array& rows, const codec::Codec& codec,
                std::uint32_t page_rows, const ChunkLeafSink& leaf);

}  // namespace otolith::segment
