// The rows that an appender has set and not handed over yet.
//
// Role:    behind otolith/rows.h: memory of a chunk, what a row still lacks, and the way of a whole
//          chunk into the recorder.
// Shapes:  chunks of 256 rows at first, each full one followed by one four times as long, up to
//          65,536 rows, 4 MiB or a 32nd of memory_bytes; as much text again ends one.
// Errors:  as otolith/rows.h.
// Threads: thread-compatible.
// Why:     small at first, since many recorders of a logger hold some rows of many tables; large
//          later, so that what a chunk costs is spread over many rows.
#pragma once

#include <functional>
#include <vector>

#include "history/snapshot.h"
#include "io/large_memory.h"
#include "otolith/batch.h"
#include "otolith/rows.h"

namespace otolith::db {

class RowStore : public RowState {
 public:
  /// `hand_over` gives the chunk to the recorder by take(); it throws where nothing may be appended
  /// any more, or not now.
  RowStore(history::DatasetEntry dataset, std::uint64_t memory_bytes,
           const std::atomic<bool>& database_closed, std::function<void(RowStore&)> hand_over);
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  const history::DatasetEntry& dataset() const noexcept { return dataset_; }
  const Column& column_of(const RowSlot& slot) const noexcept;
  RowSlot& slot(std::string_view column, TypeKind kind);
  void set_text(const RowSlot& slot, std::string_view text);
  void append();
  /// The rows appended since the last call. A row that is being set stays so.
  Batch take();
  /// Nothing may be appended any more.
  void end() noexcept;

 private:
  // One column's share of the chunk.
  struct Lane {
    Buffer values{};                 // of text: where each begins, int64, and where the last ends
    std::vector<std::byte> bytes{};  // of text
    std::vector<std::byte> validity{};  // empty until a row is null
    std::uint64_t nulls = 0;
  };

  std::size_t index_of(const RowSlot& slot) const noexcept {
    return static_cast<std::size_t>(&slot - slots_.data());
  }
  bool is_set(std::size_t column) const noexcept {
    return (*slots_[column].set & slots_[column].bit) != 0;
  }
  bool is_required(std::size_t column) const noexcept;
  std::uint32_t width_of(std::size_t column) const noexcept;
  Buffer memory(std::uint64_t bytes, std::byte** data);
  std::vector<Lane> begin_chunk(std::uint64_t rows);
  void unset() noexcept;
  void check_row();
  void mark(std::size_t column, bool null);
  void carry(std::size_t column, const Lane& from, std::uint64_t row);
  Array array_of(std::size_t column, Lane lane, std::uint64_t rows) const;

  const history::DatasetEntry dataset_;
  const std::uint64_t chunk_bytes_max_;
  const std::function<void(RowStore&)> hand_over_;
  bool ended_ = false;
  io::LargePieces pieces_;  // of large chunks
  std::uint64_t chunk_rows_ = 0;
  std::uint64_t text_bytes_ = 0;         // set in the chunk, in all columns
  std::vector<std::uint64_t> more_set_;  // bits of the columns that have none in `set`
  std::vector<RowSlot> slots_;           // one a column, where they are for good
  std::vector<Lane> lanes_;
};

}  // namespace otolith::db
