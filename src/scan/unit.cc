#include "scan/unit.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "model/array.h"
#include "model/gather.h"
#include "model/wire.h"
#include "scan/pages.h"

namespace otolith::scan {

Array piece_values(const RowSource& source, std::size_t piece, const Column& column,
                   std::uint64_t first, std::uint64_t rows, const codec::Target& target) {
  const ColumnId id{column.id};
  if (!source.type(id)) return model::conform_column(nullptr, column, rows);
  const Array stored = source.type(id) == column.type
                           ? source.values_into(piece, id, first, rows, target)
                           : source.values(piece, id, first, rows);
  return model::conform_column(&stored, column, rows);
}

namespace {

using Value16 = std::array<std::uint64_t, 2>;

template <typename T>
void copy_rows(const Array& page, std::uint64_t first, std::span<const std::uint32_t> rows,
               std::byte* out) noexcept {
  const T* values = page.values.as<T>();
  auto* to = reinterpret_cast<T*>(out);
  for (std::size_t i = 0; i < rows.size(); ++i) to[i] = values[rows[i] - first];
}

void copy_rows(const Array& page, std::uint64_t first, std::span<const std::uint32_t> rows,
               std::byte* out) {
  switch (type_width(page.type)) {
    case 1:
      return copy_rows<std::uint8_t>(page, first, rows, out);
    case 2:
      return copy_rows<std::uint16_t>(page, first, rows, out);
    case 4:
      return copy_rows<std::uint32_t>(page, first, rows, out);
    case 8:
      return copy_rows<std::uint64_t>(page, first, rows, out);
    default:
      OTO_INVARIANT(type_width(page.type) == sizeof(Value16));
      return copy_rows<Value16>(page, first, rows, out);
  }
}

// Bits of values that are there; those from `to` on are zero yet.
void copy_validity(BytesView page, std::uint64_t first, std::span<const std::uint32_t> rows,
                   Bytes& bits, std::uint64_t to) {
  for (const std::uint32_t row : rows) {
    const unsigned valid = page.empty() || model::bitmap_get(page, row - first) ? 1 : 0;
    bits[to / 8] |= static_cast<std::byte>(valid << (to % 8));
    ++to;
  }
}

void set_validity(Bytes& bits, std::uint64_t rows) {
  std::fill_n(bits.begin(), rows / 8, std::byte{0xff});
  if (rows % 8 != 0) bits[rows / 8] = static_cast<std::byte>((1u << (rows % 8)) - 1);
}

Array gather_text(const RowSource& source, std::size_t piece, std::span<const std::uint32_t> rows,
                  const Column& column) {
  std::vector<Array> pages;
  std::vector<std::uint32_t> places;
  for_each_page(source, piece, rows, [&](RowRange page, std::span<const std::uint32_t> held) {
    places.clear();
    for (const std::uint32_t row : held)
      places.push_back(static_cast<std::uint32_t>(row - page.first));
    pages.push_back(
        model::gather(piece_values(source, piece, column, page.first, page.count), places));
  });
  std::vector<const Array*> all;
  for (const Array& page : pages) all.push_back(&page);
  return model::array_concat(all);
}

}  // namespace

std::vector<std::uint32_t> row_numbers(const RowRanges& ranges) {
  std::vector<std::uint32_t> out(rows_in(ranges));
  std::uint32_t* to = out.data();
  for (const RowRange& range : ranges) {
    const auto first = static_cast<std::uint32_t>(range.first);
    for (std::uint32_t i = 0; i < range.count; ++i) *to++ = first + i;
  }
  return out;
}

Bytes gather_fixed(const RowSource& source, std::size_t piece, std::span<const std::uint32_t> rows,
                   const Column& column, std::byte* out) {
  const ColumnId id{column.id};
  const bool as_stored = source.type(id) == column.type;
  Bytes validity;
  std::uint64_t done = 0;
  for_each_page(source, piece, rows, [&](RowRange of, std::span<const std::uint32_t> held) {
    std::byte* const to = out + done * type_width(column.type);
    std::optional<Buffer> valid;
    if (as_stored) valid = source.gather(piece, id, of.first / source.page_rows(), held, to);
    if (!valid) {
      const Array page = piece_values(source, piece, column, of.first, of.count);
      copy_rows(page, of.first, held, to);
      valid = page.null_count == 0 ? Buffer{} : page.validity;
    }
    const bool nulls = !valid->bytes.empty();
    if (nulls && validity.empty()) {
      validity.resize(model::bitmap_bytes(rows.size()));
      set_validity(validity, done);
    }
    if (!validity.empty()) copy_validity(valid->bytes, of.first, held, validity, done);
    done += held.size();
  });
  return validity;
}

Array gather_values(const RowSource& source, std::size_t piece, std::span<const std::uint32_t> rows,
                    const Column& column) {
  if (model::is_text(column.type)) return gather_text(source, piece, rows, column);
  Array out{.type = column.type, .length = rows.size()};
  std::byte* values = nullptr;
  out.values = buffer_allocate(out.length * type_width(out.type), &values);
  Bytes validity = gather_fixed(source, piece, rows, column, values);
  out.null_count = validity.empty() ? 0 : model::bitmap_nulls(validity, out.length);
  if (out.null_count != 0) out.validity = buffer_of(std::move(validity));
  return out;
}

Array selected_values(const RowSource& source, const Selected& part, const Column& column) {
  if (part.ranges.size() != 1)
    return gather_values(source, part.piece, row_numbers(part.ranges), column);
  const RowRange& range = part.ranges.front();
  return piece_values(source, part.piece, column, range.first, range.count);
}

Array unit_values(const Unit& unit, const Column& column) {
  std::vector<Array> arrays;
  for (const Selected& part : unit.parts)
    arrays.push_back(selected_values(*unit.source, part, column));
  std::vector<const Array*> all;
  for (const Array& array : arrays) all.push_back(&array);
  return model::array_concat(all);
}

}  // namespace otolith::scan
