#include "model/gather.h"

#include <cstring>

#include "base/error.h"
#include "model/array.h"

namespace otolith::model {

namespace {

using Rows = std::span<const std::uint32_t>;

template <std::size_t width>
void gather_of(const std::byte* values, Rows rows, std::uint64_t first, std::byte* out) noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(out + i * width, values + (rows[i] - first) * width, width);
}

void gather_fixed(const Array& array, Rows rows, const Allocate& allocate, Array& out) {
  const std::uint32_t width = type_width(out.type);
  std::byte* data = nullptr;
  out.values = allocate(rows.size() * width, &data);
  values_gather(array.values.bytes.data(), width, rows, 0, data);
}

// Short texts as one block, where both sides have room for it: what is behind the text in `out` is
// written later. A call for each would cost more than the copy.
void copy_text(std::string_view text, std::span<const std::byte> among, std::byte* out,
               std::size_t room) {
  constexpr std::size_t block = 16;
  const auto behind = static_cast<std::size_t>(
      reinterpret_cast<const char*>(among.data() + among.size()) - text.data());
  if (text.size() <= block && behind >= block && room >= block)
    std::memcpy(out, text.data(), block);
  else if (!text.empty())
    std::memcpy(out, text.data(), text.size());
}

void gather_text(const Array& array, Rows rows, const Allocate& allocate, Array& out) {
  std::byte* data = nullptr;
  out.offsets = allocate((rows.size() + 1) * sizeof(std::int64_t), &data);
  auto* offsets = reinterpret_cast<std::int64_t*>(data);
  offsets[0] = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    offsets[i + 1] = offsets[i] + static_cast<std::int64_t>(array.text(rows[i]).size());
  const auto end = static_cast<std::size_t>(offsets[rows.size()]);
  out.values = allocate(end, &data);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::size_t>(offsets[i]);
    copy_text(array.text(rows[i]), array.values.bytes, data + at, end - at);
  }
}

void gather_nulls(const Array& array, Rows rows, Array& out) {
  if (array.null_count == 0) return;
  std::byte* bits = nullptr;
  Buffer validity = buffer_allocate(bitmap_bytes(rows.size()), &bits);
  if (!rows.empty()) std::memset(bits, 0, bitmap_bytes(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const unsigned valid = array.is_null(rows[i]) ? 0 : 1;
    bits[i >> 3] |= static_cast<std::byte>(valid << (i & 7));
  }
  out.null_count = bitmap_nulls(validity.bytes, rows.size());
  if (out.null_count != 0) out.validity = std::move(validity);
}

}  // namespace

void values_gather(const std::byte* values, std::uint32_t width, Rows rows, std::uint64_t first,
                   std::byte* out) noexcept {
  switch (width) {
    case 1:
      return gather_of<1>(values, rows, first, out);
    case 2:
      return gather_of<2>(values, rows, first, out);
    case 4:
      return gather_of<4>(values, rows, first, out);
    case 8:
      return gather_of<8>(values, rows, first, out);
    default:
      OTO_INVARIANT(width == 16);  // decimals
      return gather_of<16>(values, rows, first, out);
  }
}

Array gather(const Array& array, Rows rows, const Allocate& allocate) {
  Array out{.type = array.type, .length = rows.size()};
  is_text(out.type) ? gather_text(array, rows, allocate, out)
                    : gather_fixed(array, rows, allocate, out);
  gather_nulls(array, rows, out);
  return out;
}

Batch gather(const Batch& batch, Rows rows) {
  Batch out{.schema = batch.schema, .rows = rows.size()};
  for (const Array& column : batch.columns) out.columns.push_back(gather(column, rows));
  return out;
}

}  // namespace otolith::model
