#include "otolith/data.h"

#include <cstring>
#include <mutex>
#include <optional>

#include "base/bytes.h"

namespace otolith {

namespace {

// Appends `bits` validity bits; `from` empty means all valid. Bit by bit only where bytes do not meet.
void append_validity(std::byte* to, std::uint64_t at, const Array& from) {
  const bool nulls = from.null_count != 0;
  if ((at & 7) == 0 && nulls) {
    std::memcpy(to + at / 8, from.validity.bytes.data(), (from.length + 7) / 8);
    return;
  }
  for (std::uint64_t row = 0; row < from.length; ++row) {
    const std::uint64_t bit = at + row;
    const auto mask = static_cast<std::byte>(1u << (bit & 7));
    if (nulls && from.is_null(row)) {
      to[bit / 8] &= ~mask;
    } else {
      to[bit / 8] |= mask;
    }
  }
}

Buffer join_validity(const std::vector<Batch>& batches, std::size_t index, std::uint64_t rows) {
  std::byte* data = nullptr;
  Buffer out = buffer_allocate((rows + 7) / 8, &data);
  std::memset(data, 0, out.bytes.size());
  std::uint64_t at = 0;
  for (const Batch& batch : batches) {
    append_validity(data, at, batch.columns[index]);
    at += batch.rows;
  }
  return out;
}

std::uint64_t value_bytes(const Array& array, std::uint32_t width) {
  if (width != 0) return array.length * width;
  const auto* offsets = array.offsets.as<std::int64_t>();
  return array.length == 0 ? 0 : static_cast<std::uint64_t>(offsets[array.length] - offsets[0]);
}

void store_offset(std::byte* data, std::uint64_t at, std::int64_t offset) {
  store_le(data + at * sizeof(offset), offset);
}

void join_offsets(const std::vector<Batch>& batches, std::size_t index, Array& out) {
  std::byte* data = nullptr;
  out.offsets = buffer_allocate((out.length + 1) * sizeof(std::int64_t), &data);
  std::int64_t base = 0;
  std::uint64_t at = 0;
  for (const Batch& batch : batches) {
    const Array& from = batch.columns[index];
    const auto* offsets = from.offsets.as<std::int64_t>();
    for (std::uint64_t row = 0; row < from.length; ++row) {
      store_offset(data, at++, base + offsets[row] - offsets[0]);
    }
    if (from.length != 0) base += offsets[from.length] - offsets[0];
  }
  store_offset(data, at, base);
}

Array join(const std::vector<Batch>& batches, std::size_t index, Type type) {
  const std::uint32_t width = type_width(type);
  Array out;
  out.type = type;
  std::uint64_t bytes = 0;
  for (const Batch& batch : batches) {
    out.length += batch.rows;
    out.null_count += batch.columns[index].null_count;
    bytes += value_bytes(batch.columns[index], width);
  }
  std::byte* data = nullptr;
  out.values = buffer_allocate(bytes, &data);
  for (const Batch& batch : batches) {
    const Array& from = batch.columns[index];
    const std::uint64_t size = value_bytes(from, width);
    const auto skip = width != 0 || from.length == 0
                          ? 0
                          : static_cast<std::size_t>(from.offsets.as<std::int64_t>()[0]);
    if (size != 0) std::memcpy(data, from.values.bytes.data() + skip, size);
    data += size;
  }
  if (width == 0) join_offsets(batches, index, out);
  if (out.null_count != 0) out.validity = join_validity(batches, index, out.length);
  return out;
}

}  // namespace

struct Data::State {
  std::shared_ptr<const Schema> schema;
  std::vector<Batch> batches;
  std::uint64_t rows = 0;
  std::mutex mutex;
  std::vector<std::optional<Array>> joined;  // guarded by mutex
};

Data::Data(std::shared_ptr<const Schema> schema, std::vector<Batch> batches)
    : state_(std::make_shared<State>()) {
  state_->schema = std::move(schema);
  state_->batches = std::move(batches);
  for (const Batch& batch : state_->batches) state_->rows += batch.rows;
  state_->joined.resize(state_->schema->columns.size());
}

std::uint64_t Data::rows() const noexcept { return state_->rows; }
const Schema& Data::schema() const noexcept { return *state_->schema; }
std::shared_ptr<const Schema> Data::schema_shared() const noexcept { return state_->schema; }
const std::vector<Batch>& Data::batches() const noexcept { return state_->batches; }

const Array& Data::column(std::size_t index) const {
  OTO_INVARIANT(index < state_->joined.size());
  if (state_->batches.size() == 1) return state_->batches.front().columns[index];
  const std::lock_guard lock(state_->mutex);
  std::optional<Array>& joined = state_->joined[index];
  if (!joined) joined = join(state_->batches, index, state_->schema->columns[index].type);
  return *joined;
}

const Array& Data::column(std::string_view name) const {
  if (const auto index = state_->schema->find(name)) return column(*index);
  throw_error(ErrorCode::not_found, "no column {} was read{}", quoted(name),
              nearest_hint(name, state_->schema->names()));
}

bool Data::zero_copy(std::size_t index) const {
  return state_->batches.size() == 1 && state_->batches.front().columns[index].zero_copy;
}

}  // namespace otolith
