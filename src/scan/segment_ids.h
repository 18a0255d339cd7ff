// Where the ids of documents stand in one segment: a table of their hashes, and the ids.
//
// Role:    beside an open segment (store.h), once look-ups have cost as much as making it; asked
//          by lookup.h.
// Shapes:  18 to 30 bytes a row and the ids themselves; rows by piece and place in it.
// Errors:  those of reading the ids.
// Threads: immutable.
// Why:     a look-up by zone maps and halving decodes a page of each segment whose bounds hold the
//          id, and ids that come in any order are within the bounds of all. In memory, since no
//          file has to be written anew for it; with the ids, so that a hash is never believed: who
//          chooses ids could make two of one hash. ADR 0087.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "scan/source.h"

namespace otolith::scan {

/// Rows of a piece that have one id: they stand side by side.
struct IdRows {
  std::size_t piece = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

class SegmentIds {
 public:
  /// nullptr where it would take more than so many bytes.
  static std::shared_ptr<const SegmentIds> of(std::shared_ptr<const RowSource> source,
                                              ColumnId column, std::uint64_t bytes_max);

  const std::shared_ptr<const RowSource>& source() const noexcept { return source_; }
  /// The hash that ids are looked for by, the same in all segments of a process.
  static std::uint64_t hash_of(std::string_view id) noexcept;
  /// Says that this id is looked for next: memory is slow.
  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }
  /// Appends the rows that have this id, shown or not.
  void find(std::string_view id, std::uint64_t hash, std::vector<IdRows>& out) const;
  std::uint64_t memory() const noexcept;

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t at = kNone;  // of the record of the first row of its id in its piece
  };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // A row and its id, as its record says.
  struct Record {
    std::uint32_t row = 0;  // of all pieces
    std::string_view id{};
  };

  explicit SegmentIds(std::shared_ptr<const RowSource> source) : source_(std::move(source)) {}
  bool add_piece(const Array& ids, std::uint64_t bytes_max);
  void fill();
  void add(std::uint32_t at, std::string_view id);
  Record record(std::uint32_t at) const noexcept;
  std::uint32_t behind(std::uint32_t at) const noexcept;
  IdRows rows_from(std::uint32_t at) const noexcept;

  const std::shared_ptr<const RowSource> source_;
  std::vector<std::uint64_t> firsts_;  // of the pieces; all rows behind the last
  std::uint64_t rows_ = 0;             // of the pieces that were added
  Bytes records_;                      // row u32 | bytes of the id u16 | id, by row
  std::vector<Slot> slots_;            // a power of two of them
};

}  // namespace otolith::scan
