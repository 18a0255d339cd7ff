#include "files/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "otolith/decimal.h"
#include "otolith/timestamp.h"

namespace otolith::files {

namespace {

template <typename T>
void put_integer(std::string& out, const Array& column, std::uint64_t row) {
  const fmt::format_int text(column.value<T>(row));
  out.append(text.data(), text.size());
}

template <typename T>
void put_float(std::string& out, const Array& column, std::uint64_t row) {
  const std::size_t at = out.size();
  fmt::format_to(std::back_inserter(out), "{}", column.value<T>(row));
  const auto plain = [](char c) { return c == '-' || (c >= '0' && c <= '9'); };
  if (std::all_of(out.begin() + std::ptrdiff_t(at), out.end(), plain)) out += ".0";
}

void put_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
}

}  // namespace

void put_value(std::string& out, const Array& column, std::uint64_t row) {
  switch (column.type.kind) {
    case TypeKind::boolean:
      out += column.value<std::uint8_t>(row) != 0 ? "true" : "false";
      return;
    case TypeKind::int8:
      return put_integer<std::int8_t>(out, column, row);
    case TypeKind::int16:
      return put_integer<std::int16_t>(out, column, row);
    case TypeKind::int32:
      return put_integer<std::int32_t>(out, column, row);
    case TypeKind::int64:
      return put_integer<std::int64_t>(out, column, row);
    case TypeKind::uint8:
      return put_integer<std::uint8_t>(out, column, row);
    case TypeKind::uint16:
      return put_integer<std::uint16_t>(out, column, row);
    case TypeKind::uint32:
      return put_integer<std::uint32_t>(out, column, row);
    case TypeKind::uint64:
      return put_integer<std::uint64_t>(out, column, row);
    case TypeKind::float32:
      return put_float<float>(out, column, row);
    case TypeKind::float64:
      return put_float<double>(out, column, row);
    case TypeKind::decimal:
      out += decimal_format(column.value<Decimal>(row), column.type.scale);
      return;
    case TypeKind::timestamp:
      out += timestamp_format({column.value<std::int64_t>(row)});
      return;
    case TypeKind::string:
      out += column.text(row);
      return;
    case TypeKind::binary:
      return put_hex(out, column.text(row));
  }
}

bool is_no_number(const Array& column, std::uint64_t row) noexcept {
  if (column.type.kind == TypeKind::float64) return !std::isfinite(column.value<double>(row));
  return column.type.kind == TypeKind::float32 && !std::isfinite(column.value<float>(row));
}

}  // namespace otolith::files
