//   version u8 = 1 | layout (row_layout.h) | columns varint
//   per column, ids ascending:
//     id varint | kind u8 | precision u8 | scale u8 | form u8: 0 plain, 1 plain with nulls
//     form 1: validity bitmap, (rows + 7) / 8 bytes, spare bits zero, at least one null
//     boolean: a bit per row, (rows + 7) / 8 bytes, spare bits zero
//     other fixed width: zeros up to a multiple of the width from the start, then rows * width
//     bytes
//     text: rows lengths as varints, then the bytes
//   Slots of nulls are zeros, texts of nulls have length 0.
#include "model/wire.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/bools.h"
#include "model/cast.h"
#include "model/sound.h"

namespace otolith::model {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kFormPlain = 0;
constexpr std::uint8_t kFormNulls = 1;
constexpr std::uint64_t kViewAlignmentMax = 8;  // decimals are two words

void encode_text(ByteWriter& out, const Array& array) {
  for (std::uint64_t i = 0; i < array.length; ++i) {
    out.put_varint(array.is_null(i) ? 0 : array.text(i).size());
  }
  for (std::uint64_t i = 0; i < array.length; ++i) {
    if (!array.is_null(i)) out.put_bytes(as_bytes_view(array.text(i)));
  }
}

void encode_column(ByteWriter& out, const Array& array, std::uint32_t id) {
  out.put_varint(id);
  out.put(array.type.kind);
  out.put(array.type.precision);
  out.put(array.type.scale);
  out.put(array.null_count == 0 ? kFormPlain : kFormNulls);
  if (array.null_count != 0) {
    Bytes bitmap(bitmap_bytes(array.length));
    bitmap_copy(array.validity.bytes, 0, array.length, bitmap.data(), 0);
    out.put_bytes(bitmap);
  }
  if (is_text(array.type)) return encode_text(out, array);
  if (array.type.kind == TypeKind::boolean) {
    Bytes bits(bitmap_bytes(array.length));
    bools_pack(array, 0, array.length, bits.data());
    return out.put_bytes(bits);
  }
  const std::uint64_t width = type_width(array.type);
  out.align(width);
  Bytes values(array.length * width);
  copy_plain_values(array, 0, array.length, values.data());
  out.put_bytes(values);
}

class Decoder {
 public:
  Decoder(BytesView bytes, std::shared_ptr<const void> owner)
      : in_(bytes, "inlined rows"), owner_(std::move(owner)) {}

  StoredRows decode() {
    if (in_.get<std::uint8_t>() != kVersion) {
      throw_error(ErrorCode::unsupported_format,
                  "inlined rows of a later version; open the database with a newer Otolith");
    }
    StoredRows out{.layout = layout_read(in_)};
    out.rows = rows_ = layout_rows(out.layout);
    if (rows_ == 0) in_.fail("no rows");
    const std::uint64_t columns = in_.get_count(5);
    if (columns == 0 || columns > kColumnsMax) in_.fail("impossible number of columns");
    out.columns.reserve(columns);
    for (std::uint64_t i = 0; i < columns; ++i) {
      out.columns.push_back(decode_column(i == 0 ? ColumnId{0} : out.columns.back().id));
    }
    in_.expect_end();
    return out;
  }

 private:
  StoredColumn decode_column(ColumnId before) {
    const std::uint64_t id = in_.get_varint();
    if (id <= value_of(before) || id > UINT32_MAX) in_.fail("column ids do not ascend");
    Array array{.type = decode_type(), .length = rows_};
    const auto form = in_.get<std::uint8_t>();
    if (form > kFormNulls) in_.fail("unknown form of a column");
    if (form == kFormNulls) decode_validity(array);
    if (is_text(array.type)) {
      decode_text(array);
    } else if (array.type.kind == TypeKind::boolean) {
      decode_booleans(array);
    } else {
      decode_values(array);
    }
    if (unsound_row(array)) in_.fail(std::string(unsound_words(array.type)).c_str());
    return {ColumnId{static_cast<std::uint32_t>(id)}, std::move(array)};
  }

  Type decode_type() {
    const Type type{in_.get<TypeKind>(), in_.get<std::uint8_t>(), in_.get<std::uint8_t>()};
    if (!type_supported(type)) in_.fail("unknown type of a column");
    return type;
  }

  // A bit per row.
  BytesView get_bits() {
    const BytesView bits = in_.get_bytes(bitmap_bytes(rows_));
    const auto spare = static_cast<unsigned>(rows_ & 7);
    if (spare != 0 && (std::to_integer<unsigned>(bits.back()) >> spare) != 0)
      in_.fail("bits behind the last row");
    return bits;
  }

