// A codec: one way to turn the values of a column chunk into bytes and back.
//
// Role:    the encode of a write and the decode of a scan; segment/ lays the bytes out and seals
//          them.
// Shapes:  a chunk is <= kRowGroupRowsMax rows of one column, cut into pages of whole blocks of
//          kBlockRows (the last may be short). Its bytes are up to three parts: validity bitmap
//          (only where there are nulls), offsets (of plain text; of other codecs what all pages
//          share), values.
// Errors:  flaw() says what is wrong with a page instead of throwing: the reader knows file and
//          offset.
// Threads: immutable.
// Why:     nulls are the same bitmap whatever the codec, so that codecs see values only. Mappable
//          codecs keep the other parts plain too, so that a mapping serves them without a copy;
//          all others put whole pages one behind the other into the values part.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/criterion.h"
#include "otolith/batch.h"

namespace otolith::codec {

/// Numbers are part of the segment format; never renumbered, never reused.
enum class CodecId : std::uint16_t {
  raw = 1,
  constant = 2,
  linear = 3,
  frame = 4,
  delta = 5,
  alp = 6,
  dictionary = 7,
  lattice = 8,
  alp_rd = 9,
  bitmap = 10,
  decimal = 11,
  rle = 12,
  bodies = 13,
  planes = 20,
  text = 21,
  lz4 = 22,
  zstd = 23,
  dictionary_small = 24,
};

/// What a chunk says it needs.
struct CodecKey {
  CodecId id{};
  std::uint16_t version = 0;
  bool operator==(const CodecKey&) const = default;
};

/// Where the values of one page lie in the values part of its chunk.
struct PagePlace {
  std::uint64_t values_at = 0;
  std::uint64_t values_bytes = 0;
};

/// A chunk on its way to the file. Parts may be the input's own memory.
struct EncodedChunk {
  Buffer validity;
  Buffer offsets;
  Buffer values;
  std::vector<PagePlace> pages;
};

/// What a codec made of the bytes that all pages of a chunk share.
class Prepared {
 public:
  virtual ~Prepared() = default;
  /// Bytes that it takes, as far as they are worth counting.
  virtual std::uint64_t memory() const noexcept { return 0; }
};

/// Bytes of a page, or of neighbouring pages of a mappable codec, as they stand in the file.
struct Parts {
  Buffer validity;
  Buffer offsets;
  Buffer values;
  std::uint64_t values_at = 0;  // of the first byte of `values` in the values part of the chunk
  std::shared_ptr<const Prepared> prepared = nullptr;  // Codec::prepare of `offsets`, if asked
};

/// What the segment says of those rows.
struct PageFacts {
  Type type;
  std::uint64_t rows = 0;
  std::uint64_t null_count = 0;
  bool chunk_has_nulls = false;    // then every page of the chunk has its piece of the bitmap
  std::uint64_t shared_bytes = 0;  // of the offsets part, all of which belongs to every page of a
                                   // codec that is not mappable
};

/// A part of a page, for who says where in the file a flaw is.
enum class PagePart : std::uint8_t { validity, offsets, values };

/// One page to decode.
struct Page {
  Parts parts;
  PageFacts facts;
};

/// Where a page is decoded to: room for rows * width bytes, or for decoded_bytes() of text and an
/// offset behind each row's text, the first of which counts from `text_at`.
struct Room {
  std::byte* values = nullptr;
  std::byte* offsets = nullptr;  // text only: int64 each
  std::uint64_t text_at = 0;
};

/// Where decoded values of fixed width are wanted: room for all rows, and who keeps it.
struct Target {
  std::shared_ptr<const void> owner;
  std::byte* values = nullptr;  // nullptr: anywhere
};

/// What came of asking a page for one of its texts.
enum class Picked : std::uint8_t { told, not_told, flawed };

/// Some rows of a page, ascending; numbers count from the same row as `first`, the page's own.
struct WantedRows {
  std::span<const std::uint32_t> numbers;
  std::uint64_t first = 0;
};

class Codec {
 public:
  virtual ~Codec() = default;
  virtual CodecKey key() const noexcept = 0;
  virtual std::string_view name() const noexcept = 0;
  /// True if its parts are plain values in Arrow layout, whatever the number of pages.
  virtual bool mappable() const noexcept { return false; }
  /// True if it gives speed away for size: only the profile `small` takes it.
  virtual bool dense() const noexcept { return false; }
  virtual bool fits(Type type) const noexcept = 0;
  /// True if the texts of a page may be no longer than kPageTextBytesMax together. Whether they are
  /// is not asked by analyze: it does not know how many rows a page will have.
  virtual bool limits_text() const noexcept { return false; }

