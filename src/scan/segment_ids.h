// Where the ids of documents stand in one segment: a table of their hashes, with the ids in it.
//
// Role:    beside an open segment (store.h), once look-ups have cost as much as making it; asked
//          by lookup.h.
// Shapes:  buckets of 64 to 256 bytes, two thirds full: 18 bytes a row and 1.5 times its id; rows
//          by piece and place in it.
// Errors:  those of reading the ids.
// Threads: immutable.
// Why:     a look-up by zone maps and halving decodes a page of each segment whose bounds hold the
//          id, and ids that come in any order are within the bounds of all. In memory, since no
//          file has to be written anew for it; with the ids, so that a hash is never believed: who
//          chooses ids could make two of one hash. In the bucket, since memory is slow: one wait
//          tells an id and its row. ADR 0087, ADR 0097.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mutant.h"
#include "scan/source.h"

namespace otolith::scan {

/// Rows of a piece that have one id: they stand side by side.
struct IdRows {
  std::size_t piece = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// A row and its id, where the table has it.
struct IdEntry {
  std::uint32_t tag = 0;    // of the hash
  std::uint32_t row = 0;    // the first of its id in its piece, counted over all pieces
  std::uint16_t more = 0;   // rows of the id behind it
  std::uint16_t bytes = 0;  // of the id
};

/// The table of an index: all that is asked of a segment which does not have an id. Valid while the
/// index lives.
//
//   bucket:  bytes used u16 | 1: entries of it stand in the next, too u16 | entries
//   entry:   tag u32 | row u32 | more u16 | bytes u16 | id, or where it stands u32 (kInlineMax)
class IdTable {
 public:
  /// Says that this id is looked for next.
  void prefetch(std::uint64_t hash) const noexcept {
    const std::byte* const bucket = at(home(hash));
    __builtin_prefetch(bucket);
    __builtin_prefetch(bucket + kLineBytes);
  }
  /// False where no id of the segment has this hash.
  bool may_have(std::uint64_t hash) const noexcept {
    bool found = false;
    each(hash, [&](const IdEntry&, const std::byte*) { return !(found = true); });
    return found;
  }
  /// Hands over the hash's tag of each id.
  template <typename Take>
  void each_tag(Take take) const;
  static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32);
  }

 private:
  friend class SegmentIds;
  static constexpr std::size_t kLineBytes = 64;
  static constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint16_t);
  static constexpr std::size_t kEntryBytes = 12;  // without the id
  static constexpr std::size_t kInlineMax = 40;   // of an id: a UUID has 36

  static std::size_t stored(std::size_t id_bytes) noexcept {
    return kEntryBytes + (id_bytes <= kInlineMax ? id_bytes : sizeof(std::uint32_t));
  }
  static IdEntry entry_at(const std::byte* at) noexcept {
    return {load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4),
            load_le<std::uint16_t>(at + 8), load_le<std::uint16_t>(at + 10)};
  }
  const std::byte* at(std::uint64_t bucket) const noexcept {
    return first_ + bucket * bucket_bytes_;
  }
  // Spread over all buckets, however many there are.
  std::uint64_t home(std::uint64_t hash) const noexcept {
    return ((hash & UINT32_MAX) * count_) >> 32;
  }
  std::uint64_t behind(std::uint64_t bucket) const noexcept {
    return bucket + 1 == count_ ? 0 : bucket + 1;
  }
  /// Hands over the entries of this hash and where their ids stand, while `take` says true.
  template <typename Take>
  void each(std::uint64_t hash, Take take) const;

  const std::byte* first_ = nullptr;
  std::uint64_t count_ = 0;
  std::uint64_t bucket_bytes_ = 0;
};

class SegmentIds {
 public:
  /// nullptr where it would take more than so many bytes.
  static std::shared_ptr<const SegmentIds> of(std::shared_ptr<const RowSource> source,
                                              ColumnId column, std::uint64_t bytes_max);

  const std::shared_ptr<const RowSource>& source() const noexcept { return source_; }
  /// The hash that ids are looked for by, the same in all segments of a process.
  static std::uint64_t hash_of(std::string_view id) noexcept;
  const IdTable& table() const noexcept { return table_; }
  /// How many ids there are, in each piece.
  std::uint64_t ids() const noexcept { return ids_; }
  /// Hands over the rows that have this id, shown or not, while `take` says true; to `maybe` before
  /// that those that most likely have it: what is asked of them next can be fetched meanwhile.
  template <typename Maybe, typename Take>
  void each(std::string_view id, std::uint64_t hash, Maybe maybe, Take take) const;
  std::uint64_t memory() const noexcept;

 private:
  // Of one id of a piece, on the way into the table.
  struct Given {
    IdEntry entry;
    std::size_t at = 0;  // of the id, among all
  };

  explicit SegmentIds(std::shared_ptr<const RowSource> source) : source_(std::move(source)) {}
  bool add_piece(const Array& ids, Bytes& texts, std::vector<Given>& given,
                 std::uint64_t bytes_max);
  void fill(const Bytes& texts, const std::vector<Given>& given);
  void put(const IdEntry& entry, std::string_view id);
  std::string_view id_of(const IdEntry& entry, const std::byte* at) const noexcept {
    const std::byte* const id =
        entry.bytes <= IdTable::kInlineMax ? at : &long_ids_[load_le<std::uint32_t>(at)];
    return as_text({id, entry.bytes});
  }
  IdRows rows_of(const IdEntry& entry) const noexcept;

  const std::shared_ptr<const RowSource> source_;
  std::vector<std::uint64_t> firsts_;  // of the pieces; all rows behind the last
  std::uint32_t rows_ = 0;             // of the pieces that were added
  std::uint64_t ids_ = 0;
  std::uint64_t taken_ = 0;            // bytes of all entries
  std::uint64_t largest_ = 0;          // bytes of one
  std::shared_ptr<std::byte> memory_;  // of the table, in huge pages: else the table of pages is
                                       // waited for, too
  Bytes long_ids_;
  IdTable table_;
};

template <typename Take>
void IdTable::each(std::uint64_t hash, Take take) const {
  for (std::uint64_t bucket = home(hash), left = count_; left != 0; --left) {
    const std::byte* const start = at(bucket);
    const std::byte* const end = start + load_le<std::uint16_t>(start);
    for (const std::byte* entry = start + kHeadBytes; entry < end;) {
      const IdEntry of = entry_at(entry);
      if (of.tag == tag_of(hash) && !take(of, entry + kEntryBytes)) return;
      entry += stored(of.bytes);
    }
    if (load_le<std::uint16_t>(start + sizeof(std::uint16_t)) == 0) return;
    bucket = behind(bucket);
  }
}

template <typename Take>
void IdTable::each_tag(Take take) const {
  for (std::uint64_t bucket = 0; bucket < count_; ++bucket) {
    const std::byte* const end = at(bucket) + load_le<std::uint16_t>(at(bucket));
    for (const std::byte* entry = at(bucket) + kHeadBytes; entry < end;) {
      const IdEntry of = entry_at(entry);
      take(of.tag);
      entry += stored(of.bytes);
    }
  }
}

template <typename Maybe, typename Take>
void SegmentIds::each(std::string_view id, std::uint64_t hash, Maybe maybe, Take take) const {
  table_.each(hash, [&](const IdEntry& entry, const std::byte* at) {
    const IdRows rows = rows_of(entry);
    maybe(rows);
    const bool same = id_of(entry, at) == id || mutant("segment-ids-hash-believed");
    return !same || take(rows);
  });
}

}  // namespace otolith::scan
