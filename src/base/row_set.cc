#include "base/row_set.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "base/error.h"

namespace otolith {

namespace {

constexpr std::size_t kRangesKept = 32;  // so few are never made bits

constexpr std::uint64_t ones(std::uint64_t count) noexcept {
  return count >= 64 ? ~0ull : (1ull << count) - 1;
}

// Sets or clears the bits from..end-1.
template <bool kSet>
void put_ones(std::uint64_t* words, std::uint64_t from, std::uint64_t end) noexcept {
  while (from < end) {
    const std::uint64_t count = std::min(64 - from % 64, end - from);
    const std::uint64_t mask = ones(count) << (from % 64);
    if constexpr (kSet)
      words[from / 64] |= mask;
    else
      words[from / 64] &= ~mask;
    from += count;
  }
}

std::uint64_t words_for(std::uint64_t rows) noexcept { return (rows + 63) / 64; }

bool worth_words(std::uint64_t ranges, std::uint64_t rows) noexcept {
  return ranges >= kRangesKept &&
         words_for(rows) * sizeof(std::uint64_t) < ranges * sizeof(RowRange);
}

}  // namespace

void RowSet::Iterator::next() noexcept {
  if (set_ == nullptr) return;
  const std::vector<std::uint64_t>& words = set_->words_;
  if (words.empty()) {
    const std::uint64_t at = at_ - set_->origin_;
    range_ = at < set_->ranges_.size() ? set_->ranges_[at] : RowRange{};
    ++at_;
    return;
  }
  std::uint64_t at = at_ - set_->origin_;
  std::size_t word = at / 64;
  std::uint64_t bits = word < words.size() ? words[word] & (~0ull << (at % 64)) : 0;
  while (bits == 0 && ++word < words.size()) bits = words[word];
  if (bits == 0) {
    range_ = {};
    return;
  }
  const std::uint64_t first = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  std::uint64_t clear = ~words[word] & (~0ull << (first % 64));
  while (clear == 0 && ++word < words.size()) clear = ~words[word];
  at = clear == 0 ? words.size() * 64 : word * 64 + static_cast<unsigned>(std::countr_zero(clear));
  at_ = set_->origin_ + at;
  range_ = {set_->origin_ + first, at - first};
}

RowSet::RowSet(std::initializer_list<RowRange> ranges) {
  for (const RowRange& range : ranges) append(range);
}

RowSet RowSet::of_bits(std::vector<std::uint64_t> words, std::uint64_t first) {
  OTO_INVARIANT(first % 64 == 0);
  RowSet out;
  std::uint64_t carry = 0;  // whether the bit before a word is set
  std::size_t last = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t word = words[i];
    if (word == 0) {
      carry = 0;
      continue;
    }
    if (out.rows_ == 0) out.first_ = first + i * 64 + static_cast<unsigned>(std::countr_zero(word));
    out.rows_ += static_cast<unsigned>(std::popcount(word));
    out.in_words_ += static_cast<unsigned>(std::popcount(word & ~(word << 1 | carry)));
    carry = word >> 63;
    last = i;
  }
  if (out.rows_ == 0) return {};
  out.end_ = first + last * 64 + 64 - static_cast<unsigned>(std::countl_zero(words[last]));
  const std::uint64_t before = (out.first_ - first) / 64;
  words.resize(last + 1);
  if (before != 0) words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(before));
  out.origin_ = first + before * 64;
  out.words_ = std::move(words);
  if (!worth_words(out.in_words_, out.end_ - out.origin_)) out.use_ranges();
  return out;
}

void RowSet::use_words() {
  const std::vector<RowRange> ranges = std::move(ranges_);
  ranges_ = {};
  origin_ = first_ / 64 * 64;
  in_words_ = ranges.size();
  words_.reserve(2 * words_for(end_ - origin_));
  words_.resize(words_for(end_ - origin_));
  for (const RowRange& range : ranges)
    put_ones<true>(words_.data(), range.first - origin_, range.end() - origin_);
}

void RowSet::use_ranges() {
  std::vector<RowRange> ranges;
  ranges.reserve(in_words_);
  for (const RowRange& range : *this) ranges.push_back(range);
  ranges_ = std::move(ranges);
  words_ = {};
  origin_ = in_words_ = 0;
}

