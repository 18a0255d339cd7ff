#include "otolith/batch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/bytes.h"
#include "base/limits.h"
#include "model/array.h"
#include "model/sound.h"
#include "otolith/decimal.h"

namespace otolith {

namespace {

constexpr std::size_t kBufferAlignment = 64;
constexpr std::uint64_t kAlignmentMax = 8;  // of values: decimals are two words

[[noreturn]] void refuse(const Column& column, const std::string& what) {
  throw_error(ErrorCode::invalid_argument, "column {}: {}", quoted(column.name), what);
}

void need_bytes(const Column& column, const Buffer& buffer, std::uint64_t bytes, const char* what,
                std::uint64_t alignment) {
  if (buffer.bytes.size() < bytes) {
    refuse(column,
           fmt::format("its {} hold {} bytes, {} are needed", what, buffer.bytes.size(), bytes));
  }
  if (bytes != 0 && reinterpret_cast<std::uintptr_t>(buffer.bytes.data()) % alignment != 0) {
    refuse(column, fmt::format("its {} are not aligned to {} bytes; pass a copy", what, alignment));
  }
}

void check_nulls(const Column& column, const Array& array, bool required) {
  if (array.null_count == 0) return;
  need_bytes(column, array.validity, model::bitmap_bytes(array.length), "validity bits", 1);
  const std::uint64_t nulls = model::bitmap_nulls(array.validity.bytes, array.length);
  if (nulls != array.null_count) {
    refuse(column,
           fmt::format("it says {} nulls, its validity bits say {}", array.null_count, nulls));
  }
  if (!required) return;
  std::uint64_t row = 0;
  while (!array.is_null(row)) ++row;
  refuse(column, fmt::format("row {} is null; the time column, keys and required columns are never "
                             "null: leave the row out or give it a value",
                             row));
}

void check_offsets(const Column& column, const Array& array) {
  need_bytes(column, array.offsets, (array.length + 1) * 8, "offsets", 8);
  const auto* offsets = array.offsets.as<std::int64_t>();
  std::uint64_t longest = 0;
  for (std::uint64_t i = 0; i < array.length; ++i) {
    longest = std::max(longest, static_cast<std::uint64_t>(offsets[i + 1]) -
                                    static_cast<std::uint64_t>(offsets[i]));
  }
  if (longest > kStringBytesMax) {  // also where offsets decrease: the difference wraps round
    for (std::uint64_t i = 0; i < array.length; ++i) {
      if (offsets[i + 1] < offsets[i]) refuse(column, fmt::format("offset {} decreases", i + 1));
      if (static_cast<std::uint64_t>(offsets[i + 1] - offsets[i]) > kStringBytesMax) {
        throw_error(ErrorCode::limit,
                    "column {}: row {} is {} bytes long; a value can have "
                    "kStringBytesMax {}",
                    quoted(column.name), i, offsets[i + 1] - offsets[i], kStringBytesMax);
      }
    }
  }
  if (offsets[0] < 0) refuse(column, "its first offset is negative");
  need_bytes(column, array.values, static_cast<std::uint64_t>(offsets[array.length]), "bytes", 1);
}

void check_values(const Column& column, const Array& array, bool required) {
  const std::optional<std::uint64_t> row = model::unsound_row(array);
  if (!row) return;
  if (array.type.kind == TypeKind::string) {
    refuse(column, fmt::format("row {} is not valid UTF-8; decode the text first", *row));
  }
  if (array.type.kind == TypeKind::boolean) {
    refuse(column, fmt::format("row {} is {}; a boolean is a byte of 0 or 1", *row,
                               array.value<std::uint8_t>(*row)));
  }
  if (array.type.kind == TypeKind::decimal) {
    refuse(column, fmt::format("row {} is {}, which has more digits than {} holds", *row,
                               decimal_format(array.value<Decimal>(*row), array.type.scale),
                               type_name(array.type)));
  }
  refuse(column, fmt::format("row {} holds -2^63, which is no time (NaT); {}", *row,
                             required ? "give each row a time" : "make it null"));
}

void check_column(const Schema& schema, const Column& column, const Array& array,
                  std::uint64_t rows) {
  if (array.type != column.type) {
    refuse(column,
           fmt::format("it is {}, the data are {}", type_name(column.type), type_name(array.type)));
  }
  if (!type_supported(array.type)) {
    refuse(column, fmt::format("{} is no type that a table can have", type_name(array.type)));
  }
  if (array.length != rows) {
    refuse(column,
           fmt::format("it has {} rows, the batch has {}; all columns must be of one length",
                       array.length, rows));
  }
  const bool is_key = std::ranges::find(schema.keys, column.name) != schema.keys.end();
  if (model::is_text(array.type)) {
    check_offsets(column, array);
  } else {
    const std::uint64_t width = type_width(array.type);
    need_bytes(column, array.values, rows * width, "values", std::min(width, kAlignmentMax));
  }
  const bool required = !column.nullable || is_key || column.name == schema.time;
  check_nulls(column, array, required);
  check_values(column, array, required);
}

}  // namespace

Buffer buffer_allocate(std::size_t bytes, std::byte** data) {
  const std::size_t size = align_up(std::max<std::size_t>(bytes, 1), kBufferAlignment);
  void* memory = std::aligned_alloc(kBufferAlignment, size);
  if (memory == nullptr) throw std::bad_alloc();
  *data = static_cast<std::byte*>(memory);
  return {std::shared_ptr<const void>(memory, [](void* taken) { std::free(taken); }),
          {*data, bytes}};
}

Buffer buffer_of(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> view(*owner);
  return {std::move(owner), view};
}

void batch_check(const Batch& batch) {
  if (batch.schema == nullptr) throw_error(ErrorCode::invalid_argument, "the batch has no schema");
  if (batch.columns.size() != batch.schema->columns.size()) {
    throw_error(ErrorCode::invalid_argument, "the batch has {} columns, its schema has {}",
                batch.columns.size(), batch.schema->columns.size());
  }
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    check_column(*batch.schema, batch.schema->columns[i], batch.columns[i], batch.rows);
  }
}

}  // namespace otolith
