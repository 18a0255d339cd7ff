// The bytes of a segment, format version 1 (docs/format/segment.md tells the same with an example).
//
//   +--------+-------------------+--------------+---+----------------+--------+---------+
//   | header | data: runs, one   | column index | … | column index   | footer | trailer |
//   | 160 B  | by one (below)    | of column 0  |   | of column n-1  |        |  32 B   |
//   +--------+-------------------+--------------+---+----------------+--------+---------+
//
//   run: | values of column 0, all row groups side by side | of column 1 | … | other parts |
//
// Fixed-width values of raw chunks of a run lie side by side, from a 64-byte boundary on; other
// parts (bitmaps of nulls, offsets and bytes of text, pages of other codecs) follow as they come,
// 8-byte aligned. Whatever lies between two parts is zero.
//
// Role:    the one place that knows offsets within the file; writer and reader go through it.
// Shapes:  all little-endian, fixed width; offsets are bytes from the start of the file.
// Errors:  parsers throw corrupt or unsupported_format with file and offset.
// Threads: thread-compatible.
// Why:     trailer -> footer -> column index -> page: each holds the XXH3 of the next, so the log,
//          which keeps the footer's, vouches for every byte. A column's index is read when the
//          column is, so that opening costs neither columns nor pages.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "codec/codec.h"
#include "otolith/schema.h"
#include "segment/zone.h"

