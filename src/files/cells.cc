#include "files/cells.h"

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstring>

#include "base/error.h"
#include "base/inline.h"
#include "base/limits.h"
#include "model/array.h"
#include "otolith/decimal.h"
#include "otolith/error.h"

namespace otolith::files {

namespace {

// Which fields are null: most are told by their length.
class Nulls {
 public:
  explicit Nulls(const std::vector<std::string>* texts) : texts_(texts) {
    for (const std::string& text : *texts) {
      if (text.size() < 64)
        lengths_ |= std::uint64_t{1} << text.size();
      else
        lengths_ |= std::uint64_t{1} << 63;
    }
  }
  OTO_INLINE inline bool has(std::string_view field) const {
    const std::size_t length = field.size() < 63 ? field.size() : 63;
    if (((lengths_ >> length) & 1u) == 0) return false;
    return field.empty() || compare(field);
  }

 private:
  bool compare(std::string_view field) const {
    for (const std::string& text : *texts_) {
      if (field == text) return true;
    }
    return false;
  }

  const std::vector<std::string>* texts_;
  std::uint64_t lengths_ = 0;
};

// The bitmap of a column, made when the first null is met.
class Validity {
 public:
  explicit Validity(std::size_t rows) : rows_(rows) {}
  void set_null(std::size_t row) {
    if (bits_.empty()) bits_.assign(model::bitmap_bytes(rows_), std::byte{0xff});
    bits_[row / 8] &= ~static_cast<std::byte>(1u << (row % 8));
    ++nulls_;
  }
  void finish(Array& out) {
    out.null_count = nulls_;
    if (nulls_ == 0) return;
    if (rows_ % 8 != 0) bits_.back() &= static_cast<std::byte>((1u << (rows_ % 8)) - 1);
    out.validity = buffer_of(std::move(bits_));
  }

 private:
  std::size_t rows_;
  std::uint64_t nulls_ = 0;
  std::vector<std::byte> bits_;
};

// Values of one width. `read(text, value)` says whether a text is one.
template <typename T, typename Read>
Array fixed_cells(const CsvRows& rows, std::size_t column, const CellRules& rules,
                  std::vector<std::uint32_t>& failed, Read read) {
  Array out{.type = rules.type, .length = rows.size()};
  std::byte* bytes = nullptr;
  out.values = buffer_allocate(rows.size() * sizeof(T), &bytes);
  T* values = reinterpret_cast<T*>(bytes);
  Validity validity(rows.size());
  const Nulls nulls(rules.nulls);
  std::string scratch;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::string_view field = rows.field(row, column);
    if (field.starts_with('"')) field = unquoted(field, scratch);
    T value{};
    const bool null = nulls.has(field);
    if (null || !read(field, value)) {
      if (!null || !rules.nullable) failed.push_back(static_cast<std::uint32_t>(row));
      value = T{};
      validity.set_null(row);
    }
    values[row] = value;
  }
  validity.finish(out);
  return out;
}

template <std::integral T>
OTO_INLINE inline bool read_integer(std::string_view text, T& out) {
  // Most have few digits: no overflow, no sign.
  if (text.size() <= 4 && sizeof(T) >= 4) {
    std::uint32_t value = 0;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
      const auto digit = static_cast<std::uint32_t>(text[at]) - '0';
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    if (at == text.size() && at != 0) {
      out = static_cast<T>(value);
      return true;
    }
  }
  const char* end = text.data() + text.size();
  const char* begin =
      text.starts_with('+') && text.size() > 1 && text[1] != '-' ? text.data() + 1 : text.data();
  const auto [at, failed] = std::from_chars(begin, end, out);
  return failed == std::errc() && at == end;
}

template <std::floating_point T>
OTO_INLINE inline bool read_float(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const char* begin =
      text.starts_with('+') && text.size() > 1 && text[1] != '-' ? text.data() + 1 : text.data();
  const auto [at, failed] = std::from_chars(begin, end, out);
  return failed == std::errc() && at == end;
}

bool read_decimal(std::string_view text, Type type, Decimal& out) {
  try {
    out = decimal_parse(text, type);
    return true;
  } catch (const Error&) {  // rare: one bad cell ends an import, or is set aside
    return false;
  }
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Appends the bytes that hexadecimal digits name.
bool put_hex_bytes(std::string_view text, std::byte*& out) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *out++ = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

bool put_text(std::string_view text, Type type, std::byte*& out) {
  if (text.size() > kStringBytesMax) return false;
  if (type.kind == TypeKind::binary) return put_hex_bytes(text, out);
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  out += text.size();
  return true;
}

// Texts: never longer than their fields. A quoted field is no null.
Array text_cells(const CsvRows& rows, std::size_t column, const CellRules& rules,
                 std::vector<std::uint32_t>& failed) {
  std::size_t most = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) most += rows.field(row, column).size();
  Array out{.type = rules.type, .length = rows.size()};
  std::byte* bytes = nullptr;
  std::byte* place = nullptr;
  out.values = buffer_allocate(most, &bytes);
  out.offsets = buffer_allocate((rows.size() + 1) * sizeof(std::int64_t), &place);
  auto* offsets = reinterpret_cast<std::int64_t*>(place);
  std::byte* at = bytes;
  Validity validity(rows.size());
  const Nulls nulls(rules.nulls);
  std::string scratch;
  offsets[0] = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string_view field = rows.field(row, column);
    const bool in_quotes = field.starts_with('"');
    const bool null = !in_quotes && nulls.has(field);
    std::byte* const before = at;
    if (null || !put_text(in_quotes ? unquoted(field, scratch) : field, rules.type, at)) {
      at = before;
      if (!null || !rules.nullable) failed.push_back(static_cast<std::uint32_t>(row));
      validity.set_null(row);
    }
    offsets[row + 1] = at - bytes;
  }
  out.values.bytes = out.values.bytes.first(static_cast<std::size_t>(at - bytes));
  validity.finish(out);
  return out;
}

}  // namespace

