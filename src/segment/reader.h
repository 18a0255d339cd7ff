// Reads one segment: opened once, shared by all scans.
//
// Role:    scan of the flow: pruning by row group and page, columns as Arrays.
// Shapes:  columns and row groups by their place in shape(); rows counted within a row group, or
//          within the segment where it says so.
// Errors:  corrupt with file and offset for any damage, before a byte of it is handed out;
//          unsupported_format for a version, feature, type or codec that is not known here.
// Threads: thread-safe.
// Why:     footer at open, a column's index at its first use, a page's checksum and values at its
//          first hand-out: each is paid once per process, and only for what is read. Without a map
//          every read is verified, because every read goes to the disk anew.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "io/vfs.h"
#include "model/criterion.h"
#include "otolith/batch.h"
#include "segment/layout.h"

namespace otolith::segment {

/// What the log says of the segment; what is not set is not checked. The last two are held against
/// the rows by verify alone.
struct SegmentExpect {
  std::optional<Id128> segment{};
  std::optional<Id128> database{};
  std::optional<DatasetId> dataset{};
  std::optional<std::uint64_t> bytes{};
  std::optional<std::uint64_t> footer_hash{};
  std::optional<std::uint64_t> rows{};
  std::shared_ptr<const Schema> schema{};                         // its time, keys and partition
  std::optional<std::pair<CommitNumber, CommitNumber>> begins{};  // the first and last of many
};

class SegmentReader : public std::enable_shared_from_this<SegmentReader> {
 public:
  /// `name` stands for the file in messages. `map`: hand out views of a mapping instead of copies.
  static std::shared_ptr<const SegmentReader> open(std::unique_ptr<io::File> file, std::string name,
                                                   const SegmentExpect& expect, bool map);
  ~SegmentReader();

  const std::string& name() const noexcept;
  const Footer& shape() const noexcept;
  const Header& header() const noexcept;
  std::uint64_t bytes() const noexcept;
  /// What is said of a column's chunks and pages.
  const ColumnIndex& index(std::size_t column) const;
  /// The column's place; nullopt if the segment was written without it.
  std::optional<std::size_t> find(ColumnId id) const noexcept;

  /// Bounds and sum of a page, and of a whole chunk.
  const Zone& page_zone(std::size_t row_group, std::size_t column, std::size_t page) const;
  const Zone& chunk_zone(std::size_t row_group, std::size_t column) const;

  /// A whole chunk.
  Array chunk(std::size_t row_group, std::size_t column) const;
  /// Rows first..first+rows-1 of a row group: reads and verifies only the pages they lie in. Whole
  /// pages that have to be decoded are decoded into the target.
  Array rows(std::size_t row_group, std::size_t column, std::uint64_t first, std::uint64_t rows,
             const codec::Target& target = {}) const;
  /// One text of a row group; where its codec can tell it without its neighbours, only the page's
  /// checksum is verified, and the text itself.
  std::string text(std::size_t row_group, std::size_t column, std::uint64_t row) const;
  /// The same; nullopt where the page has to be decoded for it.
  std::optional<std::string> picked(std::size_t row_group, std::size_t column,
                                    std::uint64_t row) const;
  /// Says that this text is asked for next, where that lets its memory come meanwhile.
  void prefetch(std::size_t row_group, std::size_t column, std::uint64_t row) const;
  /// The rows of one whole page that pass a test of the column's type, told from its encoding
  /// (codec.h); false where its values have to be read: the encoding cannot tell, or this process
  /// has not judged them yet.
  bool select(std::size_t row_group, std::size_t column, std::size_t page,
              const model::Criterion& test, std::uint64_t* bits) const;
  /// Some rows of one page of a column of fixed width, numbered within the row group, into `out`;
  /// their page's bitmap of validity, empty where none is null. nullopt as select is false.
  std::optional<Buffer> gather(std::size_t row_group, std::size_t column, std::size_t page,
                               std::span<const std::uint32_t> rows, std::byte* out) const;
  /// Reads everything and checks it, also what no read would touch: zone maps and the order of rows
  /// against their values, row groups against partitions. Throws the first damage that one of the
  /// threads meets.
  void verify(unsigned threads = 1) const;

 private:
  struct State;
  explicit SegmentReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace otolith::segment
