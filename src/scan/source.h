// Rows wherever they are, behind one face: a segment, a commit's rows in the tail, or staged ones.
//
// Role:    the scan sees pieces: rows of one run and one partition, at most a row group of a
//          segment.
// Shapes:  pieces are in the order (run, partition); rows within one in the order (keys, time,
//          begin, ordinal).
// Errors:  those of the segment reader and of wire_decode, with the commits concerned.
// Threads: immutable.
// Why:     everything above asks the same questions of both, so a tail and the seal that covers it
//          answer alike.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/snapshot.h"
#include "otolith/batch.h"
#include "segment/reader.h"

namespace otolith::scan {

struct Piece {
  std::uint32_t run = 0;
  std::int64_t bucket = 0;
  std::uint64_t rows = 0;
  std::uint64_t first_ordinal = 0;  // of single-begin sources
  std::int64_t time_min = 0;
  std::int64_t time_max = 0;
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  const std::vector<Piece>& pieces() const noexcept { return pieces_; }
  /// The commit that added the rows, where all are of one.
  std::optional<CommitNumber> begin() const noexcept { return begin_; }
  /// What the log says of a segment; nullptr for other sources.
  virtual const history::SegmentEntry* entry() const noexcept { return nullptr; }
  /// Paths of documents that are columns of it, too.
  virtual std::span<const segment::ShreddedPath> shredded() const noexcept { return {}; }
  std::uint64_t rows() const noexcept { return rows_; }
  /// No two rows of it share keys and time.
  bool unique() const noexcept { return unique_; }
  std::uint64_t page_rows() const noexcept { return page_rows_; }

  /// Type of a column as stored; nullopt if it did not exist yet.
  virtual std::optional<Type> type(ColumnId column) const = 0;
  /// Bounds and sum of a page; nullptr where there are none. The column exists.
  virtual const segment::Zone* zone(std::size_t piece, ColumnId column,
                                    std::uint64_t page) const = 0;
  /// The same of a whole piece.
  virtual const segment::Zone* chunk_zone(std::size_t piece, ColumnId column) const = 0;
  /// Rows first..first+rows-1 of a piece, as stored. The column exists.
  virtual Array values(std::size_t piece, ColumnId column, std::uint64_t first,
                       std::uint64_t rows) const = 0;
  /// One text of a piece. The column exists.
  virtual std::string text(std::size_t piece, ColumnId column, std::uint64_t row) const;
  /// The same, told without its neighbours; nullopt where its page has to be read.
  virtual std::optional<std::string> picked(std::size_t piece, ColumnId column,
                                            std::uint64_t row) const;
  /// Says that this text is asked for next. The column exists.
  virtual void prefetch(std::size_t, ColumnId, std::uint64_t) const {}
  /// Rows first..first+rows-1, in the target where they are decoded and that costs nothing.
  virtual Array values_into(std::size_t piece, ColumnId column, std::uint64_t first,
                            std::uint64_t rows, const codec::Target& target) const;
  /// The rows of a page that pass a test of the stored type, told without reading values; false
  /// where that cannot be. The column exists.
  virtual bool select(std::size_t piece, ColumnId column, std::uint64_t page,
                      const model::Criterion& test, std::uint64_t* bits) const;
  /// Some rows of a page as stored, as of SegmentReader::gather; nullopt where the page has to be
  /// read. The column exists.
  virtual std::optional<Buffer> gather(std::size_t piece, ColumnId column, std::uint64_t page,
                                       std::span<const std::uint32_t> rows, std::byte* out) const;

 protected:
  std::vector<Piece> pieces_;
  std::optional<CommitNumber> begin_;
  std::uint64_t rows_ = 0;
  std::uint64_t page_rows_ = UINT64_MAX;
  bool unique_ = false;
};

std::shared_ptr<const RowSource> segment_source(
    std::shared_ptr<const segment::SegmentReader> reader, const history::SegmentEntry& entry);

/// Rows that no commit added yet, in any order, as one piece; columns by their ids.
std::shared_ptr<const RowSource> batch_source(const Batch& batch);

/// `time`: the dataset's time column.
std::shared_ptr<const RowSource> tail_source(const history::TailEntry& entry, ColumnId time);

}  // namespace otolith::scan
