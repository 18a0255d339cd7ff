#include "model/cast.h"

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "model/array.h"
#include "model/cast_decimal.h"
#include "otolith/timestamp.h"

namespace otolith::model {

namespace {

// Calls `body` with a value of the C++ type that carries the numbers of a type; false for the
// others.
template <typename Body>
bool with_number(TypeKind kind, Body&& body) {
  switch (kind) {
    case TypeKind::int8:
      return body(std::int8_t{}), true;
    case TypeKind::int16:
      return body(std::int16_t{}), true;
    case TypeKind::int32:
      return body(std::int32_t{}), true;
    case TypeKind::int64:
      return body(std::int64_t{}), true;
    case TypeKind::uint8:
      return body(std::uint8_t{}), true;
    case TypeKind::uint16:
      return body(std::uint16_t{}), true;
    case TypeKind::uint32:
      return body(std::uint32_t{}), true;
    case TypeKind::uint64:
      return body(std::uint64_t{}), true;
    case TypeKind::float32:
      return body(float{}), true;
    case TypeKind::float64:
      return body(double{}), true;
    default:
      return false;
  }
}

// 2^bits as a float: the first value behind the integers of To, exact in every float type.
template <typename To, typename Float>
constexpr Float integer_end() noexcept {
  return static_cast<Float>(std::uint64_t{1} << (std::numeric_limits<To>::digits - 1)) * Float{2};
}

// The value as To, and whether it is the same value. Never undefined, whatever the input.
template <typename To, typename From>
bool exact(From value, To& out) noexcept {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    out = static_cast<To>(value);
    return std::in_range<To>(value);
  } else if constexpr (std::is_integral_v<From>) {
    out = static_cast<To>(value);
    return out < integer_end<From, To>() && static_cast<From>(out) == value;
  } else if constexpr (std::is_integral_v<To>) {
    constexpr From least = std::is_signed_v<To> ? -integer_end<To, From>() : From{0};
    const bool inside = value >= least && value < integer_end<To, From>();
    out = inside ? static_cast<To>(value) : To{0};
    return inside && static_cast<From>(out) == value;
  } else if constexpr (sizeof(To) < sizeof(From)) {
    // Beyond the largest float the conversion is undefined; half a step above it is no float
    // anyway.
    const bool inside = !(std::abs(value) > static_cast<From>(std::numeric_limits<To>::max()));
    out = inside || std::isinf(value) ? static_cast<To>(value) : To{0};
    return static_cast<From>(out) == value || std::isnan(value);
  } else {
    out = static_cast<To>(value);
    return true;
  }
}

Array shaped_like(const Array& from, Type to) {
  Array out{.type = to, .length = from.length, .null_count = from.null_count};
  out.validity = from.validity;
  return out;
}

// Blocks are converted without a branch and judged once; only a block that fails is looked at by
// row.
template <typename From, typename To>
void cast_numbers(const Array& from, const Target& target, To* out) {
  constexpr std::uint64_t step = 1024;
  const From* const in = from.values.as<From>();
  for (std::uint64_t first = 0; first < from.length; first += step) {
    const std::uint64_t end = std::min(first + step, from.length);
    bool all = true;
    for (std::uint64_t i = first; i < end; ++i) all &= exact(in[i], out[i]);
    if (all && from.null_count == 0) continue;
    for (std::uint64_t i = first; i < end; ++i) {
      if (from.is_null(i)) {
        out[i] = To{};
      } else if (To ignored; !exact(in[i], ignored)) {
        refuse_lossy(target, i, fmt::format("{}", in[i]));
      }
    }
  }
}

Array cast_number(const Array& from, const Target& target) {
  Array out = shaped_like(from, target.type);
  std::byte* data = nullptr;
  out.values = buffer_allocate(from.length * type_width(target.type), &data);
  with_number(from.type.kind, [&](auto in) {
    with_number(target.type.kind, [&](auto to) {
      cast_numbers<decltype(in)>(from, target, reinterpret_cast<decltype(to)*>(data));
    });
  });
  return out;
}

Array cast_integer_to_time(const Array& from, const Target& target) {
  Array out = cast_number(from, {{TypeKind::int64}, target.place});
  out.type = target.type;
  const auto* ns = out.values.as<std::int64_t>();
  for (std::uint64_t i = 0; i < out.length; ++i) {
    if (ns[i] == kNotATime && !out.is_null(i)) {
      throw_error(ErrorCode::invalid_argument, "column {}: row {} is -2^63, which is no time",
                  quoted(target.place.column), target.place.row_first + i);
    }
  }
  return out;
}

Array cast_text_to_time(const Array& from, const Target& target) {
  Array out = shaped_like(from, target.type);
  std::byte* data = nullptr;
  out.values = buffer_allocate(from.length * 8, &data);
  for (std::uint64_t i = 0; i < from.length; ++i) {
    std::int64_t ns = 0;
    try {
      if (!from.is_null(i)) ns = timestamp_parse(from.text(i)).ns;
    } catch (const Error& error) {
      throw_error(ErrorCode::invalid_argument, "column {}: row {}: {}", quoted(target.place.column),
                  target.place.row_first + i, error.message());
    }
    store_le(data + i * 8, ns);
  }
  return out;
}

Array cast_time_to_text(const Array& from) {
  ArrayBuilder out({TypeKind::string});
  for (std::uint64_t i = 0; i < from.length; ++i) {
    if (from.is_null(i)) {
      out.append_null();
    } else {
      out.append_text(timestamp_format({from.value<std::int64_t>(i)}));
    }
  }
  return out.finish();
}

// 0 and 1, whatever integer carries them.
Array cast_integer_to_boolean(const Array& from, const Target& target) {
  Array out = cast_number(from, {{TypeKind::uint8}, target.place});
  out.type = target.type;
  for (std::uint64_t i = 0; i < out.length; ++i) {
    const auto value = out.value<std::uint8_t>(i);
    if (value > 1 && !out.is_null(i)) refuse_lossy(target, i, fmt::format("{}", value));
  }
  return out;
}

bool is_float(Type type) noexcept {
  return type.kind == TypeKind::float32 || type.kind == TypeKind::float64;
}
bool is_number(Type type) noexcept {
  return with_number(type.kind, [](auto) {});
}
bool is_integer(Type type) noexcept { return is_number(type) && !is_float(type); }

}  // namespace