bool read_boolean(std::string_view text, std::uint8_t& out) noexcept {
  const auto is = [&](std::string_view word) {
    if (text.size() != word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if ((text[i] | 0x20) != word[i]) return false;
    }
    return true;
  };
  out = is("true") ? 1 : 0;
  return out == 1 || is("false");
}

Array read_cells(const CsvRows& rows, std::size_t column, const CellRules& rules,
                 std::vector<std::uint32_t>& failed) {
  const auto integers = [&]<typename T>(T) {
    return fixed_cells<T>(rows, column, rules, failed, read_integer<T>);
  };
  switch (rules.type.kind) {
    case TypeKind::boolean:
      return fixed_cells<std::uint8_t>(rows, column, rules, failed, read_boolean);
    case TypeKind::int8:
      return integers(std::int8_t{});
    case TypeKind::int16:
      return integers(std::int16_t{});
    case TypeKind::int32:
      return integers(std::int32_t{});
    case TypeKind::int64:
      return integers(std::int64_t{});
    case TypeKind::uint8:
      return integers(std::uint8_t{});
    case TypeKind::uint16:
      return integers(std::uint16_t{});
    case TypeKind::uint32:
      return integers(std::uint32_t{});
    case TypeKind::uint64:
      return integers(std::uint64_t{});
    case TypeKind::float32:
      return fixed_cells<float>(rows, column, rules, failed, read_float<float>);
    case TypeKind::float64:
      return fixed_cells<double>(rows, column, rules, failed, read_float<double>);
    case TypeKind::decimal:
      return fixed_cells<Decimal>(
          rows, column, rules, failed,
          [&](std::string_view text, Decimal& out) { return read_decimal(text, rules.type, out); });
    case TypeKind::timestamp: {
      TimeReader times(rules.form);
      return fixed_cells<std::int64_t>(
          rows, column, rules, failed,
          [&](std::string_view text, std::int64_t& out) { return times.read(text, out); });
    }
    case TypeKind::string:
    case TypeKind::binary:
      break;
  }
  return text_cells(rows, column, rules, failed);
}

std::string why_no_value(std::string_view field, const CellRules& rules) {
  std::string scratch;
  const bool in_quotes = field.starts_with('"');
  const std::string_view text = unquoted(field, scratch);
  if (Nulls(rules.nulls).has(text) && !(in_quotes && model::is_text(rules.type)))
    return fmt::format("{} is null, and this column is never null", quoted(text));
  if (rules.type.kind == TypeKind::timestamp)
    return fmt::format("{} is no time as {}", quoted(text), time_form_name(rules.form));
  return fmt::format("{} is no {}", quoted(text), type_name(rules.type));
}

}  // namespace otolith::files