  void decode_validity(Array& array) {
    const BytesView bitmap = get_bits();
    array.null_count = bitmap_nulls(bitmap, rows_);
    if (array.null_count == 0) in_.fail("validity bits in a form never written");
    array.validity = view(bitmap, 1);
  }

  void decode_booleans(Array& array) {
    const BytesView bits = get_bits();
    std::byte* values = nullptr;
    array.values = buffer_allocate(rows_, &values);
    bools_unpack(bits.data(), 0, rows_, values);
    check_null_slots(array);
  }

  // Nulls are zeros: one form only.
  void check_null_slots(const Array& array) {
    const std::uint64_t width = type_width(array.type);
    for (std::uint64_t i = 0; i < rows_ && array.null_count != 0; ++i) {
      const BytesView slot = array.values.bytes.subspan(i * width, width);
      const auto set = [](std::byte byte) { return byte != std::byte{0}; };
      if (array.is_null(i) && std::ranges::any_of(slot, set)) in_.fail("null with a value");
    }
  }

  void decode_values(Array& array) {
    const std::uint64_t width = type_width(array.type);
    in_.skip_zeros(align_up(in_.offset(), width) - in_.offset());
    array.values = view(in_.get_bytes(rows_ * width), std::min(width, kViewAlignmentMax));
    check_null_slots(array);
  }

  void decode_text(Array& array) {
    if (rows_ > in_.left()) in_.fail("ends too early");
    std::byte* offsets = nullptr;
    array.offsets = buffer_allocate((rows_ + 1) * 8, &offsets);
    std::uint64_t end = 0;
    store_le(offsets, std::int64_t{0});
    for (std::uint64_t i = 0; i < rows_; ++i) {
      const std::uint64_t bytes = in_.get_varint();
      if (bytes > kStringBytesMax) in_.fail("text longer than kStringBytesMax");
      if (bytes != 0 && array.is_null(i)) in_.fail("null with a value");
      end += bytes;
      store_le(offsets + (i + 1) * 8, static_cast<std::int64_t>(end));
    }
    array.values = view(in_.get_bytes(end), 1);
  }

  Buffer view(BytesView bytes, std::uint64_t alignment) const {
    const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment == 0;
    if (owner_ != nullptr && aligned) return {owner_, bytes};
    std::byte* data = nullptr;
    Buffer copy = buffer_allocate(bytes.size(), &data);
    std::ranges::copy(bytes, data);
    return copy;
  }

  ByteReader in_;
  std::shared_ptr<const void> owner_;
  std::uint64_t rows_ = 0;
};

}  // namespace

const Array* StoredRows::find(ColumnId id) const noexcept {
  const auto found = std::ranges::lower_bound(columns, id, {}, &StoredColumn::id);
  return found != columns.end() && found->id == id ? &found->array : nullptr;
}

Bytes wire_encode(const Batch& batch, const RowLayout& layout) {
  OTO_INVARIANT(layout_rows(layout) == batch.rows && batch.rows != 0);
  std::vector<std::size_t> order(batch.columns.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return batch.schema->columns[i].id; });
  ByteWriter out;
  out.put(kVersion);
  layout_write(out, layout);
  out.put_varint(order.size());
  for (const std::size_t i : order) {
    OTO_INVARIANT(batch.schema->columns[i].id != 0);
    encode_column(out, batch.columns[i], batch.schema->columns[i].id);
  }
  return out.take();
}

StoredRows wire_decode(BytesView bytes, std::shared_ptr<const void> owner) {
  return Decoder(bytes, std::move(owner)).decode();
}

Array conform_column(const Array* stored, const Column& column, std::uint64_t rows) {
  if (stored == nullptr) return array_of_nulls(column.type, rows);
  if (cast_always_exact(stored->type, column.type)) {
    return cast(*stored, column.type, {.column = column.name});
  }
  // A seal stores rows of several commits under the widest of their types.
  try {
    if (cast_always_exact(column.type, stored->type))
      return cast(*stored, column.type, {.column = column.name});
  } catch (const Error& error) {
    throw_error(ErrorCode::corrupt, "a value is stored that its column never held: {}",
                error.message());
  }
  throw_error(ErrorCode::corrupt, "column {} is {}, but rows of it are stored as {}",
              quoted(column.name), type_name(column.type), type_name(stored->type));
}

Batch conform(const StoredRows& rows, std::shared_ptr<const Schema> schema) {
  Batch out{.schema = std::move(schema), .rows = rows.rows};
  for (const Column& column : out.schema->columns) {
    out.columns.push_back(conform_column(rows.find(ColumnId{column.id}), column, rows.rows));
  }
  return out;
}

}  // namespace otolith::model