void RowSet::append(RowRange range) {
  if (range.count == 0) return;
  OTO_INVARIANT(rows_ == 0 || range.first >= end_);
  if (!words_.empty()) {
    const std::uint64_t needed = words_for(range.end() - origin_);
    const bool grows = needed > words_.capacity();
    if (grows && needed * sizeof(std::uint64_t) > 2 * (in_words_ + 1) * sizeof(RowRange)) {
      use_ranges();
    } else {
      if (grows) words_.reserve(2 * needed);
      return append_to_words(range);
    }
  }
  if (rows_ == 0) first_ = range.first;
  if (rows_ != 0 && end_ == range.first)
    ranges_.back().count += range.count;
  else
    ranges_.push_back(range);
  rows_ += range.count;
  end_ = range.end();
  if (std::has_single_bit(ranges_.size()) && worth_words(ranges_.size(), end_ - first_))
    use_words();
}

void RowSet::append_to_words(RowRange range) {
  words_.resize(std::max<std::size_t>(words_.size(), words_for(range.end() - origin_)));
  put_ones<true>(words_.data(), range.first - origin_, range.end() - origin_);
  if (end_ != range.first) ++in_words_;
  rows_ += range.count;
  end_ = range.end();
}

void RowSet::append_bits(std::span<const std::uint64_t> bits, std::uint64_t first) {
  append(of_bits({bits.begin(), bits.end()}, first));
}

void RowSet::append(const RowSet& rows) {
  if (rows.empty()) return;
  if (empty()) {
    *this = rows;
    return;
  }
  OTO_INVARIANT(rows.first_ >= end_);
  const std::uint64_t gap = words_.empty() ? 0 : (rows.first_ - end_) / 64;
  if (words_.empty() || rows.words_.empty() || gap > words_.size() + rows.words_.size()) {
    for (const RowRange& range : rows) append(range);
    return;
  }
  const std::size_t at = (rows.origin_ - origin_) / 64;
  const std::size_t needed = at + rows.words_.size();
  if (needed > words_.capacity()) words_.reserve(2 * needed);
  words_.resize(std::max(words_.size(), needed));
  for (std::size_t i = 0; i < rows.words_.size(); ++i) words_[at + i] |= rows.words_[i];
  in_words_ += rows.in_words_ - (rows.first_ == end_ ? 1 : 0);
  rows_ += rows.rows_;
  end_ = rows.end_;
}

bool RowSet::contains(std::uint64_t row) const noexcept {
  if (row < first_ || row >= end_) return false;
  if (!words_.empty()) return (words_[(row - origin_) / 64] >> (row % 64) & 1) != 0;
  const auto after = std::ranges::upper_bound(ranges_, row, {}, &RowRange::first);
  return after != ranges_.begin() && row < std::prev(after)->end();
}

// The parts of the ranges that lie within one.
template <typename Each>
void RowSet::for_each_range(RowRange within, Each each) const {
  auto at = std::ranges::upper_bound(ranges_, within.first, {}, &RowRange::first);
  if (at != ranges_.begin()) --at;
  for (; at != ranges_.end() && at->first < within.end(); ++at) {
    const std::uint64_t first = std::max(at->first, within.first);
    const std::uint64_t end = std::min(at->end(), within.end());
    if (first < end) each(RowRange{first, end - first});
  }
}

std::uint64_t RowSet::rows_in(RowRange range) const noexcept {
  const std::uint64_t from = std::max(range.first, first_);
  const std::uint64_t end = std::min(range.end(), end_);
  if (from >= end) return 0;
  if (from == first_ && end == end_) return rows_;
  std::uint64_t rows = 0;
  if (!words_.empty()) {
    for (std::uint64_t at = from - origin_; at < end - origin_;) {
      const std::uint64_t count = std::min(64 - at % 64, end - origin_ - at);
      rows += static_cast<unsigned>(std::popcount(words_[at / 64] >> (at % 64) & ones(count)));
      at += count;
    }
    return rows;
  }
  for_each_range({from, end - from}, [&](RowRange part) { rows += part.count; });
  return rows;
}