Array cast(const Array& from, Type to, const CastPlace& place) {
  if (from.type == to) return from;
  if (!type_supported(from.type) || !type_supported(to)) {
    throw_error(ErrorCode::invalid_argument, "column {}: {} does not become {}: one is no type",
                quoted(place.column), type_name(from.type), type_name(to));
  }
  const Target target{to, place};
  const bool to_time = to.kind == TypeKind::timestamp;
  if (is_number(from.type) && is_number(to)) return cast_number(from, target);
  if (to.kind == TypeKind::decimal || from.type.kind == TypeKind::decimal) {
    if (auto out = cast_decimal(from, target)) return *std::move(out);
  }
  if (is_integer(from.type) && to.kind == TypeKind::boolean) {
    return cast_integer_to_boolean(from, target);
  }
  if (is_integer(from.type) && to_time) return cast_integer_to_time(from, target);
  if (from.type.kind == TypeKind::string && to_time) return cast_text_to_time(from, target);
  if (from.type.kind == TypeKind::timestamp && to.kind == TypeKind::string) {
    return cast_time_to_text(from);
  }
  throw_error(ErrorCode::invalid_argument,
              "column {} is {}; {} values do not become that: convert them first",
              quoted(place.column), type_name(to), type_name(from.type));
}

bool cast_always_exact(Type from, Type to) noexcept {
  if (from == to) return true;
  if (to.kind == TypeKind::decimal) return decimal_holds(to, from);
  if (!is_number(from) || !is_number(to)) return false;
  bool out = false;
  with_number(from.kind, [&](auto in) {
    with_number(to.kind, [&](auto wide) {
      using In = std::numeric_limits<decltype(in)>;
      using Wide = std::numeric_limits<decltype(wide)>;
      out = Wide::digits >= In::digits && (Wide::is_signed || !In::is_signed) &&
            (!Wide::is_integer || In::is_integer);
    });
  });
  return out;
}

}  // namespace otolith::model
