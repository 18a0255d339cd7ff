#include "model/sound.h"

#include <algorithm>

#include "base/mutant.h"
#include "model/decimals.h"
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

// One pass at memory speed; the row is looked for where there is one. Of -2^63 alone the sign goes
// where 1 is taken away: any vectors can tell that, while comparing 64 bits needs newer ones.
std::optional<std::uint64_t> unsound_time(const Array& array) noexcept {
  static_assert(kNotATime == INT64_MIN);
  const auto* times = array.values.as<std::int64_t>();
  std::uint64_t signs = 0;
  for (std::uint64_t row = 0; row < array.length; ++row) {
    const auto time = static_cast<std::uint64_t>(times[row]);
    signs |= time & ~(time - 1);
  }
  if ((signs >> 63) == 0) return std::nullopt;
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

std::optional<std::uint64_t> unsound_boolean(const Array& array) noexcept {
  const auto* values = array.values.as<std::uint8_t>();
  unsigned any = 0;
  for (std::uint64_t row = 0; row < array.length; ++row) any |= values[row];
  if (any <= 1) return std::nullopt;
  return first_row(array, [&](std::uint64_t row) { return values[row] > 1; });
}

std::optional<std::uint64_t> unsound_decimal(const Array& array) noexcept {
  if (mutant("decimal-digits-unchecked")) return std::nullopt;
  const auto* values = array.values.as<Decimal>();
  const Decimal most = decimal_of_int128(decimal_limit(array.type.precision));
  const Decimal least = decimal_of_int128(-decimal_limit(array.type.precision));
  bool all = true;
  for (std::uint64_t row = 0; row < array.length; ++row)
    all &= values[row] >= least && values[row] <= most;
  if (all) return std::nullopt;
  return first_row(array,
                   [&](std::uint64_t row) { return values[row] < least || values[row] > most; });
}

}  // namespace

std::optional<std::uint64_t> unsound_row(const Array& array) noexcept {
  switch (array.type.kind) {
    case TypeKind::timestamp:
      return unsound_time(array);
    case TypeKind::string:
      return unsound_text(array);
    case TypeKind::boolean:
      return unsound_boolean(array);
    case TypeKind::decimal:
      return unsound_decimal(array);
    default:
      return std::nullopt;
  }
}

std::string_view unsound_words(Type type) noexcept {
  switch (type.kind) {
    case TypeKind::timestamp:
      return "it holds -2^63, which is no time";
    case TypeKind::string:
      return "it holds text that is not UTF-8";
    case TypeKind::boolean:
      return "it holds a boolean that is neither 0 nor 1";
    case TypeKind::decimal:
      return "it holds a decimal of more digits than its precision";
    default:
      return {};
  }
}

}  // namespace otolith::model