void RowSet::put_bits(RowRange range, std::uint64_t* out) const noexcept {
  const std::uint64_t words = words_for(range.count);
  std::fill_n(out, words, 0);
  const std::uint64_t from = std::max(range.first, first_);
  const std::uint64_t end = std::min(range.end(), end_);
  if (from >= end) return;
  if (words_.empty()) {
    return for_each_range({from, end - from}, [&](RowRange part) {
      put_ones<true>(out, part.first - range.first, part.end() - range.first);
    });
  }
  const auto word = [&](std::uint64_t i) { return i < words_.size() ? words_[i] : 0; };
  if (range.first < origin_) {  // the words begin within the range
    const std::uint64_t gap = origin_ - range.first;
    for (std::uint64_t at = 0; at < end - origin_; at += 64) {
      const std::uint64_t bits = word(at / 64) & ones(end - origin_ - at);
      const std::uint64_t to = gap + at;
      out[to / 64] |= bits << (to % 64);
      if (to % 64 != 0 && to / 64 + 1 < words) out[to / 64 + 1] |= bits >> (64 - to % 64);
    }
    return;
  }
  const std::uint64_t skip = range.first - origin_;
  const unsigned shift = skip % 64;
  for (std::uint64_t i = 0; i < words && range.first + i * 64 < end; ++i) {
    std::uint64_t bits = word(skip / 64 + i) >> shift;
    if (shift != 0) bits |= word(skip / 64 + i + 1) << (64 - shift);
    out[i] = bits & ones(end - range.first - i * 64);
  }
}

RowSet RowSet::slice(RowRange range) const {
  if (range.first == 0 && end_ <= range.end()) return *this;
  const std::uint64_t from = std::max(range.first, first_);
  const std::uint64_t end = std::min(range.end(), end_);
  if (from >= end) return {};
  if (!words_.empty()) {
    const std::uint64_t lead = (from - range.first) / 64 * 64;
    const RowRange held{range.first + lead, end - range.first - lead};
    std::vector<std::uint64_t> bits(words_for(held.count));
    put_bits(held, bits.data());
    return of_bits(std::move(bits), lead);
  }
  RowSet out;
  for_each_range({from, end - from},
                 [&](RowRange part) { out.append({part.first - range.first, part.count}); });
  return out;
}

RowSet RowSet::within(RowRange range) const {
  if (range.first <= first_ && end_ <= range.end()) return *this;
  return intersect(*this, RowSet{range});
}

RowSet RowSet::moved(std::uint64_t by) const {
  if (by == 0 || empty()) return *this;
  if (scattered() && by % 64 != 0) {
    const std::uint64_t origin = (first_ + by) / 64 * 64;
    std::vector<std::uint64_t> bits(words_for(end_ + by - origin));
    if (origin >= by) {
      put_bits({origin - by, end_ + by - origin}, bits.data());
    } else {
      const std::uint64_t lead = by - origin;
      for (const RowRange& range : *this)
        put_ones<true>(bits.data(), range.first + lead, range.end() + lead);
    }
    return of_bits(std::move(bits), origin);
  }
  RowSet out = *this;
  for (RowRange& range : out.ranges_) range.first += by;
  if (scattered()) out.origin_ += by;
  out.first_ += by;
  out.end_ += by;
  return out;
}

RowSet RowSet::first_rows(std::uint64_t count) const {
  if (count >= rows_) return *this;
  RowSet out;
  for (const RowRange& range : *this) {
    if (count == 0) break;
    out.append({range.first, std::min(range.count, count)});
    count -= std::min(range.count, count);
  }
  return out;
}

RowSet RowSet::last_rows(std::uint64_t count) const {
  if (count >= rows_) return *this;
  std::uint64_t skip = rows_ - count;
  RowSet out;
  for (const RowRange& range : *this) {
    const std::uint64_t skipped = std::min(range.count, skip);
    out.append({range.first + skipped, range.count - skipped});
    skip -= skipped;
  }
  return out;
}

namespace {

// Both sets within a range whose first row is a multiple of 64, joined a word at a time.
template <typename Join>
RowSet by_words(const RowSet& a, const RowSet& b, RowRange within, Join join) {
  std::vector<std::uint64_t> bits(words_for(within.count));
  std::vector<std::uint64_t> other(bits.size());
  a.put_bits(within, bits.data());
  b.put_bits(within, other.data());
  std::ranges::transform(bits, other, bits.begin(), join);
  return RowSet::of_bits(std::move(bits), within.first);
}

}  // namespace

