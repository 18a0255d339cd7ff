#include "scan/gather.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "model/array.h"

namespace otolith::scan {

namespace {

template <typename T>
void gather_values(std::span<const Array> from, std::span<const Pick> picks, std::byte* to) {
  std::vector<const T*> values;
  for (const Array& array : from) values.push_back(array.values.as<T>());
  T* out = reinterpret_cast<T*>(to);
  for (std::size_t i = 0; i < picks.size(); ++i) out[i] = values[picks[i].from][picks[i].row];
}

void gather_fixed(std::span<const Array> from, std::span<const Pick> picks, Array& out) {
  const std::uint32_t width = type_width(out.type);
  std::byte* data = nullptr;
  out.values = buffer_allocate(picks.size() * width, &data);
  OTO_INVARIANT(std::has_single_bit(width) && width <= 16);
  switch (width) {
    case 1:
      return gather_values<std::uint8_t>(from, picks, data);
    case 2:
      return gather_values<std::uint16_t>(from, picks, data);
    case 4:
      return gather_values<std::uint32_t>(from, picks, data);
    case 8:
      return gather_values<std::uint64_t>(from, picks, data);
    default:
      return gather_values<std::array<std::uint64_t, 2>>(from, picks, data);
  }
}

void gather_text(std::span<const Array> from, std::span<const Pick> picks, Array& out) {
  std::byte* data = nullptr;
  out.offsets = buffer_allocate((picks.size() + 1) * sizeof(std::int64_t), &data);
  auto* offsets = reinterpret_cast<std::int64_t*>(data);
  offsets[0] = 0;
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const auto bytes = from[picks[i].from].text(picks[i].row).size();
    offsets[i + 1] = offsets[i] + static_cast<std::int64_t>(bytes);
  }
  out.values = buffer_allocate(static_cast<std::size_t>(offsets[picks.size()]), &data);
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const std::string_view text = from[picks[i].from].text(picks[i].row);
    if (!text.empty()) std::memcpy(data + offsets[i], text.data(), text.size());
  }
}

void gather_nulls(std::span<const Array> from, std::span<const Pick> picks, Array& out) {
  const auto any = [](const Array& array) { return array.null_count != 0; };
  if (std::ranges::none_of(from, any)) return;
  std::byte* bits = nullptr;
  Buffer validity = buffer_allocate(model::bitmap_bytes(picks.size()), &bits);
  std::memset(bits, 0, validity.bytes.size());
  for (std::size_t i = 0; i < picks.size(); ++i) {
    if (from[picks[i].from].is_null(picks[i].row))
      ++out.null_count;
    else
      bits[i / 8] |= static_cast<std::byte>(1u << (i % 8));
  }
  if (out.null_count != 0) out.validity = std::move(validity);
}

}  // namespace

Array gather(std::span<const Array> from, std::span<const Pick> picks) {
  OTO_INVARIANT(!from.empty());
  Array out;
  out.type = from.front().type;
  out.length = picks.size();
  if (model::is_text(out.type))
    gather_text(from, picks, out);
  else
    gather_fixed(from, picks, out);
  gather_nulls(from, picks, out);
  return out;
}

}  // namespace otolith::scan
