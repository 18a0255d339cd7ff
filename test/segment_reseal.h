// Makes the checksums of a damaged segment right again, so that what stands behind them is tested.
//
// Role:    the fuzz harness and the test of hostile segments: a writer can be hostile, not only a
//          disk.
// Shapes:  any bytes; what is too broken to be walked is left as it is.
// Errors:  none.
// Threads: thread-safe.
// Why:     without it nearly every mutation ends at the first checksum and nothing else is tried.
#pragma once

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "codec/registry.h"
#include "model/array.h"
#include "segment/layout.h"

namespace otolith::test {

// Parses the segment's pages through the reader's own parsers and puts their hashes right.
inline void reseal_pages(std::span<std::byte> file, const segment::Footer& footer,
                         std::size_t column, std::uint64_t data_end) {
  using namespace segment;
  const ColumnEntry& entry = footer.columns[column];
  const BytesView index = file.subspan(entry.index_offset, entry.index_bytes);
  const ColumnIndex parsed = index_parse(index, "file", footer, column, data_end);
  std::byte* hashes =
      &file[entry.index_offset + kIndexHeadBytes + parsed.chunks.size() * kChunkEntryBytes];
  for (std::size_t group = 0; group < parsed.chunks.size(); ++group) {
    const ChunkEntry& chunk = parsed.chunks[group];
    const codec::Codec& codec = codec::codec_for(chunk.codec, "file", 0);
    for (std::uint64_t first = 0, page = chunk.page_first; first < footer.row_groups[group].rows;
         first += footer.page_rows, ++page) {
      const std::uint64_t rows =
          std::min<std::uint64_t>(footer.page_rows, footer.row_groups[group].rows - first);
      const codec::PageFacts facts{entry.type, rows, 0, chunk.zone.null_count != 0,
                                   chunk.offsets.bytes};
      const auto at = codec::page_extents(codec, facts, first, parsed.pages[page].place,
                                          parsed.pages[page].place);
      const auto piece = [&](const Part& part, codec::Extent extent) {
        return BytesView(file.subspan(part.offset + extent.at, extent.bytes));
      };
      store_le(hashes + page * kPageEntryBytes,
               page_hash(piece(chunk.validity, at.validity), piece(chunk.offsets, at.offsets),
                         piece(chunk.values, at.values)));
    }
  }
}

inline void reseal_columns(std::span<std::byte> file, std::uint64_t base,
                           std::uint64_t footer_bytes) {
  using namespace segment;
  const BytesView bytes = file.subspan(base, footer_bytes);
  const std::uint64_t keys = load_le<std::uint32_t>(&bytes[40]);
  const std::uint64_t columns = load_le<std::uint32_t>(&bytes[20]);
  const std::uint64_t first = kFooterHeadBytes + align_up(keys * 4, 8);
  for (std::uint64_t i = 0; i < columns && first + (i + 1) * kColumnEntryBytes <= footer_bytes;
       ++i) {
    std::byte* entry = &file[base + first + i * kColumnEntryBytes];
    const auto offset = load_le<std::uint64_t>(entry + 16);
    const auto length = load_le<std::uint64_t>(entry + 24);
    if (offset > base || length > base - offset) continue;
    try {
      reseal_pages(file, footer_parse(bytes, "file", base), i, offset);
    } catch (const Error&) {  // too broken to walk
    }
    store_le(entry + 32, xxh3(file.subspan(offset, length)));
  }
}

inline void reseal(std::span<std::byte> file) {
  using namespace segment;
  if (file.size() < kHeaderBytes + kFooterHeadBytes + kTrailerBytes) return;
  std::ranges::copy(std::as_bytes(std::span(kHeaderMagic)), file.begin());
  store_le(&file[kHeaderBytes - 8], xxh3(file.first(kHeaderBytes - 8)));
  std::byte* trailer = &file[file.size() - kTrailerBytes];
  const std::uint64_t behind = file.size() - kTrailerBytes;
  const auto footer_bytes = load_le<std::uint64_t>(trailer);
  store_le<std::uint64_t>(trailer + 16, file.size());
  std::ranges::copy(std::as_bytes(std::span(kTrailerMagic)), trailer + 24);
  if (footer_bytes < kFooterHeadBytes || footer_bytes > behind - kHeaderBytes) return;
  const std::uint64_t base = behind - footer_bytes;
  store_le(&file[base], xxh3(file.first(kHeaderBytes)));
  reseal_columns(file, base, footer_bytes);
  store_le(trailer + 8, xxh3(file.subspan(base, footer_bytes)));
}

// Makes zone maps, and the footer's times, those of the rows; then checksums again. No nulls.
inline void reseal_zones(Bytes& file) {
  using namespace segment;
  const std::uint64_t behind = file.size() - kTrailerBytes;
  const std::uint64_t base = behind - load_le<std::uint64_t>(&file[behind]);
  const std::span<std::byte> all(file);
  Footer footer = footer_parse(BytesView(all.subspan(base, behind - base)), "file", base);
  for (const ColumnEntry& column : footer.columns) {
    const BytesView bytes = all.subspan(column.index_offset, column.index_bytes);
    const auto at = static_cast<std::size_t>(&column - footer.columns.data());
    ColumnIndex index = index_parse(bytes, "file", footer, at, base);
    for (std::size_t group = 0; group < index.chunks.size(); ++group) {
      ChunkEntry& chunk = index.chunks[group];
      const auto part = [&](const Part& of) {
        return Buffer{{}, all.subspan(of.offset, of.bytes)};
      };
      Array rows{.type = column.type, .length = footer.row_groups[group].rows};
      rows.offsets = part(chunk.offsets);
      rows.values = part(chunk.values);
      for (std::uint64_t first = 0; first < rows.length; first += footer.page_rows) {
        const auto count = std::min<std::uint64_t>(footer.page_rows, rows.length - first);
        const Zone zone = zone_of(model::array_slice(rows, first, count));
        index.pages[chunk.page_first + first / footer.page_rows].zone = zone;
        if (first == 0)
          chunk.zone = zone;
        else
          zone_merge(chunk.zone, zone, column.type);
      }
      if (column.id != footer.time) continue;
      footer.row_groups[group].time_min = chunk.zone.min_as<std::int64_t>();
      footer.row_groups[group].time_max = chunk.zone.max_as<std::int64_t>();
    }
    std::ranges::copy(index_write(index),
                      all.begin() + static_cast<std::ptrdiff_t>(column.index_offset));
  }
  footer.time_min = std::ranges::min(footer.row_groups, {}, &RowGroup::time_min).time_min;
  footer.time_max = std::ranges::max(footer.row_groups, {}, &RowGroup::time_max).time_max;
  std::ranges::copy(footer_write(footer), all.begin() + static_cast<std::ptrdiff_t>(base));
  reseal(all);
}

}  // namespace otolith::test
