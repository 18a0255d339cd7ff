// Random rows of every type this build stores, for the tests of model and of the rooms above it.
//
// Role:    property tests: one generator, so that a new type is tested everywhere at once.
// Shapes:  a time column (id 1), then two columns per type, the second with nulls; text with
//          several bytes a character; binary of any bytes; floats with NaN, infinities and -0.0;
//          integers and decimals at the ends of their range.
// Threads: thread-safe, with a generator each.
#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/array.h"
#include "model/decimals.h"
#include "model/row_layout.h"
#include "otolith/batch.h"
#include "otolith/timestamp.h"

namespace otolith::test {

inline std::string random_text(std::mt19937_64& random) {
  static constexpr const char* kPieces[] = {
      "", "a", "AAPL", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9f"};
  std::string out;
  for (std::uint64_t i = random() % 4; i-- > 0;) out += kPieces[random() % 6];
  return out;
}

// Bits of a value: extremes, small numbers and anything else, a third each.
inline std::uint64_t random_bits(std::mt19937_64& random, Type type) {
  if (type.kind == TypeKind::float64 && random() % 3 == 0) {
    static constexpr double kOdd[] = {0.0, -0.0, 1.5, 1e308, 5e-324};
    std::uint64_t bits = 0;
    std::memcpy(&bits, &kOdd[random() % 5], 8);
    return random() % 4 == 0 ? 0x7ff8000000000000ull | (random() % 5) : bits;
  }
  const std::uint64_t bits = random() % 3 == 0   ? random()
                             : random() % 3 == 0 ? ~0ull
                                                 : random() % 100;
  const bool not_a_time = type.kind == TypeKind::timestamp && bits == 1ull << 63;
  return not_a_time ? 0 : bits;
}

// Bytes that are mostly no UTF-8.
inline std::string random_binary(std::mt19937_64& random) {
  std::string out(random() % 5, '\0');
  for (char& byte : out) byte = static_cast<char>(random());
  return out;
}

// Extremes of the precision, small numbers, and anything that fits, a third each.
inline Decimal random_decimal(std::mt19937_64& random, Type type) {
  const Int128 limit = model::decimal_limit(type.precision);
  if (random() % 3 == 0) return model::decimal_of_int128(random() % 2 == 0 ? limit : -limit);
  if (random() % 2 == 0) return decimal_of(static_cast<std::int64_t>(random() % 10) - 5);
  const Decimal any{random(), static_cast<std::int64_t>(random())};
  return model::decimal_of_int128(model::int128_of(any) % (limit + 1));
}

// Every type that differs: of decimals those of one word, of two and of all digits.
inline std::vector<Type> all_types() {
  std::vector<Type> out;
  for (unsigned kind = 1; kind <= 15; ++kind) {
    if (static_cast<TypeKind>(kind) != TypeKind::decimal)
      out.push_back({static_cast<TypeKind>(kind)});
  }
  using enum TypeKind;
  for (const Type type : {Type{decimal, 9, 2}, Type{decimal, 20, 0}, Type{decimal, 38, 38}})
    out.push_back(type);
  return out;
}

inline Array random_array(std::mt19937_64& random, Type type, std::uint64_t rows, bool nulls) {
  model::ArrayBuilder builder(type);
  for (std::uint64_t i = 0; i < rows; ++i) {
    if (nulls && random() % 4 == 0) {
      builder.append_null();
    } else if (type.kind == TypeKind::binary) {
      builder.append_text(random_binary(random));
    } else if (type.kind == TypeKind::string) {
      builder.append_text(random_text(random));
    } else if (type.kind == TypeKind::boolean) {
      builder.append_value(static_cast<std::uint8_t>(random() % 2));
    } else if (type.kind == TypeKind::decimal) {
      builder.append_value(random_decimal(random, type));
    } else {
      const std::uint64_t bits = random_bits(random, type);
      builder.append(std::as_bytes(std::span(&bits, 1)).first(type_width(type)));
    }
  }
  return builder.finish();
}

inline std::shared_ptr<const Schema> random_schema() {
  Schema schema{
      .columns = {{.name = "time", .type = {TypeKind::timestamp}, .nullable = false, .id = 1}}};
  for (const Type type : all_types()) {
    const auto id = static_cast<std::uint32_t>(schema.columns.size() + 1);
    schema.columns.push_back({.name = type_name(type), .type = type, .nullable = false, .id = id});
    schema.columns.push_back({.name = type_name(type) + "?", .type = type, .id = id + 1});
  }
  return std::make_shared<const Schema>(schema);
}

inline Batch random_batch(std::mt19937_64& random, std::uint64_t rows) {
  Batch out{.schema = random_schema(), .rows = rows};
  for (const Column& column : out.schema->columns) {
    out.columns.push_back(random_array(random, column.type, rows, column.nullable));
  }
  return out;
}

inline model::RowLayout random_layout(std::mt19937_64& random, std::uint64_t rows) {
  model::RowLayout out;
  while (rows != 0) {
    model::Run run;
    std::int64_t bucket = static_cast<std::int64_t>(random() % 2000) - 1000;
    for (std::uint64_t left = 1 + random() % 3; left-- > 0 && rows != 0;) {
      const std::uint64_t count = 1 + random() % rows;
      run.push_back({.bucket = bucket, .rows = count});
      rows -= count;
      bucket += 1 + static_cast<std::int64_t>(random() % 3);
    }
    out.runs.push_back(run);
  }
  return out;
}

// Equal in every value and null; floats are compared by their bits.
inline bool same_array(const Array& a, const Array& b) {
  if (a.type != b.type || a.length != b.length || a.null_count != b.null_count) return false;
  const std::uint64_t width = type_width(a.type);
  for (std::uint64_t i = 0; i < a.length; ++i) {
    if (a.is_null(i) != b.is_null(i)) return false;
    if (a.is_null(i)) continue;
    if (model::is_text(a.type) ? a.text(i) != b.text(i)
                               : std::memcmp(a.values.bytes.data() + i * width,
                                             b.values.bytes.data() + i * width, width) != 0) {
      return false;
    }
  }
  return true;
}

inline bool same_values(const Batch& a, const Batch& b) {
  if (a.rows != b.rows || a.columns.size() != b.columns.size()) return false;
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    if (!same_array(a.columns[i], b.columns[i])) return false;
  }
  return true;
}

}  // namespace otolith::test
