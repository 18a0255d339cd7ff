// The column index: chunks and pages of one column (layout.h).
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "codec/registry.h"
#include "model/array.h"
#include "segment/layout.h"

namespace otolith::segment {

namespace {

void put_part(ByteWriter& out, const Part& part) {
  out.put(part.offset);
  out.put(part.bytes);
}

Part get_part(ByteReader& in, std::uint64_t data_end) {
  Part out;
  out.offset = in.get<std::uint64_t>();
  out.bytes = in.get<std::uint64_t>();
  if (out.bytes == 0 ? out.offset != 0
                     : out.offset < kHeaderBytes || out.offset > data_end ||
                           out.bytes > data_end - out.offset) {
    in.fail("a chunk lies outside the data");
  }
  return out;
}

void put_chunk(ByteWriter& out, const ChunkEntry& chunk) {
  out.put(chunk.codec.id);
  out.put(chunk.codec.version);
  out.put(chunk.page_first);
  put_part(out, chunk.validity);
  put_part(out, chunk.offsets);
  put_part(out, chunk.values);
  zone_write(out, chunk.zone);
}

ChunkEntry get_chunk(ByteReader& in, Type type, std::uint64_t data_end) {
  ChunkEntry out;
  out.codec.id = in.get<codec::CodecId>();
  out.codec.version = in.get<std::uint16_t>();
  out.page_first = in.get<std::uint32_t>();
  out.validity = get_part(in, data_end);
  out.offsets = get_part(in, data_end);
  out.values = get_part(in, data_end);
  out.zone = zone_parse(in, type);
  return out;
}

void put_page(ByteWriter& out, const PageEntry& page) {
  out.put(page.hash);
  out.put(page.place.values_at);
  out.put(page.place.values_bytes);
  zone_write(out, page.zone);
}

PageEntry get_page(ByteReader& in, Type type) {
  PageEntry out;
  out.hash = in.get<std::uint64_t>();
  out.place.values_at = in.get<std::uint64_t>();
  out.place.values_bytes = in.get<std::uint64_t>();
  out.zone = zone_parse(in, type);
  return out;
}

std::uint64_t pages_of(const RowGroup& group, const Footer& footer) {
  return (group.rows + std::uint64_t{footer.page_rows} - 1) / footer.page_rows;
}

// Sizes and alignment of plain parts follow from the rows, so that no view ever leaves them.
void check_parts(ByteReader& in, const ChunkEntry& chunk, bool mappable, Type type,
                 std::uint64_t rows) {
  const std::uint64_t bitmap = chunk.zone.null_count != 0 ? model::bitmap_bytes(rows) : 0;
  const std::uint64_t offsets = model::is_text(type) ? (rows + 1) * sizeof(std::int64_t) : 0;
  if (chunk.validity.bytes != bitmap || (mappable && chunk.offsets.bytes != offsets) ||
      chunk.offsets.offset % 8 != 0) {
    in.fail("a chunk's bitmap or offsets do not fit its rows");
  }
  if (model::is_text(type) || !mappable) return;
  const std::uint64_t width = type_width(type);
  if (chunk.values.bytes != rows * width ||
      chunk.values.offset % std::min<std::uint64_t>(width, 8) != 0) {
    in.fail("a chunk's values do not fit its rows");
  }
}

// The pages of a chunk tile its values part; their nulls add up.
void check_pages(ByteReader& in, const ColumnIndex& index, const ChunkEntry& chunk,
                 const RowGroup& group, const Footer& footer) {
  std::uint64_t at = 0;
  std::uint64_t nulls = 0;
  const std::uint64_t pages = pages_of(group, footer);
  for (std::uint64_t page = 0; page < pages; ++page) {
    const PageEntry& entry = index.pages[chunk.page_first + page];
    const std::uint64_t rows =
        std::min<std::uint64_t>(footer.page_rows, group.rows - page * footer.page_rows);
    if (entry.place.values_at != at || entry.place.values_bytes > chunk.values.bytes - at) {
      in.fail("pages do not lie side by side");
    }
    if (entry.zone.null_count > rows) in.fail("a page has more nulls than rows");
    at += entry.place.values_bytes;
    nulls += entry.zone.null_count;
  }
  if (at != chunk.values.bytes) in.fail("pages do not fill their chunk");
  if (nulls != chunk.zone.null_count) in.fail("nulls of pages do not add up");
}

void get_entries(ByteReader& in, const Footer& footer, Type type, std::uint64_t data_end,
                 ColumnIndex& out) {
  const auto chunks = in.get<std::uint32_t>();
  const auto pages = in.get<std::uint32_t>();
  const std::uint64_t bytes =
      std::uint64_t{chunks} * kChunkEntryBytes + std::uint64_t{pages} * kPageEntryBytes;
  if (chunks != footer.row_groups.size() || bytes != in.left()) in.fail("wrong number of chunks");
  out.chunks.reserve(chunks);
  std::uint64_t page_first = 0;
  for (std::uint32_t i = 0; i < chunks; ++i) {
    out.chunks.push_back(get_chunk(in, type, data_end));
    if (out.chunks.back().page_first != page_first) in.fail("pages are out of order");
    page_first += pages_of(footer.row_groups[i], footer);
  }
  if (page_first != pages) in.fail("wrong number of pages");
  out.pages.reserve(pages);
  for (std::uint32_t i = 0; i < pages; ++i) out.pages.push_back(get_page(in, type));
}

}  // namespace

Bytes index_write(const ColumnIndex& index) {
  ByteWriter out;
  out.put(static_cast<std::uint32_t>(index.chunks.size()));
  out.put(static_cast<std::uint32_t>(index.pages.size()));
  for (const ChunkEntry& chunk : index.chunks) put_chunk(out, chunk);
  for (const PageEntry& page : index.pages) put_page(out, page);
  return out.take();
}

ColumnIndex index_parse(BytesView bytes, const std::string& file, const Footer& footer,
                        std::size_t column, std::uint64_t data_end) {
  const ColumnEntry& entry = footer.columns[column];
  ByteReader in(bytes, "column index");
  ColumnIndex out;
  try {
    get_entries(in, footer, entry.type, data_end, out);
    std::uint64_t nulls = 0;
    for (std::size_t i = 0; i < out.chunks.size(); ++i) {
      const ChunkEntry& chunk = out.chunks[i];
      const auto named = footer.user_codecs.find(chunk.codec.id);
      const bool of_user = chunk.codec.id >= codec::CodecId{kUserCodecFirst};
      if (of_user && named == footer.user_codecs.end()) in.fail("a chunk's codec has no name");
      const codec::Codec& codec = codec::codec_for(
          chunk.codec, file, entry.index_offset + kIndexHeadBytes + i * kChunkEntryBytes,
          of_user ? std::string_view(named->second) : std::string_view());
      // Decoders rely on it: what they write is as wide as the type.
      if (!codec.fits(entry.type) && !mutant("chunk-type-unchecked"))
        in.fail("a chunk's codec does not take the type of its column");
      check_parts(in, chunk, codec.mappable(), entry.type, footer.row_groups[i].rows);
      check_pages(in, out, chunk, footer.row_groups[i], footer);
      nulls += chunk.zone.null_count;
    }
    if (nulls != entry.null_count) in.fail("nulls of chunks do not add up");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    throw_corrupt(
        file, entry.index_offset,
        fmt::format("the index of {} is damaged: {}", column_words(entry.id), error.message()));
  }
  return out;
}

std::string column_words(ColumnId id) {
  if (id == kBeginColumn) return "the rows' begins";
  if (id == kOrdinalColumn) return "the rows' ordinals";
  if (is_shredded(id)) {
    return fmt::format("shredded column {}", value_of(id) - value_of(kShreddedColumnFirst));
  }
  return fmt::format("column {}", value_of(id));
}

std::uint64_t page_hash(BytesView validity, BytesView offsets, BytesView values) noexcept {
  std::uint64_t hash = 0;
  if (!validity.empty()) hash = xxh3(validity, hash);
  if (!offsets.empty()) hash = xxh3(offsets, hash);
  return xxh3(values, hash);
}

}  // namespace otolith::segment
