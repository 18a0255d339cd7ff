// A set of rows by number: ranges where they are few, a bit for each row where they are many.
//
// Role:    what visibility, time, keys and conditions leave of rows, and what a commit marks.
// Shapes:  ranges ascending, disjoint, not touching; 64 bits to a word, the lowest first.
// Errors:  none.
// Threads: thread-compatible.
// Why:     rows that are scattered have a range each, of 16 bytes, and each range costs whoever
//          goes through it; as bits they are 64 to a word, and sets are joined a word at a time. A
//          set is never larger than twice the smaller of both forms.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <vector>

namespace otolith {

/// Rows first..first+count-1.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t end() const noexcept { return first + count; }
  bool operator==(const RowRange&) const = default;
};

class RowSet {
 public:
  class Iterator;

  RowSet() = default;
  /// Ascending and disjoint.
  RowSet(std::initializer_list<RowRange> ranges);
  /// Bit i is row `first` + i; `first` is a multiple of 64.
  static RowSet of_bits(std::vector<std::uint64_t> words, std::uint64_t first = 0);

  bool empty() const noexcept { return rows_ == 0; }
  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t ranges() const noexcept { return words_.empty() ? ranges_.size() : in_words_; }
  /// Bytes that it holds.
  std::uint64_t memory() const noexcept {
    return ranges_.size() * sizeof(RowRange) + words_.size() * sizeof(std::uint64_t);
  }
  /// All rows between the first and the last.
  bool is_range() const noexcept { return ranges() == 1; }
  /// Kept as bits.
  bool scattered() const noexcept { return !words_.empty(); }
  /// The first row; 0 of none.
  std::uint64_t first_row() const noexcept { return first_; }
  /// The row behind the last; 0 of none.
  std::uint64_t end_row() const noexcept { return end_; }
  bool contains(std::uint64_t row) const noexcept;
  /// How many of the rows of a range are in the set.
  std::uint64_t rows_in(RowRange range) const noexcept;
  /// The rows of a range as bits, its first one being the lowest of the first word; those behind
  /// its end are zero. `out` has a word for each 64 rows begun.
  void put_bits(RowRange range, std::uint64_t* out) const noexcept;

  /// Its ranges one by one.
  Iterator begin() const noexcept;
  Iterator end() const noexcept;

  /// Adds rows behind all that are there.
  void append(RowRange range);
  /// The same of rows whose bits are set, the first bit being row `first`.
  void append_bits(std::span<const std::uint64_t> bits, std::uint64_t first);
  /// The same of all rows of a set.
  void append(const RowSet& rows);

  /// The rows of a range.
  RowSet within(RowRange range) const;
  /// The rows of a range, counted from its first one on.
  RowSet slice(RowRange range) const;
  /// All rows, each `by` higher.
  RowSet moved(std::uint64_t by) const;
  /// The first `count` rows, or the last.
  RowSet first_rows(std::uint64_t count) const;
  RowSet last_rows(std::uint64_t count) const;

  friend RowSet intersect(const RowSet& a, const RowSet& b);
  friend RowSet united(const RowSet& a, const RowSet& b);
  /// The rows of a that are not in b.
  friend RowSet without(const RowSet& a, const RowSet& b);
  friend bool operator==(const RowSet& a, const RowSet& b) noexcept;

 private:
  template <typename Each>
  void for_each_range(RowRange within, Each each) const;
  void append_to_words(RowRange range);
  void use_words();
  void use_ranges();

  friend class RowBits;

  std::vector<RowRange> ranges_;      // or
  std::vector<std::uint64_t> words_;  // row origin_ + i: bit i
  std::uint64_t origin_ = 0;          // of the words; a multiple of 64
  std::uint64_t in_words_ = 0;        // ranges
  std::uint64_t rows_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
};

RowSet intersect(const RowSet& a, const RowSet& b);
RowSet united(const RowSet& a, const RowSet& b);
RowSet without(const RowSet& a, const RowSet& b);
bool operator==(const RowSet& a, const RowSet& b) noexcept;

class RowSet::Iterator {
 public:
  using value_type = RowRange;
  using difference_type = std::ptrdiff_t;
  using pointer = const RowRange*;
  using reference = const RowRange&;
  using iterator_category = std::forward_iterator_tag;

  Iterator() = default;
  reference operator*() const noexcept { return range_; }
  pointer operator->() const noexcept { return &range_; }
  Iterator& operator++() noexcept {
    next();
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    next();
    return before;
  }
  bool operator==(const Iterator& other) const noexcept { return range_ == other.range_; }

 private:
  friend class RowSet;
  explicit Iterator(const RowSet& set) noexcept : set_(&set), at_(set.origin_) { next(); }
  void next() noexcept;  // an empty range behind the last

  const RowSet* set_ = nullptr;
  std::uint64_t at_ = 0;  // the next of the ranges, or the row that bits are looked at from
  RowRange range_{};
};

inline RowSet::Iterator RowSet::begin() const noexcept { return Iterator(*this); }
inline RowSet::Iterator RowSet::end() const noexcept { return {}; }

/// Sets and clears rows of 0..rows-1 in any order.
class RowBits {
 public:
  RowBits(std::uint64_t rows, bool all);
  void put(const RowSet& rows, bool set) { set ? put<true>(rows) : put<false>(rows); }
  RowSet take() && { return RowSet::of_bits(std::move(words_)); }

 private:
  template <bool kSet>
  void put(const RowSet& rows);

  std::uint64_t rows_;
  std::vector<std::uint64_t> words_;
};

}  // namespace otolith
