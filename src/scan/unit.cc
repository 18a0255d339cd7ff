#include "scan/unit.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/cast.h"
#include "model/compress.h"
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

constexpr std::uint64_t kFewOfPage = 64;  // one row of so many: the others are not worth decoding

constexpr std::uint64_t kFewTextsOfPage = 3;  // the same of texts that are told one by one

using PageBits = std::array<std::uint64_t, kPageRowsMax / 64>;

// Rows by number.
std::vector<std::uint32_t> row_numbers(const RowSet& rows) {
  std::vector<std::uint32_t> out(rows.rows());
  std::uint32_t* to = out.data();
  for (const RowRange& range : rows) {
    const auto first = static_cast<std::uint32_t>(range.first);
    for (std::uint32_t i = 0; i < range.count; ++i) *to++ = first + i;
  }
  return out;
}

// A bitmap of validity that is there once a null is met.
class Validity {
 public:
  explicit Validity(std::uint64_t rows) : rows_(rows) {}

  /// Of the next `rows`, which stand in a page whose validity is `page` (empty: all are there).
  void add(BytesView page, std::span<const std::uint64_t> of_page, std::uint64_t rows) {
    if (!page.empty() && bits_.empty()) {
      bits_.resize(model::bitmap_bytes(rows_));
      set(0, done_);
    }
    if (page.empty() && !bits_.empty()) set(done_, rows);
    if (!page.empty()) model::bits_compress(page, of_page, bits_.data(), done_);
    done_ += rows;
  }
  Bytes take() && { return std::move(bits_); }

 private:
  void set(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t at = first; at < first + count; ++at)
      bits_[at / 8] |= static_cast<std::byte>(1u << (at % 8));
  }

  std::uint64_t rows_;
  std::uint64_t done_ = 0;
  Bytes bits_;
};

// Few of a page's texts, each by itself; nullopt where they cannot be told so.
std::optional<Array> picked_text(const RowSource& source, std::size_t piece, const RowSet& rows,
                                 const Column& column) {
  if (column.type.kind != TypeKind::binary || source.type(ColumnId{column.id}) != column.type)
    return std::nullopt;
  model::ArrayBuilder out(column.type);
  for (const std::uint32_t row : row_numbers(rows)) {
    const auto text = source.picked(piece, ColumnId{column.id}, row);
    if (!text) return std::nullopt;
    out.append_text(*text);
  }
  return out.finish();
}

Array gather_text(const RowSource& source, std::size_t piece, const RowSet& rows,
                  const Column& column) {
  std::vector<Array> pages;
  for_each_page(source, piece, rows, [&](RowRange page, const RowSet& held) {
    if (held.rows() * kFewTextsOfPage < page.count) {
      if (auto picked = picked_text(source, piece, held, column)) {
        pages.push_back(*std::move(picked));
        return;
      }
    }
    pages.push_back(model::gather(piece_values(source, piece, column, page.first, page.count),
                                  row_numbers(held.slice(page))));
  });
  std::vector<const Array*> all;
  for (const Array& page : pages) all.push_back(&page);
  return model::array_concat(all);
}

// Rows beside them may be of later commits, whose values the narrower type does not hold: only
// these are cast.
Bytes gather_narrowed(const RowSource& source, std::size_t piece, const RowSet& rows,
                      const Column& column, Type stored, std::byte* out) {
  Column wide = column;
  wide.type = stored;
  const Array values = gather_values(source, piece, rows, wide);
  const Array narrow = model::conform_column(&values, column, rows.rows());
  std::ranges::copy(narrow.values.bytes, out);
  const BytesView validity = narrow.null_count == 0 ? BytesView{} : narrow.validity.bytes;
  return {validity.begin(), validity.end()};
}

}  // namespace

Bytes gather_fixed(const RowSource& source, std::size_t piece, const RowSet& rows,
                   const Column& column, const codec::Target& out) {
  const ColumnId id{column.id};
  const auto stored = source.type(id);
  const bool as_stored = stored == column.type;
  if (stored && !as_stored && !model::cast_always_exact(*stored, column.type) &&
      !mutant("narrowed-by-page")) {
    return gather_narrowed(source, piece, rows, column, *stored, out.values);
  }
  const std::uint32_t width = type_width(column.type);
  const auto memory = std::make_shared_for_overwrite<std::byte[]>(kPageRowsMax * width);
  Validity validity(rows.rows());
  std::byte* to = out.values;
  for_each_page(source, piece, rows, [&](RowRange page, const RowSet& held) {
    PageBits bits;
    held.put_bits(mutant("page-bits-misplaced") ? RowRange{page.first + 1, page.count} : page,
                  bits.data());
    const std::span of_page = std::span(bits).first(model::bit_words(page.count));
    std::optional<Buffer> valid;
    if (as_stored && held.rows() * kFewOfPage < page.count)
      valid = source.gather(piece, id, page.first / source.page_rows(), row_numbers(held), to);
    if (!valid) {
      const bool all = held.rows() == page.count;
      const codec::Target target =
          all ? codec::Target{out.owner, to} : codec::Target{memory, memory.get()};
      const Array values = piece_values(source, piece, column, page.first, page.count, target);
      const std::byte* const from = values.values.bytes.data();
      if (!all)
        model::values_compress(from, width, of_page, to);
      else if (from != to)
        std::memcpy(to, from, page.count * width);
      valid = values.null_count == 0 ? Buffer{} : values.validity;
    }
    validity.add(valid->bytes, of_page, held.rows());
    to += held.rows() * width;
  });
  return std::move(validity).take();
}

Array gather_values(const RowSource& source, std::size_t piece, const RowSet& rows,
                    const Column& column) {
  if (model::is_text(column.type)) return gather_text(source, piece, rows, column);
  Array out{.type = column.type, .length = rows.rows()};
  std::byte* values = nullptr;
  out.values = buffer_allocate(out.length * type_width(out.type), &values);
  Bytes validity = gather_fixed(source, piece, rows, column, {out.values.owner, values});
  out.null_count = validity.empty() ? 0 : model::bitmap_nulls(validity, out.length);
  if (out.null_count != 0) out.validity = buffer_of(std::move(validity));
  return out;
}

Array selected_values(const RowSource& source, const Selected& part, const Column& column) {
  const RowSet& rows = part.ranges;
  if (!rows.is_range()) return gather_values(source, part.piece, rows, column);
  return piece_values(source, part.piece, column, rows.first_row(), rows.rows());
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
      place += part.ranges.rows();
    }
  }
  return out;
}

// Decoded in place where the codec does so, else moved there.
void place_fixed(const Placed& at, const Column& column, const codec::Target& memory, Array& out) {
  const codec::Target target{memory.owner, memory.values + at.place * type_width(column.type)};
  const RowSet& rows = at.part->ranges;
  out = rows.is_range() ? piece_values(*at.source, at.part->piece, column, rows.first_row(),
                                       rows.rows(), target)
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