  /// Bytes that the values of the chunk would take, judged from a sample of it where encoding all
  /// would cost too much; nullopt where the codec cannot hold them.
  virtual std::optional<std::uint64_t> analyze(const Array& chunk) const = 0;
  /// Offsets and values of a chunk, cut into pages of page_rows. Slots of nulls may become
  /// anything.
  virtual EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const = 0;
  /// What pages of a chunk need of the bytes that they share, made once for all of them; of any
  /// bytes. nullptr where there is nothing to make.
  virtual std::shared_ptr<const Prepared> prepare(BytesView shared) const;
  /// Whether pick tells one text without the others. What is prepared for that is small and keeps
  /// nothing of the bytes, so that it can be kept with the segment.
  virtual bool tells_one() const noexcept { return false; }
  /// What is wrong with offsets and values of one page, empty if they are sound. decode and view
  /// rely on it: the reader asks once per page and process, also where the checksum fits, because
  /// writers can be hostile.
  virtual std::string_view flaw(const Parts& page, const PageFacts& facts) const = 0;
  /// Of a page that has one: which part the first is in.
  virtual PagePart flaw_part(const Parts& page, const PageFacts& facts) const;

  /// Mappable codecs: the rows as views of the parts. No nulls are set.
  virtual Array view(const Parts& parts, const PageFacts& facts) const;
  /// The others: bytes of the values of a page that has no flaw ...
  virtual std::uint64_t decoded_bytes(const Parts& page, const PageFacts& facts) const;
  /// ... and the values.
  virtual void decode(const Parts& page, const PageFacts& facts, const Room& to) const;

  /// The rows of a page without flaw that pass a test, a range or a set of the page's type, told
  /// from what is stored: bits as of model::criterion_rows, those of nulls anything. False where
  /// only the values can tell.
  virtual bool select(const Parts& page, const PageFacts& facts, const model::Criterion& test,
                      std::uint64_t* bits) const;
  /// The values of some rows of a page without flaw, one behind the other; of fixed width. False
  /// where that takes as long as decoding the page.
  virtual bool gather(const Parts& page, const PageFacts& facts, const WantedRows& rows,
                      std::byte* out) const;
  /// Where pick looks first in the values of a page: memory is slow, and can be told before.
  virtual std::uint64_t pick_at(std::uint64_t row) const noexcept;
  /// As page_pick, of a page without nulls.
  virtual Picked pick(const Parts& page, const PageFacts& facts, std::uint64_t row,
                      std::string& out) const;
};

/// One text of a page, which need not be free of flaws but has its checksum: row `row` of its own.
/// not_told where others would have to be decoded for it. Nothing is believed of the page.
Picked page_pick(const Codec& codec, const Page& page, std::uint64_t row, std::string& out);

/// The same of any test, and with nulls: they never pass.
bool page_select(const Codec& codec, const Page& page, const model::Criterion& test,
                 std::uint64_t* bits);

/// The chunk as a codec encodes it, with its bitmap of nulls.
EncodedChunk chunk_parts(const Codec& codec, const Array& chunk, std::uint32_t page_rows);

/// What is wrong with a page, its bitmap included; empty if it is sound.
std::string_view page_flaw(const Codec& codec, const Page& page);

/// Which part of a page that has a flaw it is in.
PagePart page_flaw_part(const Codec& codec, const Page& page);

/// Neighbouring pages without flaw as one Array: zeros where there are nulls. Text has no target.
Array pages_decode(const Codec& codec, std::span<const Page> pages, const Target& target = {});

/// The same with nulls, which become zeros.
bool page_gather(const Codec& codec, const Page& page, const WantedRows& rows, std::byte* out);

/// Neighbouring pages of a mappable codec, read as one, as views that keep their owners.
Array pages_view(const Codec& codec, const Page& pages);

/// A range of bytes within a part.
struct Extent {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
};
struct PageExtents {
  Extent validity;
  Extent offsets;
  Extent values;
};

/// Where the pages that hold rows first..first+facts.rows-1 of a chunk lie in its parts: from the
/// page at `place` to the page at `last` (one and the same for codecs that are not mappable).
PageExtents page_extents(const Codec& codec, const PageFacts& facts, std::uint64_t first,
                         const PagePlace& place, const PagePlace& last);

}  // namespace otolith::codec