RowSet intersect(const RowSet& a, const RowSet& b) {
  const std::uint64_t from = std::max(a.first_, b.first_);
  const std::uint64_t end = std::min(a.end_, b.end_);
  if (from >= end) return {};
  if (a.is_range() && b.first_ >= a.first_ && b.end_ <= a.end_) return b;
  if (b.is_range() && a.first_ >= b.first_ && a.end_ <= b.end_) return a;
  if (a.scattered() || b.scattered()) {
    const std::uint64_t origin = from / 64 * 64;
    return by_words(a, b, {origin, end - origin}, std::bit_and());
  }
  RowSet out;
  for (auto i = a.ranges_.begin(), j = b.ranges_.begin();
       i != a.ranges_.end() && j != b.ranges_.end();) {
    const std::uint64_t first = std::max(i->first, j->first);
    const std::uint64_t last = std::min(i->end(), j->end());
    if (first < last) out.append({first, last - first});
    i->end() < j->end() ? ++i : ++j;
  }
  return out;
}

RowSet united(const RowSet& a, const RowSet& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  const std::uint64_t origin = std::min(a.first_, b.first_) / 64 * 64;
  const std::uint64_t end = std::max(a.end_, b.end_);
  if (worth_words(a.ranges() + b.ranges(), end - origin)) {
    return by_words(a, b, {origin, end - origin}, std::bit_or());
  }
  RowSet out;
  RowRange last;
  for (auto i = a.begin(), j = b.begin(); i != a.end() || j != b.end();) {
    const bool of_a = j == b.end() || (i != a.end() && i->first < j->first);
    const RowRange range = of_a ? *i++ : *j++;
    if (range.first <= last.end()) {
      last.count = std::max(last.end(), range.end()) - last.first;
    } else {
      out.append(std::exchange(last, range));
    }
  }
  out.append(last);
  return out;
}

RowSet without(const RowSet& a, const RowSet& b) {
  if (a.empty() || b.empty() || b.end_ <= a.first_ || a.end_ <= b.first_) return a;
  if (a.scattered() || b.scattered()) {
    const std::uint64_t origin = a.first_ / 64 * 64;
    if (worth_words(a.ranges() + b.ranges(), a.end_ - origin)) {
      const auto and_not = [](std::uint64_t in, std::uint64_t out) { return in & ~out; };
      return by_words(a, b, {origin, a.end_ - origin}, and_not);
    }
  }
  RowSet out;
  auto taken = b.begin();
  for (const RowRange& range : a) {
    std::uint64_t at = range.first;
    while (taken != b.end() && taken->end() <= at) ++taken;
    for (auto hole = taken; hole != b.end() && hole->first < range.end(); ++hole) {
      if (hole->first > at) out.append({at, hole->first - at});
      at = std::min(range.end(), hole->end());
    }
    if (at < range.end()) out.append({at, range.end() - at});
  }
  return out;
}

bool operator==(const RowSet& a, const RowSet& b) noexcept {
  if (a.rows_ != b.rows_ || a.first_ != b.first_ || a.end_ != b.end_) return false;
  return std::ranges::equal(a, b);
}

RowBits::RowBits(std::uint64_t rows, bool all) : rows_(rows), words_(words_for(rows)) {
  if (all) put_ones<true>(words_.data(), 0, rows);
}

// A word at a time where the set has words.
template <bool kSet>
void RowBits::put(const RowSet& rows) {
  if (rows.words_.empty()) {
    for (const RowRange& range : rows.ranges_)
      put_ones<kSet>(words_.data(), std::min(range.first, rows_), std::min(range.end(), rows_));
    return;
  }
  const std::size_t first = rows.origin_ / 64;
  for (std::size_t i = 0; i < rows.words_.size() && first + i < words_.size(); ++i) {
    std::uint64_t& word = words_[first + i];
    word = kSet ? word | rows.words_[i] : word & ~rows.words_[i];
  }
  if (rows_ % 64 != 0) words_.back() &= ones(rows_ % 64);
}

template void RowBits::put<true>(const RowSet& rows);
template void RowBits::put<false>(const RowSet& rows);

}  // namespace otolith
