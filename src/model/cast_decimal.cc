#include "model/cast_decimal.h"

#include <limits>

#include "base/error.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/decimals.h"

namespace otolith::model {

namespace {

// Rows that are not null, one after the other; the slots of nulls become zeros.
template <typename To, typename Convert>
Array convert_rows(const Array& from, const Target& target, Convert convert) {
  Array out{.type = target.type,
            .length = from.length,
            .null_count = from.null_count,
            .validity = from.validity};
  std::byte* data = nullptr;
  out.values = buffer_allocate(from.length * sizeof(To), &data);
  auto* values = reinterpret_cast<To*>(data);
  for (std::uint64_t row = 0; row < from.length; ++row)
    values[row] = from.is_null(row) ? To{} : convert(row);
  return out;
}

std::string units_text(const Array& from, std::uint64_t row) {
  return decimal_format(from.value<Decimal>(row), from.type.scale);
}

template <typename From>
Array from_integer(const Array& from, const Target& target) {
  return convert_rows<Decimal>(from, target, [&](std::uint64_t row) {
    const From value = from.value<From>(row);
    const auto units = decimal_rescaled(value, 0, target.type);
    if (!units) refuse_lossy(target, row, fmt::format("{}", value));
    return *units;
  });
}

template <typename From>
Array from_float(const Array& from, const Target& target) {
  return convert_rows<Decimal>(from, target, [&](std::uint64_t row) {
    const From value = from.value<From>(row);
    const auto units = decimal_from_float(double{value}, target.type);
    if (units) return *units;
    throw_error(ErrorCode::invalid_argument,
                "column {}: row {} is the float {}, which cannot be kept without loss as {}; give "
                "decimals, or text of as many digits as are meant",
                quoted(target.place.column), target.place.row_first + row, value,
                type_name(target.type));
  });
}

Array from_decimal(const Array& from, const Target& target) {
  return convert_rows<Decimal>(from, target, [&](std::uint64_t row) {
    const Int128 value = int128_of(from.value<Decimal>(row));
    const auto units = decimal_rescaled(value, from.type.scale, target.type);
    if (!units) refuse_lossy(target, row, units_text(from, row));
    return *units;
  });
}

Array from_text(const Array& from, const Target& target) {
  return convert_rows<Decimal>(from, target, [&](std::uint64_t row) {
    const DecimalText read = decimal_from_text(from.text(row), target.type);
    if (!read.is_number) {
      throw_error(ErrorCode::invalid_argument, "column {}: row {} is {}, which is no number",
                  quoted(target.place.column), target.place.row_first + row,
                  quoted(from.text(row)));
    }
    if (!read.units) refuse_lossy(target, row, quoted(from.text(row)));
    return *read.units;
  });
}

template <typename To>
Array to_integer(const Array& from, const Target& target) {
  return convert_rows<To>(from, target, [&](std::uint64_t row) {
    const auto value = decimal_to_integer(from.value<Decimal>(row), from.type.scale);
    if (!value || *value < Int128{std::numeric_limits<To>::min()} ||
        *value > Int128{std::numeric_limits<To>::max()}) {
      refuse_lossy(target, row, units_text(from, row));
    }
    return static_cast<To>(*value);
  });
}

template <typename To>
Array to_float(const Array& from, const Target& target) {
  return convert_rows<To>(from, target, [&](std::uint64_t row) {
    const auto value = decimal_to_float(from.value<Decimal>(row), from.type.scale);
    if (!value || double{static_cast<To>(*value)} != *value)
      refuse_lossy(target, row, units_text(from, row));
    return static_cast<To>(*value);
  });
}

Array to_text(const Array& from) {
  ArrayBuilder out({TypeKind::string});
  for (std::uint64_t row = 0; row < from.length; ++row) {
    if (from.is_null(row)) {
      out.append_null();
    } else {
      out.append_text(units_text(from, row));
    }
  }
  return out.finish();
}

// Digits of the greatest value of a type of integers; 0 for other types.
unsigned integer_digits(TypeKind kind) noexcept {
  switch (kind) {
    case TypeKind::int8:
    case TypeKind::uint8:
      return 3;
    case TypeKind::int16:
    case TypeKind::uint16:
      return 5;
    case TypeKind::int32:
    case TypeKind::uint32:
      return 10;
    case TypeKind::int64:
      return 19;
    case TypeKind::uint64:
      return 20;
    default:
      return 0;
  }
}

std::optional<Array> to_decimal(const Array& from, const Target& target) {
  switch (from.type.kind) {
    case TypeKind::int8:
      return from_integer<std::int8_t>(from, target);
    case TypeKind::int16:
      return from_integer<std::int16_t>(from, target);
    case TypeKind::int32:
      return from_integer<std::int32_t>(from, target);
    case TypeKind::int64:
      return from_integer<std::int64_t>(from, target);
    case TypeKind::uint8:
      return from_integer<std::uint8_t>(from, target);
    case TypeKind::uint16:
      return from_integer<std::uint16_t>(from, target);
    case TypeKind::uint32:
      return from_integer<std::uint32_t>(from, target);
    case TypeKind::uint64:
      return from_integer<std::uint64_t>(from, target);
    case TypeKind::float32:
      return from_float<float>(from, target);
    case TypeKind::float64:
      return from_float<double>(from, target);
    case TypeKind::decimal:
      return from_decimal(from, target);
    case TypeKind::string:
      return from_text(from, target);
    default:
      return std::nullopt;
  }
}

}  // namespace

void refuse_lossy(const Target& target, std::uint64_t row, std::string_view value) {
  throw_error(ErrorCode::invalid_argument,
              "column {}: row {} is {}, which cannot be kept without loss as {}",
              quoted(target.place.column), target.place.row_first + row, value,
              type_name(target.type));
}

std::optional<Array> cast_decimal(const Array& from, const Target& target) {
  if (target.type.kind == TypeKind::decimal) return to_decimal(from, target);
  switch (target.type.kind) {
    case TypeKind::int8:
      return to_integer<std::int8_t>(from, target);
    case TypeKind::int16:
      return to_integer<std::int16_t>(from, target);
    case TypeKind::int32:
      return to_integer<std::int32_t>(from, target);
    case TypeKind::int64:
      return to_integer<std::int64_t>(from, target);
    case TypeKind::uint8:
      return to_integer<std::uint8_t>(from, target);
    case TypeKind::uint16:
      return to_integer<std::uint16_t>(from, target);
    case TypeKind::uint32:
      return to_integer<std::uint32_t>(from, target);
    case TypeKind::uint64:
      return to_integer<std::uint64_t>(from, target);
    case TypeKind::float32:
      return to_float<float>(from, target);
    case TypeKind::float64:
      return to_float<double>(from, target);
    case TypeKind::string:
      return to_text(from);
    default:
      return std::nullopt;
  }
}

bool decimal_holds(Type type, Type other) noexcept {
  const unsigned whole = type.precision - type.scale;
  if (other.kind == TypeKind::decimal) {
    return type.scale >= other.scale && whole >= unsigned{other.precision} - other.scale;
  }
  const unsigned digits = integer_digits(other.kind);
  return digits != 0 && whole >= digits;
}

}  // namespace otolith::model
