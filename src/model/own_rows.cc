#include "model/own_rows.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/sound.h"

namespace otolith::model {

namespace {

std::byte* room(Bytes& in, std::uint64_t bytes) {
  if (in.size() < bytes) in.resize(bytes);
  return in.data();
}

Buffer view(const Bytes& bytes, std::uint64_t used) {
  return {nullptr, BytesView(bytes).first(used)};
}

}  // namespace

// The offsets are copied before they are believed.
void OwnRows::take_text(const Array& array, std::uint64_t first, Array& out,
                        std::string_view column) {
  const std::uint64_t bytes = (out.length + 1) * sizeof(std::int64_t);
  auto* offsets = reinterpret_cast<std::int64_t*>(room(offsets_, bytes));
  std::memcpy(offsets, array.offsets.bytes.data() + first * sizeof(std::int64_t), bytes);
  const std::int64_t from = offsets[0];
  const std::int64_t end = offsets[out.length];
  std::uint64_t longest = 0;  // decreasing offsets wrap round to more than any text has
  for (std::uint64_t row = 0; row < out.length; ++row) {
    longest = std::max(longest, static_cast<std::uint64_t>(offsets[row + 1]) -
                                    static_cast<std::uint64_t>(offsets[row]));
  }
  if (longest > kStringBytesMax || from < 0 ||
      static_cast<std::uint64_t>(end) > array.values.bytes.size()) {
    throw_rows_changed(column);
  }
  for (std::uint64_t row = 0; row <= out.length; ++row) offsets[row] -= from;
  const auto text = static_cast<std::uint64_t>(end - from);
  std::byte* values = room(values_, text);
  if (text != 0) std::memcpy(values, array.values.bytes.data() + from, text);
  out.offsets = view(offsets_, bytes);
  out.values = view(values_, text);
}

void OwnRows::take_values(const Array& array, std::uint64_t first, Array& out) {
  const std::uint64_t width = type_width(array.type);
  const std::uint64_t bytes = out.length * width;
  std::byte* values = room(values_, bytes);
  if (bytes != 0) std::memcpy(values, array.values.bytes.data() + first * width, bytes);
  out.values = view(values_, bytes);
}

void OwnRows::take_nulls(const Array& array, std::uint64_t first, Array& out) {
  const std::uint64_t bytes = bitmap_bytes(out.length);
  std::byte* bits = room(validity_, bytes);
  if (bytes != 0) std::memset(bits, 0, bytes);
  bitmap_copy(array.validity.bytes, first, out.length, bits, 0);
  out.null_count = bitmap_nulls(BytesView(validity_).first(bytes), out.length);
  if (out.null_count != 0) out.validity = view(validity_, bytes);
}

// Slots of nulls are written as they are and served as views: as booleans, whatever a caller left
// there. The others have been judged.
void OwnRows::flatten_booleans(std::uint64_t rows) noexcept {
  if (mutant("null-booleans-kept")) return;
  for (std::uint64_t row = 0; row < rows; ++row) values_[row] &= std::byte{1};
}

Array OwnRows::take(const Array& array, std::uint64_t first, std::uint64_t count,
                    std::string_view column) {
  OTO_INVARIANT(first <= array.length && count <= array.length - first);
  if (mutant("lent-rows-not-copied")) return array_slice(array, first, count);
  Array out{.type = array.type, .length = count};
  is_text(array.type) ? take_text(array, first, out, column) : take_values(array, first, out);
  if (array.null_count != 0) take_nulls(array, first, out);
  if (unsound_row(out)) throw_rows_changed(column);
  if (array.type.kind == TypeKind::boolean && out.null_count != 0) flatten_booleans(count);
  return out;
}

Array own_rows(const Array& array, std::string_view column) {
  const auto memory = std::make_shared<OwnRows>();
  Array out = memory->take(array, 0, array.length, column);
  for (Buffer* buffer : {&out.values, &out.offsets, &out.validity}) buffer->owner = memory;
  return out;
}

Batch own_rows(const Batch& batch) {
  Batch out{.schema = batch.schema, .rows = batch.rows};
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    const auto& columns = batch.schema->columns;  // two fewer where row ids come along
    out.columns.push_back(
        own_rows(batch.columns[c], c < columns.size() ? std::string_view(columns[c].name) : ""));
  }
  return out;
}

void throw_rows_changed(std::string_view column) {
  throw_error(ErrorCode::invalid_argument,
              "column {} was changed while it was being written; leave arrays as they are until "
              "the call returns, or append a copy",
              quoted(column));
}

}  // namespace otolith::model
