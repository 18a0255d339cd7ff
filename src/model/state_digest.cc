#include "model/state_digest.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "model/array.h"
#include "model/leaf.h"

namespace otolith::model {

namespace {

constexpr std::uint64_t kRowsAtOnce = 256;

// Rows side by side: a bit per column that is not null, then each column's value, or the length of
// its text. Columns are written one after the other, rows are hashed one after the other.
class RowBytes {
 public:
  explicit RowBytes(const Batch& batch) : batch_(batch) {
    ByteWriter ids;
    for (const LeafColumn& column : leaf_columns(*batch.schema)) {
      std::size_t at = 0;
      while (ColumnId{batch.schema->columns[at].id} != column.id) ++at;
      order_.push_back(at);
      has_text_ |= is_text(column.type);
      ids.put(column.id);
      ids.put(column.type.kind);
      ids.put(column.type.precision);
      ids.put(column.type.scale);
    }
    seed_ = xxh3(ids.view());
    stride_ = bitmap_bytes(order_.size());
    for (const std::size_t at : order_) stride_ += slot_bytes(batch.columns[at].type);
    bytes_.resize(stride_ * kRowsAtOnce);
  }

  void load(std::uint64_t first, std::uint64_t rows) {
    std::ranges::fill(bytes_, std::byte{0});
    std::size_t offset = bitmap_bytes(order_.size());
    for (std::size_t c = 0; c < order_.size(); ++c) {
      const Array& array = batch_.columns[order_[c]];
      const std::size_t slot = slot_bytes(array.type);
      for (std::uint64_t i = 0; i < rows; ++i) {
        if (array.is_null(first + i)) continue;
        std::byte* const row = bytes_.data() + i * stride_;
        row[c / 8] |= static_cast<std::byte>(1u << (c % 8));
        put(array, first + i, slot, row + offset);
      }
      offset += slot;
    }
  }

  Hash128 hash(std::uint64_t first, std::uint64_t i) {
    const BytesView fixed(bytes_.data() + i * stride_, stride_);
    if (!has_text_) return xxh3_128(fixed, seed_);
    scratch_.assign(fixed.begin(), fixed.end());
    for (const std::size_t at : order_) {
      const Array& array = batch_.columns[at];
      if (!is_text(array.type) || array.is_null(first + i)) continue;
      const BytesView text = as_bytes_view(array.text(first + i));
      scratch_.insert(scratch_.end(), text.begin(), text.end());
    }
    return xxh3_128(scratch_, seed_);
  }

 private:
  static std::size_t slot_bytes(Type type) noexcept { return is_text(type) ? 4 : type_width(type); }

  static void put(const Array& array, std::uint64_t row, std::size_t slot,
                  std::byte* out) noexcept {
    if (is_text(array.type))
      return store_le(out, static_cast<std::uint32_t>(array.text(row).size()));
    const std::byte* const value = array.values.bytes.data() + row * slot;
    if (slot == 8) {  // the usual width, as one load and store
      std::memcpy(out, value, 8);
    } else {
      std::memcpy(out, value, slot);
    }
  }

  const Batch& batch_;
  std::vector<std::size_t> order_;
  bool has_text_ = false;
  std::uint64_t seed_ = 0;
  std::size_t stride_ = 0;
  Bytes bytes_;
  Bytes scratch_;
};

}  // namespace

void StateDigest::add_hash(Hash128 hash) noexcept {
  sum_.low += hash.low;
  sum_.high += hash.high + (sum_.low < hash.low ? 1 : 0);
}

void StateDigest::add(const Batch& batch) {
  if (batch.rows == 0) return;
  RowBytes bytes(batch);
  for (std::uint64_t first = 0; first < batch.rows; first += kRowsAtOnce) {
    const std::uint64_t rows = std::min(kRowsAtOnce, batch.rows - first);
    bytes.load(first, rows);
    for (std::uint64_t i = 0; i < rows; ++i) add_hash(bytes.hash(first, i));
  }
  rows_ += batch.rows;
}

void StateDigest::add(const StateDigest& other) noexcept {
  add_hash(other.sum_);
  rows_ += other.rows_;
}

std::string StateDigest::text() const {
  return fmt::format("{}:{:016x}{:016x}", rows_, sum_.high, sum_.low);
}

}  // namespace otolith::model