namespace otolith::segment {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::uint64_t kFeatureShredded = 1;  // the footer names shredded paths
inline constexpr std::uint64_t kRequiredFeatures = kFeatureShredded;  // bits this build knows
inline constexpr std::array<unsigned char, 8> kHeaderMagic{0x89, 'O', 'T', 'O',
                                                           'S',  'E', 'G', '\n'};
inline constexpr std::array<unsigned char, 8> kTrailerMagic{'\n', 'G', 'E', 'S',
                                                            'O',  'T', 'O', 0x89};

inline constexpr std::size_t kHeaderBytes = 160;
inline constexpr std::size_t kTrailerBytes = 32;
inline constexpr std::size_t kFooterHeadBytes = 64;
inline constexpr std::size_t kColumnEntryBytes = 40;
inline constexpr std::size_t kRowGroupEntryBytes = 40;
inline constexpr std::size_t kIndexHeadBytes = 8;
inline constexpr std::size_t kChunkEntryBytes = 112;
inline constexpr std::size_t kPageEntryBytes = 80;
inline constexpr std::uint64_t kValuesAlignment = 64;
inline constexpr std::uint64_t kPartAlignment = 8;

/// Columns that sealed and compacted segments bring along: the row id.
inline constexpr ColumnId kBeginColumn{0xffff'ff01};
inline constexpr ColumnId kOrdinalColumn{0xffff'ff02};

/// Columns of shredded paths of documents have ids from here on, up to those of row ids: the first
/// path has this one, the next one more.
inline constexpr ColumnId kShreddedColumnFirst{0x8000'0000};
inline constexpr std::size_t kShreddedColumnsMax = 256;
inline constexpr std::size_t kShreddedPathBytesMax = 4096;

constexpr bool is_shredded(ColumnId id) noexcept {
  return id >= kShreddedColumnFirst && id < ColumnId{0xffff'ff00};
}

/// header: magic 8 | version u16 | header bytes u16 | zero u32 | required u64 | optional u64 |
/// segment 16 | recorder 16 | database 16 | dataset created u64 | dataset index u32 | zero u32 |
/// key id 16 | nonce 24 | zero 16 | XXH3 of all before u64
struct Header {
  std::uint64_t required_features = 0;
  std::uint64_t optional_features = 0;
  Id128 segment;
  Id128 recorder;
  Id128 database;
  DatasetId dataset;  // created 0: by the commit that names this segment
};

/// A column as stored: its place in the footer is its number in the reader's calls.
/// id u32 | kind u8 | precision u8 | scale u8 | zero u8 | nulls u64 | index offset u64 | bytes u64
/// |
/// XXH3 of the index u64
struct ColumnEntry {
  ColumnId id{};
  Type type;
  std::uint64_t null_count = 0;
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t index_hash = 0;
};

/// run u32 | rows u32 | partition i64 | first ordinal u64 | time min i64 | time max i64
struct RowGroup {
  std::uint32_t run = 0;
  std::uint32_t rows = 0;
  std::int64_t partition = 0;       // model/partition.h
  std::uint64_t first_ordinal = 0;  // 0 where begin and ordinal are columns
  std::int64_t time_min = 0;
  std::int64_t time_max = 0;
  std::uint64_t first_row = 0;  // in the segment; not stored
};

/// What a shredded column is of: the values at a path of the rows' documents, where it can hold
/// them, and nulls.
struct ShreddedPath {
  ColumnId column{};
  bool strays = false;  // at some rows it is null, and the document has a value there
  std::string path{};   // as document::path_with writes it
};
inline constexpr std::uint32_t kFlagStrays = 1;

/// header hash u64 | rows u64 | row groups u32 | columns u32 | runs u32 | page rows u32 | flags u32
/// | time column u32 | keys u32 | users' codecs u32 | time min i64 | time max i64, then the keys'
/// column ids u32 each, zero to a multiple of 8, columns, row groups, users' codecs (id u16 | bytes
/// of its name u16 | zero u32 | name, zero to a multiple of 8), and with flag 4 shredded paths:
/// their number u32 | zero u32, of each its column u32 | flags u32 | bytes of its text u32 | zero
/// u32 | text, zero to a multiple of 8
struct Footer {
  std::uint64_t header_hash = 0;
  std::uint64_t rows = 0;
  std::uint32_t runs = 0;
  std::uint32_t page_rows = 0;
  bool unique = false;  // no two rows share keys and time
  bool many = false;    // rows of many commits: begin and ordinal are columns
  ColumnId time{};
  std::vector<ColumnId> keys;
  std::int64_t time_min = 0;
  std::int64_t time_max = 0;
  std::vector<ColumnEntry> columns;
  std::vector<RowGroup> row_groups;
  std::map<codec::CodecId, std::string> user_codecs;  // names of those that chunks need
  std::vector<ShreddedPath> shredded;                 // in the order of their columns' ids
};
inline constexpr std::uint32_t kFlagUnique = 1;
inline constexpr std::uint32_t kFlagMany = 2;
inline constexpr std::uint32_t kFlagShredded = 4;

/// Where a part of a chunk lies in the file; 0, 0 if the chunk does not have it.
struct Part {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// codec u16 | codec version u16 | first page u32 | validity, offsets, values: offset u64, bytes
/// u64 each | zone 56
struct ChunkEntry {
  codec::CodecKey codec;
  std::uint32_t page_first = 0;  // in the index's pages
  Part validity;
  Part offsets;
  Part values;
  Zone zone;
};

/// XXH3 u64 | place in the values part: offset u64, bytes u64 | zone 56. The hash covers the page's
/// pieces of validity, offsets and values in this order, each seeding the next.
struct PageEntry {
  std::uint64_t hash = 0;
  codec::PagePlace place;
  Zone zone;
};

/// chunks u32 | pages u32, then one chunk entry per row group, then the pages of all chunks.
struct ColumnIndex {
  std::vector<ChunkEntry> chunks;
  std::vector<PageEntry> pages;
};

/// footer bytes u64 | XXH3 of the footer u64 | bytes of the file u64 | magic 8
struct Trailer {
  std::uint64_t footer_bytes = 0;
  std::uint64_t footer_hash = 0;
  std::uint64_t file_bytes = 0;
};

/// `base` of the parsers: offset of the bytes in the file, for messages.
Bytes header_write(const Header& header);
Header header_parse(BytesView bytes, const std::string& file);
Bytes footer_write(const Footer& footer);
Footer footer_parse(BytesView bytes, const std::string& file, std::uint64_t base);
Bytes index_write(const ColumnIndex& index);
/// Checks entries against the footer: pages of each chunk, bounds within [header, data_end).
ColumnIndex index_parse(BytesView bytes, const std::string& file, const Footer& footer,
                        std::size_t column, std::uint64_t data_end);
Bytes trailer_write(const Trailer& trailer);
Trailer trailer_parse(BytesView bytes, const std::string& file, std::uint64_t file_bytes);

/// A column in a message; the two of row ids have numbers that no schema has.
std::string column_words(ColumnId id);

/// The hash of a page from its pieces.
std::uint64_t page_hash(BytesView validity, BytesView offsets, BytesView values) noexcept;

}  // namespace otolith::segment
