// A codec: one way to turn the values of a column chunk into bytes and back.
//
// Role:    the encode of a write and the decode of a scan; segment/ lays the bytes out and seals
//          them.
// Shapes:  a chunk is <= kRowGroupRowsMax rows of one column, cut into pages of whole blocks of
//          kBlockRows (the last may be short). Its bytes are up to three parts: validity bitmap
//          (only where there are nulls), offsets (text only), values.
// Errors:  flaw() says what is wrong with a page instead of throwing: the reader knows file and
//          offset.
// Threads: immutable.
// Why:     mappable codecs keep every part plain across the pages of a chunk, so that a mapping
//          serves it without a copy; all others put whole pages one behind the other into the
//          values part.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "otolith/batch.h"

namespace otolith::codec {

/// Numbers are part of the segment format; never renumbered, never reused.
enum class CodecId : std::uint16_t { raw = 1 };

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

/// Bytes of a page, or of neighbouring pages of a mappable codec, as they stand in the file.
struct Parts {
  Buffer validity;
  Buffer offsets;
  Buffer values;
  std::uint64_t values_at = 0;  // of the first byte of `values` in the values part of the chunk
};

/// What the segment says of those rows.
struct PageFacts {
  Type type;
  std::uint64_t rows = 0;
  std::uint64_t null_count = 0;
  bool chunk_has_nulls = false;  // then every page of the chunk has its piece of the bitmap
};

class Codec {
 public:
  virtual ~Codec() = default;
  virtual CodecKey key() const noexcept = 0;
  virtual std::string_view name() const noexcept = 0;
  /// True if its parts are plain values in Arrow layout, whatever the number of pages.
  virtual bool mappable() const noexcept = 0;
  virtual bool fits(Type type) const noexcept = 0;

  /// Bytes that a chunk of such values would take, judged from a sample, scaled to the sample.
  virtual std::uint64_t analyze(const Array& sample) const = 0;
  /// The parts of a chunk, cut into pages of page_rows.
  virtual EncodedChunk encode(const Array& chunk, std::uint32_t page_rows) const = 0;
  /// What is wrong with the bytes of one page, empty if they are sound. decode relies on it: the
  /// reader asks once per page and process, also where the checksum fits, because writers can be
  /// hostile.
  virtual std::string_view flaw(const Parts& page, const PageFacts& facts) const = 0;
  /// The rows. Views the parts and keeps their owners where the codec is mappable.
  virtual Array decode(const Parts& parts, const PageFacts& facts) const = 0;
};

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
