#include "model/key_rank.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/hash.h"
#include "base/limits.h"
#include "model/array.h"
#include "otolith/decimal.h"

namespace otolith::model {

namespace {

template <typename Body>
auto with_key(TypeKind kind, Body&& body) {
  switch (kind) {
    case TypeKind::int8:
      return body(std::int8_t{});
    case TypeKind::int16:
      return body(std::int16_t{});
    case TypeKind::int32:
      return body(std::int32_t{});
    case TypeKind::boolean:
    case TypeKind::uint8:
      return body(std::uint8_t{});
    case TypeKind::uint16:
      return body(std::uint16_t{});
    case TypeKind::uint32:
      return body(std::uint32_t{});
    case TypeKind::uint64:
      return body(std::uint64_t{});
    case TypeKind::decimal:
      return body(Decimal{});
    default:
      return body(std::int64_t{});  // int64 and timestamps
  }
}

template <typename T>
std::uint64_t word_of(T value) noexcept {
  return static_cast<std::uint64_t>(value);
}
std::uint64_t word_of(Decimal value) noexcept {
  return value.low ^ (static_cast<std::uint64_t>(value.high) * 0xd6e8feb86659fd93ull);
}

template <typename T>
struct NumberKeys {
  const T* values;
  T at(std::uint64_t row) const noexcept { return values[row]; }
  static std::uint64_t hash(T value) noexcept {
    const std::uint64_t mixed = word_of(value) * 0x9e3779b97f4a7c15ull;
    return mixed ^ (mixed >> 32);
  }
};

struct TextKeys {
  const Array* array;
  std::string_view at(std::uint64_t row) const noexcept { return array->text(row); }
  static std::uint64_t hash(std::string_view text) noexcept { return xxh3(as_bytes_view(text)); }
};

// Open addressing over the first rows that hold each value; at most half full.
template <typename Keys>
class DistinctKeys {
 public:
  explicit DistinctKeys(Keys keys) : keys_(keys), slots_(64, kFree) {}

  // The number of a row's value, in order of first appearance.
  std::uint32_t number_of(std::uint64_t row) {
    const auto value = keys_.at(row);
    std::size_t slot = Keys::hash(value) & (slots_.size() - 1);
    while (slots_[slot] != kFree) {
      if (keys_.at(first_rows_[slots_[slot]]) == value) return slots_[slot];
      slot = (slot + 1) & (slots_.size() - 1);
    }
    const auto number = static_cast<std::uint32_t>(first_rows_.size());
    first_rows_.push_back(row);
    slots_[slot] = number;
    if (first_rows_.size() * 2 > slots_.size()) grow();
    return number;
  }
  // The place of each number's value among the sorted ones.
  std::vector<std::uint32_t> ranks() const {
    std::vector<std::uint32_t> order(first_rows_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, {},
                      [&](std::uint32_t number) { return keys_.at(first_rows_[number]); });
    std::vector<std::uint32_t> out(order.size());
    for (std::uint32_t rank = 0; rank < order.size(); ++rank) out[order[rank]] = rank;
    return out;
  }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  void grow() {
    slots_.assign(slots_.size() * 2, kFree);
    for (std::uint32_t number = 0; number < first_rows_.size(); ++number) {
      std::size_t slot = Keys::hash(keys_.at(first_rows_[number])) & (slots_.size() - 1);
      while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = number;
    }
  }

  Keys keys_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint64_t> first_rows_;
};

template <typename Keys>
KeyRanks ranks_of(Keys keys, std::uint64_t rows) {
  DistinctKeys<Keys> distinct(keys);
  KeyRanks out;
  out.of_row.resize(rows);
  for (std::uint64_t row = 0; row < rows; ++row) {
    // Neighbours are often equal, and comparing is cheaper than hashing.
    const bool same = row > 0 && keys.at(row) == keys.at(row - 1);
    out.of_row[row] = same ? out.of_row[row - 1] : distinct.number_of(row);
  }
  const std::vector<std::uint32_t> ranks = distinct.ranks();
  for (std::uint32_t& number : out.of_row) number = ranks[number];
  out.distinct = static_cast<std::uint32_t>(ranks.size());
  return out;
}

}  // namespace

KeyRanks key_ranks(const Array& column) {
  OTO_INVARIANT(column.null_count == 0 && column.length <= kRunRowsMax);
  if (is_text(column.type)) return ranks_of(TextKeys{&column}, column.length);
  return with_key(column.type.kind, [&](auto zero) {
    using T = decltype(zero);
    return ranks_of(NumberKeys<T>{column.values.as<T>()}, column.length);
  });
}

}  // namespace otolith::model
