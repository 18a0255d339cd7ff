// Casts of formulas, row by row: what the type cannot hold is refused, or null.
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/mutant.h"
#include "model/decimals.h"
#include "model/formula_loops.h"
#include "model/utf8.h"
#include "otolith/decimal.h"

namespace otolith::model {

namespace {

bool is_whole_type(Type type) noexcept {
  return type.kind >= TypeKind::int8 && type.kind <= TypeKind::uint64;
}

struct Bounds {
  Int128 low;
  Int128 high;
};

Bounds bounds_of(Type type) noexcept {
  if (type.kind == TypeKind::decimal) {
    const Int128 most = decimal_limit(type.precision);
    return {-most, most};
  }
  if (type.kind == TypeKind::timestamp) return {kTimestampMin.ns, kTimestampMax.ns};
  const unsigned bits = type_width(type) * 8;
  const bool with_sign = type.kind <= TypeKind::int64;
  return with_sign ? Bounds{-(Int128{1} << (bits - 1)), (Int128{1} << (bits - 1)) - 1}
                   : Bounds{0, (Int128{1} << bits) - 1};
}

std::optional<Int128> within(Int128 value, Type type) noexcept {
  const Bounds bounds = bounds_of(type);
  if (value < bounds.low || value > bounds.high) return std::nullopt;
  return value;
}

// Integers lose the fraction; decimals go to the nearest, ties to even.
std::optional<Int128> rescaled(Int128 units, unsigned from, Type to) noexcept {
  const unsigned scale = scale_of(to);
  if (scale >= from) {
    Int128 out = 0;
    if (__builtin_mul_overflow(units, power_of_ten(scale - from), &out)) return std::nullopt;
    return within(out, to);
  }
  const Int128 unit = power_of_ten(from - scale);
  Int128 out = units / unit;
  if (to.kind == TypeKind::decimal) {
    const Int128 rest = units % unit;
    const Int128 twice = (rest < 0 ? -rest : rest) * 2;
    if (twice > unit || (twice == unit && out % 2 != 0)) out += units < 0 ? -1 : 1;
  }
  return within(out, to);
}

template <typename T>
std::optional<T> number_in(std::string_view text) noexcept {
  if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Int128> exact_of(double value, Type to) {
  if (!std::isfinite(value) || std::abs(value) > 1e38) return std::nullopt;
  if (to.kind != TypeKind::decimal) return within(static_cast<Int128>(value), to);
  const DecimalText rounded =
      decimal_from_text(fmt::format("{:.{}f}", value, static_cast<int>(to.scale)), to);
  if (!rounded.units) return std::nullopt;
  return int128_of(*rounded.units);
}

std::optional<Int128> exact_of(std::string_view text, Type to) {
  if (to.kind == TypeKind::decimal) {
    const DecimalText found = decimal_from_text(text, to);
    if (!found.units) return std::nullopt;
    return int128_of(*found.units);
  }
  if (to.kind == TypeKind::timestamp) {
    try {
      return timestamp_parse(text).ns;
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  if (const auto value = number_in<std::int64_t>(text)) return within(*value, to);
  const auto large = number_in<std::uint64_t>(text);
  return large ? within(*large, to) : std::nullopt;
}

std::optional<double> real_in(std::string_view text, Type to) noexcept {
  const auto value = number_in<double>(text);
  if (!value) return std::nullopt;
  return to.kind == TypeKind::float32 ? static_cast<double>(static_cast<float>(*value)) : *value;
}

std::string real_text(double value) {
  std::string out = fmt::format("{}", value);
  return out.find_first_not_of("-0123456789") == std::string::npos ? out + ".0" : out;
}

// One value of any kind, and what it is as another.
class Cast {
 public:
  Cast(const Values& from, Type to) : from_(from), to_(to), kind_(kind_of(from.type)) {}

  std::optional<bool> truth(std::size_t row) const noexcept {
    switch (kind_) {
      case ValueKind::truth:
        return from_.truth[row] != 0;
      case ValueKind::exact:
        return from_.exact[row] != 0;
      case ValueKind::real:
        return std::isnan(from_.real[row]) ? std::nullopt : std::optional(from_.real[row] != 0);
      case ValueKind::text:
        break;
    }
    if (from_.text[row] == "true") return true;
    return from_.text[row] == "false" ? std::optional(false) : std::nullopt;
  }

  std::optional<Int128> exact(std::size_t row) const {
    switch (kind_) {
      case ValueKind::truth:
        return rescaled(from_.truth[row], 0, to_);
      case ValueKind::exact:
        return rescaled(from_.exact[row], scale_of(from_.type), to_);
      case ValueKind::real:
        return exact_of(from_.real[row], to_);
      case ValueKind::text:
        break;
    }
    return exact_of(from_.text[row], to_);
  }

  std::optional<double> real(std::size_t row) const noexcept {
    if (kind_ == ValueKind::text) return real_in(from_.text[row], to_);
    double out = 0;
    if (kind_ == ValueKind::truth)
      out = from_.truth[row];
    else
      out = kind_ == ValueKind::real ? from_.real[row]
                                     : real_of(from_.exact[row], scale_of(from_.type));
    return to_.kind == TypeKind::float32 ? static_cast<double>(static_cast<float>(out)) : out;
  }

  std::optional<std::string> text(std::size_t row) const {
    switch (kind_) {
      case ValueKind::truth:
        return from_.truth[row] != 0 ? "true" : "false";
      case ValueKind::real:
        return from_.type.kind == TypeKind::float32 ? float32_text(from_.real[row])
                                                    : real_text(from_.real[row]);
      case ValueKind::text:
        break;
      case ValueKind::exact:
        if (from_.type.kind == TypeKind::timestamp)
          return timestamp_format({static_cast<std::int64_t>(from_.exact[row])});
        return decimal_format(decimal_of_int128(from_.exact[row]),
                              static_cast<std::uint8_t>(scale_of(from_.type)));
    }
    const std::string_view text = from_.text[row];
    const bool wrong = to_.kind == TypeKind::string && !utf8_valid(text);
    return wrong ? std::nullopt : std::optional(std::string(text));
  }

 private:
  static std::string float32_text(double value) {
    std::string out = fmt::format("{}", static_cast<float>(value));
    return out.find_first_not_of("-0123456789") == std::string::npos ? out + ".0" : out;
  }

  const Values& from_;
  Type to_;
  ValueKind kind_;
};

void refuse(const Formula& formula, const Values& operand, std::size_t row) {
  const auto value = Cast(operand, {TypeKind::string}).text(row);
  throw_error(ErrorCode::invalid_argument,
              "where: {}: {} does not hold {}; try_cast gives null there", shown(formula),
              type_name(formula.type), value ? quoted(*value) : "bytes that are no UTF-8");
}

}  // namespace

bool cast_exists(Type from, Type to) noexcept {
  if (from.kind == to.kind) return true;
  if (to.kind == TypeKind::string) return true;
  if (from.kind == TypeKind::string) return true;
  if (from.kind == TypeKind::binary || to.kind == TypeKind::binary) return false;
  const bool times = from.kind == TypeKind::timestamp || to.kind == TypeKind::timestamp;
  return !times || is_whole_type(from) || is_whole_type(to);
}

Values cast_values(const Formula& formula, const Values& operand, std::size_t rows) {
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  const Cast cast(operand, formula.type);
  const auto owner = std::make_shared<std::vector<std::string>>();
  const std::size_t count = count_of(out, rows);
  if (kind_of(out.type) == ValueKind::text) owner->reserve(count);
  const auto put = [&](std::size_t row, auto value, auto& to) {
    if (value) {
      to[row] = *value;
    } else {
      if (formula.kind == ExpressionKind::cast) refuse(formula, operand, row);
      set_null(out, row, rows);
    }
  };
  for (std::size_t row = 0; row < count; ++row) {
    if (out.is_null(row)) continue;
    switch (kind_of(out.type)) {
      case ValueKind::truth:
        put(row, cast.truth(row), out.truth);
        break;
      case ValueKind::exact:
        put(row, cast.exact(row), out.exact);
        break;
      case ValueKind::real:
        put(row, cast.real(row), out.real);
        break;
      case ValueKind::text:
        if (auto text = cast.text(row)) {
          out.text[row] = owner->emplace_back(*std::move(text));
        } else {
          put(row, std::optional<std::string_view>(), out.text);
        }
        break;
    }
  }
  out.owner = owner;
  return out;
}

}  // namespace otolith::model
