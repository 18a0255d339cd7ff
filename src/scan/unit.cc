#include "scan/unit.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/cast.h"
#include "model/gather.h"
#include "model/wire.h"
#include "scan/pages.h"
#include "segment/tasks.h"

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

namespace {

// Rows beside them may be of later commits, whose values the narrower type does not hold: only
// these are cast.
Bytes gather_narrowed(const RowSource& source, std::size_t piece,
                      std::span<const std::uint32_t> rows, const Column& column, Type stored,
                      std::byte* out) {
  Column wide = column;
  wide.type = stored;
  const Array values = gather_values(source, piece, rows, wide);
  const Array narrow = model::conform_column(&values, column, rows.size());
  std::ranges::copy(narrow.values.bytes, out);
  const BytesView validity = narrow.null_count == 0 ? BytesView{} : narrow.validity.bytes;
  return {validity.begin(), validity.end()};
}

}  // namespace

Bytes gather_fixed(const RowSource& source, std::size_t piece, std::span<const std::uint32_t> rows,
                   const Column& column, std::byte* out) {
  const ColumnId id{column.id};
  const auto stored = source.type(id);
  const bool as_stored = stored == column.type;
  if (stored && !as_stored && !model::cast_always_exact(*stored, column.type) &&
      !mutant("narrowed-by-page")) {
    return gather_narrowed(source, piece, rows, column, *stored, out);
  }
  Bytes validity;
  std::uint64_t done = 0;
  for_each_page(source, piece, rows, [&](RowRange of, std::span<const std::uint32_t> held) {
    std::byte* const to = out + done * type_width(column.type);
    std::optional<Buffer> valid;
    if (as_stored) valid = source.gather(piece, id, of.first / source.page_rows(), held, to);
    if (!valid) {
      const Array page = piece_values(source, piece, column, of.first, of.count);
      model::values_gather(page.values.bytes.data(), type_width(page.type), held, of.first, to);
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

std::uint64_t rows_in(std::span<const Unit> units) noexcept {
  std::uint64_t rows = 0;
  for (const Unit& unit : units) rows += unit.rows;
  return rows;
}

namespace {

// A part of several units' rows, and its place among them.
struct Placed {
  const RowSource* source = nullptr;
  const Selected* part = nullptr;
  std::uint64_t place = 0;
};

std::vector<Placed> placed_parts(std::span<const Unit> units) {
  std::vector<Placed> out;
  std::uint64_t place = 0;
  for (const Unit& unit : units) {
    for (const Selected& part : unit.parts) {
      out.push_back({unit.source.get(), &part, place});
      place += rows_in(part.ranges);
    }
  }
  return out;
}

// Decoded in place where the codec does so, else moved there.
void place_fixed(const Placed& at, const Column& column, const codec::Target& memory, Array& out) {
  const codec::Target target{memory.owner, memory.values + at.place * type_width(column.type)};
  const RowRange& range = at.part->ranges.front();
  out = at.part->ranges.size() == 1
            ? piece_values(*at.source, at.part->piece, column, range.first, range.count, target)
            : selected_values(*at.source, *at.part, column);
  const BytesView values = out.values.bytes;
  if (!values.empty() && values.data() != target.values)
    std::memcpy(target.values, values.data(), values.size());
}

// Text behind each other: where it begins is known once all of it is decoded.
void join_text(const std::vector<Placed>& parts, const std::vector<Array>& arrays, unsigned threads,
               io::Scratch& scratch, Array& out) {
  std::vector<std::uint64_t> starts{0};
  for (const Array& array : arrays) starts.push_back(starts.back() + model::text_bytes(array));
  const std::uint64_t offset_bytes = (out.length + 1) * sizeof(std::int64_t);
  const std::shared_ptr<std::byte> memory = scratch.memory(offset_bytes + starts.back());
  std::byte* const values = memory.get() + offset_bytes;
  store_le<std::int64_t>(memory.get(), 0);
  segment::run_tasks(threads, parts.size(), [&](unsigned, std::size_t i) {
    model::text_copy(arrays[i], starts[i],
                     memory.get() + (parts[i].place + 1) * sizeof(std::int64_t),
                     values + starts[i]);
  });
  out.offsets = {memory, {memory.get(), offset_bytes}};
  out.values = {memory, {values, starts.back()}};
}

}  // namespace

Array units_values(std::span<const Unit> units, const Column& column, unsigned threads,
                   io::Scratch& scratch) {
  const std::vector<Placed> parts = placed_parts(units);
  if (parts.size() == 1) return selected_values(*parts[0].source, *parts[0].part, column);
  Array out{.type = column.type, .length = rows_in(units)};
  threads = segment::threads_worth(threads, out.length);
  const bool text = model::is_text(column.type);
  std::shared_ptr<std::byte> memory;
  if (!text) memory = scratch.memory(out.length * type_width(column.type));
  std::vector<Array> arrays(parts.size());
  segment::run_tasks(threads, parts.size(), [&](unsigned, std::size_t i) {
    if (text)
      arrays[i] = selected_values(*parts[i].source, *parts[i].part, column);
    else
      place_fixed(parts[i], column, {memory, memory.get()}, arrays[i]);
  });
  if (text)
    join_text(parts, arrays, threads, scratch, out);
  else
    out.values = {memory, {memory.get(), out.length * type_width(column.type)}};
  std::vector<const Array*> all;
  for (const Array& array : arrays) {
    all.push_back(&array);
    out.null_count += array.null_count;
  }
  if (out.null_count != 0) out.validity = model::validity_concat(all);
  return out;
}

}  // namespace otolith::scan
