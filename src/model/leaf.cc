// What is hashed for a leaf, under its key:
//
//   values | validity bitmap (form 2 only) | place
//   values: fixed width: plain little-endian, null slots zero; text: lengths u32, then the bytes;
//           form 3: first value, step, both of the type's width
//   place, 48 bytes: form u8 | kind u8 | precision u8 | scale u8 | rows u32 | column id u32 | run
// u32 |
//           bucket i64 | block u64 | bytes of values u64 | "oto leaf"
//
// Forms: 1 no nulls; 2 with nulls; 3 integers (and times) without nulls whose differences, modulo
//          2^bits,
// are all the same. A leaf that can take form 3 does. The place stands last, so that values enter
// the hash 32 KiB at once and aligned to its chunks.
#include "model/leaf.h"

#include <algorithm>
#include <type_traits>

#include "base/limits.h"
#include "model/array.h"
#include "model/merkle.h"

namespace otolith::model {

namespace {

enum class LeafForm : std::uint8_t { plain = 1, nulls = 2, linear = 3 };

constexpr std::size_t kPlaceBytes = 48;
using PlaceBytes = std::array<std::byte, kPlaceBytes>;

struct LeafHead {
  LeafForm form;
  Type type;
  ColumnId column;
  std::uint64_t value_bytes;
};

PlaceBytes place_bytes(const LeafHead& head, const LeafPlace& place) noexcept {
  PlaceBytes out{};
  store_le(out.data(), head.form);
  store_le(out.data() + 1, head.type.kind);
  store_le(out.data() + 2, head.type.precision);
  store_le(out.data() + 3, head.type.scale);
  store_le(out.data() + 4, place.rows);
  store_le(out.data() + 8, head.column);
  store_le(out.data() + 12, place.run);
  store_le(out.data() + 16, place.bucket);
  store_le(out.data() + 24, place.block);
  store_le(out.data() + 32, head.value_bytes);
  std::memcpy(out.data() + 40, "oto leaf", 8);
  return out;
}

// Differences are those of unsigned numbers, so that they wrap round instead of being undefined.
template <typename T>
bool linear_of(const std::byte* raw, std::uint64_t rows, std::array<std::byte, 16>& out) noexcept {
  const auto* values = reinterpret_cast<const T*>(raw);
  const T step = rows < 2 ? T{0} : static_cast<T>(values[1] - values[0]);
  // The first few decide almost always; the rest is judged without branches.
  const std::uint64_t few = std::min<std::uint64_t>(rows, 64);
  for (std::uint64_t i = 2; i < few; ++i) {
    if (static_cast<T>(values[i] - values[i - 1]) != step) return false;
  }
  T differ = 0;
  for (std::uint64_t i = few; i < rows; ++i) {
    differ |= static_cast<T>(static_cast<T>(values[i] - values[i - 1]) ^ step);
  }
  store_le(out.data(), values[0]);
  store_le(out.data() + sizeof(T), step);
  return differ == 0;
}

bool is_linear(Type type, const std::byte* raw, std::uint64_t rows,
               std::array<std::byte, 16>& out) {
  switch (type.kind) {
    case TypeKind::int8:
    case TypeKind::uint8:
      return linear_of<std::uint8_t>(raw, rows, out);
    case TypeKind::int16:
    case TypeKind::uint16:
      return linear_of<std::uint16_t>(raw, rows, out);
    case TypeKind::int32:
    case TypeKind::uint32:
      return linear_of<std::uint32_t>(raw, rows, out);
    case TypeKind::int64:
    case TypeKind::uint64:
    case TypeKind::timestamp:
      return linear_of<std::uint64_t>(raw, rows, out);
    default:
      return false;
  }
}

// Lengths, then bytes; nulls have length 0 whatever the array holds there.
void plain_text(const Array& array, std::uint64_t first, std::uint64_t rows, Bytes& out) {
  out.resize(rows * 4);
  if (array.null_count == 0) {
    const auto* offsets = array.offsets.as<std::int64_t>() + first;
    for (std::uint64_t i = 0; i < rows; ++i) {
      store_le(out.data() + i * 4, static_cast<std::uint32_t>(offsets[i + 1] - offsets[i]));
    }
    const BytesView text =
        array.values.bytes.subspan(static_cast<std::uint64_t>(offsets[0]),
                                   static_cast<std::uint64_t>(offsets[rows] - offsets[0]));
    out.insert(out.end(), text.begin(), text.end());
    return;
  }
  for (std::uint64_t i = 0; i < rows; ++i) {
    const bool null = array.is_null(first + i);
    const std::string_view text = null ? std::string_view{} : array.text(first + i);
    store_le(out.data() + i * 4, static_cast<std::uint32_t>(text.size()));
    const BytesView bytes = as_bytes_view(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

}  // namespace

std::vector<LeafColumn> leaf_columns(const Schema& schema) {
  std::vector<LeafColumn> out;
  for (const Column& column : schema.columns) out.push_back({ColumnId{column.id}, column.type});
  std::ranges::sort(out, {}, &LeafColumn::id);
  return out;
}

Hash256 LeafHasher::hash(ColumnId column, std::uint64_t index, const LeafPlace& place,
                         const Array& array, std::uint64_t first) {
  const std::optional<Hash256> key = keys_.key(column, index);
  OTO_INVARIANT(key.has_value());
  const std::uint64_t width = type_width(array.type);
  const auto finish = [&](LeafForm form, BytesView values, BytesView validity) {
    const LeafHead head{form, array.type, column, values.size()};
    return blake3_keyed(*key, {values, validity, place_bytes(head, place)});
  };
  if (array.null_count == 0 && !is_text(array.type)) {
    std::array<std::byte, 16> line;
    const std::byte* const raw = array.values.bytes.data() + first * width;
    if (is_linear(array.type, raw, place.rows, line)) {
      return finish(LeafForm::linear, BytesView(line).first(2 * width), {});
    }
    return finish(LeafForm::plain, {raw, place.rows * width}, {});
  }
  if (is_text(array.type)) {
    plain_text(array, first, place.rows, scratch_);
  } else {
    scratch_.resize(place.rows * width);
    copy_plain_values(array, first, place.rows, scratch_.data());
  }
  std::array<std::byte, kLeafRows / 8> bits{};
  if (array.null_count != 0) bitmap_copy(array.validity.bytes, first, place.rows, bits.data(), 0);
  const BytesView validity = BytesView(bits).first(bitmap_bytes(place.rows));
  if (array.null_count == 0 || bitmap_nulls(validity, place.rows) == 0) {
    std::array<std::byte, 16> line;
    if (is_linear(array.type, scratch_.data(), place.rows, line)) {
      return finish(LeafForm::linear, BytesView(line).first(2 * width), {});
    }
    return finish(LeafForm::plain, scratch_, {});
  }
  return finish(LeafForm::nulls, scratch_, validity);
}

ContentHasher::ContentHasher(std::vector<LeafColumn> columns)
    : columns_(std::move(columns)), hashes_(columns_.size()) {}

std::uint64_t ContentHasher::add_run(const Run& run) {
  const std::uint64_t first = places_.size();
  for (const PartitionRows& partition : run) {
    for (std::uint64_t done = 0; done < partition.rows; done += kLeafRows) {
      const std::uint64_t rows = std::min<std::uint64_t>(kLeafRows, partition.rows - done);
      places_.push_back({.run = runs_,
                         .bucket = partition.bucket,
                         .block = done / kLeafRows,
                         .first_row = rows_,
                         .rows = static_cast<std::uint32_t>(rows)});
      rows_ += rows;
    }
  }
  ++runs_;
  for (auto& column : hashes_) column.resize(places_.size());
  return first;
}

Hash256 ContentHasher::rows_root() const {
  static const Hash256 column_key = domain_key("column of leaves");
  static const Hash256 rows_key = domain_key("rows of a dataset");
  std::vector<Hash256> columns;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    ByteWriter out;
    out.put(columns_[i].id);
    out.put(columns_[i].type.kind);
    out.put(columns_[i].type.precision);
    out.put(columns_[i].type.scale);
    out.put(std::uint8_t{0});
    out.put_bytes(merkle_root(hashes_[i]).view());
    columns.push_back(blake3_keyed(column_key, out.view()));
  }
  ByteWriter out;
  out.put(rows_);
  out.put(std::uint64_t{places_.size()});
  out.put(std::uint64_t{columns.size()});
  out.put_bytes(merkle_root(columns).view());
  return blake3_keyed(rows_key, out.view());
}

Hash256 rows_root(const Batch& batch, const RowLayout& layout, const Id128& salt) {
  ContentHasher content(leaf_columns(*batch.schema));
  for (const Run& run : layout.runs) content.add_run(run);
  LeafHasher hasher(salt);
  for (std::size_t c = 0; c < content.columns().size(); ++c) {
    const ColumnId id = content.columns()[c].id;
    std::size_t in_batch = 0;
    while (ColumnId{batch.schema->columns[in_batch].id} != id) ++in_batch;
    for (std::uint64_t leaf = 0; leaf < content.places().size(); ++leaf) {
      const LeafPlace& place = content.places()[leaf];
      content.put(c, leaf, hasher.hash(id, leaf, place, batch.columns[in_batch], place.first_row));
    }
  }
  return content.rows_root();
}

}  // namespace otolith::model
