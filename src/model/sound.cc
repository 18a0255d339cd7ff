#include "model/sound.h"

#include <algorithm>

#include "model/utf8.h"
#include "otolith/timestamp.h"

namespace otolith::model {

namespace {

template <typename Flaw>
std::optional<std::uint64_t> first_row(const Array& array, Flaw flaw) noexcept {
  for (std::uint64_t row = 0; row < array.length; ++row) {
    if (!array.is_null(row) && flaw(row)) return row;
  }
  return std::nullopt;
}

// A minimum over the column is one pass at memory speed; the row is looked for where it is bad.
std::optional<std::uint64_t> unsound_time(const Array& array) noexcept {
  const auto* times = array.values.as<std::int64_t>();
  std::int64_t least = kTimestampMin.ns;
  for (std::uint64_t row = 0; row < array.length; ++row) least = std::min(least, times[row]);
  if (least != kNotATime) return std::nullopt;
  return first_row(array, [&](std::uint64_t row) { return times[row] == kNotATime; });
}

// The bytes of all rows at once where that decides it; row by row only where it does not.
std::optional<std::uint64_t> unsound_text(const Array& array) noexcept {
  const auto* offsets = array.offsets.as<std::int64_t>();
  const std::string_view all(array.values.as<char>() + offsets[0],
                             static_cast<std::size_t>(offsets[array.length] - offsets[0]));
  if (ascii_only(all)) return std::nullopt;
  return first_row(array, [&](std::uint64_t row) { return !utf8_valid(array.text(row)); });
}

}  // namespace

std::optional<std::uint64_t> unsound_row(const Array& array) noexcept {
  if (array.type.kind == TypeKind::timestamp) return unsound_time(array);
  if (array.type.kind == TypeKind::string) return unsound_text(array);
  return std::nullopt;
}

}  // namespace otolith::model
