#include "model/gather.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "model/array.h"

namespace otolith::model {

namespace {

// Rows of one array.
struct OfOne {
  const Array& array;
  std::span<const std::uint32_t> rows;

  std::size_t size() const noexcept { return rows.size(); }
  Type type() const noexcept { return array.type; }
  bool any_nulls() const noexcept { return array.null_count != 0; }
  const Array& array_of(std::size_t) const noexcept { return array; }
  std::uint64_t row_of(std::size_t i) const noexcept { return rows[i]; }
  template <typename T>
  void copy_values(T* out) const {
    const T* const values = array.values.as<T>();
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = values[rows[i]];
  }
};

// Rows of several.
struct OfSeveral {
  std::span<const Array> arrays;
  std::span<const Pick> picks;

  std::size_t size() const noexcept { return picks.size(); }
  Type type() const noexcept { return arrays.front().type; }
  bool any_nulls() const noexcept {
    return std::ranges::any_of(arrays, [](const Array& array) { return array.null_count != 0; });
  }
  const Array& array_of(std::size_t i) const noexcept { return arrays[picks[i].from]; }
  std::uint64_t row_of(std::size_t i) const noexcept { return picks[i].row; }
  template <typename T>
  void copy_values(T* out) const {
    std::vector<const T*> values;
    for (const Array& array : arrays) values.push_back(array.values.as<T>());
    for (std::size_t i = 0; i < picks.size(); ++i) out[i] = values[picks[i].from][picks[i].row];
  }
};

template <typename T>
void gather_values(const auto& picks, std::byte* out) {
  picks.template copy_values<T>(reinterpret_cast<T*>(out));
}

void gather_fixed(const auto& picks, Array& out) {
  const std::uint32_t width = type_width(out.type);
  std::byte* data = nullptr;
  out.values = buffer_allocate(picks.size() * width, &data);
  switch (width) {
    case 1:
      return gather_values<std::uint8_t>(picks, data);
    case 2:
      return gather_values<std::uint16_t>(picks, data);
    case 4:
      return gather_values<std::uint32_t>(picks, data);
    case 8:
      return gather_values<std::uint64_t>(picks, data);
    default:
      OTO_INVARIANT(width == 16);  // decimals
      return gather_values<std::array<std::uint64_t, 2>>(picks, data);
  }
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

void gather_text(const auto& picks, Array& out) {
  std::byte* data = nullptr;
  out.offsets = buffer_allocate((picks.size() + 1) * sizeof(std::int64_t), &data);
  auto* offsets = reinterpret_cast<std::int64_t*>(data);
  offsets[0] = 0;
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const auto bytes = picks.array_of(i).text(picks.row_of(i)).size();
    offsets[i + 1] = offsets[i] + static_cast<std::int64_t>(bytes);
  }
  out.values = buffer_allocate(static_cast<std::size_t>(offsets[picks.size()]), &data);
  const auto end = static_cast<std::size_t>(offsets[picks.size()]);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const Array& array = picks.array_of(i);
    const std::string_view text = array.text(picks.row_of(i));
    const auto at = static_cast<std::size_t>(offsets[i]);
    copy_text(text, array.values.bytes, data + at, end - at);
  }
}

void gather_nulls(const auto& picks, Array& out) {
  if (!picks.any_nulls()) return;
  std::byte* bits = nullptr;
  Buffer validity = buffer_allocate(bitmap_bytes(picks.size()), &bits);
  if (picks.size() != 0) std::memset(bits, 0, bitmap_bytes(picks.size()));
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const unsigned valid = picks.array_of(i).is_null(picks.row_of(i)) ? 0 : 1;
    bits[i >> 3] |= static_cast<std::byte>(valid << (i & 7));
  }
  out.null_count = bitmap_nulls(validity.bytes, picks.size());
  if (out.null_count != 0) out.validity = std::move(validity);
}

Array gather_rows(const auto& picks) {
  Array out{.type = picks.type(), .length = picks.size()};
  is_text(out.type) ? gather_text(picks, out) : gather_fixed(picks, out);
  gather_nulls(picks, out);
  return out;
}

}  // namespace

Array gather(std::span<const Array> from, std::span<const Pick> picks) {
  OTO_INVARIANT(!from.empty());
  return gather_rows(OfSeveral{from, picks});
}

Array gather(const Array& array, std::span<const std::uint32_t> rows) {
  return gather_rows(OfOne{array, rows});
}

Batch gather(const Batch& batch, std::span<const std::uint32_t> rows) {
  Batch out{.schema = batch.schema, .rows = rows.size()};
  for (const Array& column : batch.columns) out.columns.push_back(gather(column, rows));
  return out;
}

}  // namespace otolith::model
