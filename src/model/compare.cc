#include "model/compare.h"

#include "model/array.h"
#include "otolith/decimal.h"

namespace otolith::model {

namespace {

template <typename T>
std::strong_ordering compare_as(const Array& a, std::uint64_t a_row, const Array& b,
                                std::uint64_t b_row) noexcept {
  return a.value<T>(a_row) <=> b.value<T>(b_row);
}

}  // namespace

bool is_key_type(Type type) noexcept {
  return type_supported(type) && type.kind != TypeKind::float32 && type.kind != TypeKind::float64;
}

std::strong_ordering value_compare(const Array& a, std::uint64_t a_row, const Array& b,
                                   std::uint64_t b_row) noexcept {
  switch (a.type.kind) {
    case TypeKind::int8:
      return compare_as<std::int8_t>(a, a_row, b, b_row);
    case TypeKind::int16:
      return compare_as<std::int16_t>(a, a_row, b, b_row);
    case TypeKind::int32:
      return compare_as<std::int32_t>(a, a_row, b, b_row);
    case TypeKind::int64:
    case TypeKind::timestamp:
      return compare_as<std::int64_t>(a, a_row, b, b_row);
    case TypeKind::boolean:
    case TypeKind::uint8:
      return compare_as<std::uint8_t>(a, a_row, b, b_row);
    case TypeKind::uint16:
      return compare_as<std::uint16_t>(a, a_row, b, b_row);
    case TypeKind::uint32:
      return compare_as<std::uint32_t>(a, a_row, b, b_row);
    case TypeKind::uint64:
      return compare_as<std::uint64_t>(a, a_row, b, b_row);
    case TypeKind::decimal:
      return compare_as<Decimal>(a, a_row, b, b_row);
    default:
      return a.text(a_row) <=> b.text(b_row);
  }
}

std::strong_ordering row_compare(std::span<const Array* const> a, std::uint64_t a_row,
                                 std::span<const Array* const> b, std::uint64_t b_row) noexcept {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto order = value_compare(*a[i], a_row, *b[i], b_row);
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace otolith::model
