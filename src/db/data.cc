#include "otolith/data.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/mutex.h"
#include "model/array.h"

namespace otolith {

struct Data::State {
  std::shared_ptr<const Schema> schema;
  std::vector<Batch> batches;
  std::uint64_t rows = 0;

  Mutex mutex;
  std::vector<std::optional<Array>> joined OTO_GUARDED_BY(mutex);
};

namespace {

// One stretch of memory: the row groups of a raw column stand side by side in their segment, and
// what a read of all rows decodes is put side by side.
bool side_by_side(const std::vector<Batch>& batches, std::size_t index) noexcept {
  if (batches.empty()) return false;
  const Buffer& first = batches.front().columns[index].values;
  const std::byte* end = first.bytes.data();
  for (const Batch& batch : batches) {
    const Array& part = batch.columns[index];
    const bool same_owner = !part.values.owner.owner_before(first.owner) &&
                            !first.owner.owner_before(part.values.owner);
    const std::uint32_t width = type_width(part.type);
    if (width == 0 || !same_owner) return false;
    if (part.values.bytes.data() != end) return false;
    end += part.length * width;
  }
  return true;
}

bool mapped(const std::vector<Batch>& batches, std::size_t index) noexcept {
  return std::ranges::all_of(batches, [&](const Batch& batch) {
    const Array& part = batch.columns[index];
    return part.zero_copy && part.null_count == 0;
  });
}

// The stretch as one array: its values without a copy, the bitmaps of nulls behind each other.
Array stretch(const std::vector<Batch>& batches, std::size_t index) {
  Array out = batches.front().columns[index];
  out.zero_copy = mapped(batches, index);
  out.length = out.null_count = 0;
  for (const Batch& batch : batches) {
    out.length += batch.rows;
    out.null_count += batch.columns[index].null_count;
  }
  out.values.bytes = {out.values.bytes.data(), out.length * type_width(out.type)};
  if (out.null_count != 0) {
    std::vector<const Array*> parts;
    for (const Batch& batch : batches) parts.push_back(&batch.columns[index]);
    out.validity = model::validity_concat(parts);
  }
  return out;
}

Array join(const std::vector<Batch>& batches, std::size_t index, Type type) {
  if (side_by_side(batches, index)) return stretch(batches, index);
  std::vector<const Array*> parts;
  for (const Batch& batch : batches) parts.push_back(&batch.columns[index]);
  return parts.empty() ? model::array_of_nulls(type, 0) : model::array_concat(parts);
}

}  // namespace

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
  OTO_INVARIANT(index < state_->schema->columns.size());
  if (state_->batches.size() == 1) return state_->batches.front().columns[index];
  const MutexLock lock(state_->mutex);
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
  if (state_->batches.size() == 1) return state_->batches.front().columns[index].zero_copy;
  return side_by_side(state_->batches, index) && mapped(state_->batches, index);
}

}  // namespace otolith
