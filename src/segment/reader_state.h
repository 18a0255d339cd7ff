// What a SegmentReader keeps, for the files that make it.
//
// Role:    reader.cc opens and reads, reader_verify.cc reads everything again and checks it.
// Shapes:  pages by their place in a chunk, chunks by row group and column.
// Errors:  those of reader.h.
// Threads: thread-safe, after open(): a column loads once, pages are marked by atomics.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "segment/order.h"
#include "segment/reader.h"
#include "segment/source.h"

namespace otolith::segment {

// Room in what all readers of the process together keep of what codecs prepared.
class KeptRoom {
 public:
  KeptRoom() = default;
  KeptRoom(const KeptRoom&) = delete;
  KeptRoom& operator=(const KeptRoom&) = delete;
  ~KeptRoom() { taken_in_all().fetch_sub(bytes_, std::memory_order_relaxed); }
  /// Once; false where there is not so much room left.
  bool take(std::uint64_t bytes) noexcept;
  /// What is taken by all.
  static std::atomic<std::uint64_t>& taken_in_all() noexcept;

 private:
  std::uint64_t bytes_ = 0;
};

// What a codec made of what the pages of a chunk share, once it was asked for; null where there was
// no room to keep it.
struct SharedOnce {
  std::once_flag once;
  std::shared_ptr<const codec::Prepared> prepared;
  KeptRoom room;
};

// A column's index, once it was asked for, and which of its pages were verified.
struct LoadedColumn {
  std::once_flag once;
  ColumnIndex index;
  std::vector<std::atomic<bool>> verified;  // per page
  std::vector<std::atomic<bool>> hashed;    // per page: its checksum alone
  mutable std::vector<SharedOnce> shared;   // per chunk
};

// Some neighbouring pages of a chunk.
struct PageRange {
  std::uint64_t first = 0;  // of the chunk's pages
  std::uint64_t count = 0;
};

// Their bytes, in one piece per part, and what is said of them.
struct PageBytes {
  std::size_t row_group = 0;
  std::size_t column = 0;
  PageRange range;
  const codec::Codec* codec = nullptr;
  codec::PageFacts facts;
  codec::PageExtents extents;
  codec::Parts parts;
};

// What verify reads and decodes the chunks of one column into.
struct ChunkScratch {
  io::Scratch validity;
  io::Scratch offsets;
  io::Scratch values;
  io::Scratch decoded;
};

struct SegmentReader::State {
  Source source;
  const SegmentExpect expect;
  Header header;
  Footer footer;
  Trailer trailer;
  std::uint64_t data_end = 0;  // indexes begin behind it
  std::vector<LoadedColumn> columns;

  State(std::unique_ptr<io::File> file, std::string name, SegmentExpect what, bool map)
      : source(std::move(file), std::move(name), map), expect(std::move(what)) {}

  std::uint64_t trailer_offset() const noexcept { return source.size() - kTrailerBytes; }
  void open();
  const LoadedColumn& column(std::size_t index);
  void load(std::size_t index, LoadedColumn& into) const;
  const ChunkEntry& entry(std::size_t row_group, std::size_t column);
  codec::PageFacts facts(std::size_t row_group, std::size_t column, PageRange pages) const;
  PageBytes read(std::size_t row_group, std::size_t column, PageRange pages,
                 ChunkScratch* scratch = nullptr) const;
  PageBytes borrow(std::size_t row_group, std::size_t column, std::uint64_t page) const;
  PageBytes place(std::size_t row_group, std::size_t column, PageRange pages) const;
  /// `borrowed`: without a share in what is kept with the segment.
  std::shared_ptr<const codec::Prepared> prepared(const PageBytes& bytes,
                                                  bool borrowed = false) const;
  void check_hash(const PageBytes& bytes, std::uint64_t page, const codec::Parts& parts) const;
  std::optional<std::string> picked(std::size_t row_group, std::size_t column, std::uint64_t row);
  codec::Parts check_page(const PageBytes& bytes, std::uint64_t page, bool again) const;
  bool verified(const PageBytes& bytes, std::uint64_t page) const;
  void mark_verified(const PageBytes& bytes, std::uint64_t page);
  bool sound_undecoded(const PageBytes& bytes, std::uint64_t page);
  void judge_page(const PageBytes& bytes, std::uint64_t page, const Array& values);
  void judge(const PageBytes& bytes, const Array& values);
  std::uint64_t flaw_offset(const PageBytes& bytes, std::uint64_t page, codec::PagePart part) const;
  [[noreturn]] void damaged_page(const PageBytes& bytes, std::uint64_t page, std::string_view flaw,
                                 codec::PagePart part) const;
  Array pages(std::size_t row_group, std::size_t column, PageRange pages,
              const codec::Target& target = {});
  std::uint64_t page_count(std::size_t row_group) const noexcept;
  std::vector<std::size_t> order_columns() const;
  std::vector<std::vector<std::size_t>> lanes() const;
  void check_zone(const PageBytes& bytes, const Zone& said, const Zone& found,
                  std::string_view of) const;
  Array verify_page(const PageBytes& bytes, std::uint64_t page, io::Scratch& scratch);
  Ends verify_lane(std::size_t row_group, std::span<const std::size_t> lane, bool ordered,
                   std::vector<ChunkScratch>& scratch);
  void verify_group(std::size_t row_group);
  void verify_order(std::span<const Ends> ends);
  void verify_gaps();
  [[noreturn]] void damaged_group(std::size_t row_group, std::string_view what);
  [[noreturn]] void damaged_footer(std::string_view what) const;
};

}  // namespace otolith::segment
