#include "db/row_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "model/array.h"
#include "model/utf8.h"

namespace otolith::db {

namespace {

constexpr std::uint64_t kChunkRowsMin = 256;
constexpr std::uint64_t kChunkRowsMax = kRowGroupRowsMax;
constexpr std::uint64_t kChunkGrowth = 4;
constexpr std::uint64_t kChunkBytesMax = 4 << 20;
constexpr std::uint64_t kChunkShare = 32;  // of memory_bytes: a quarter of what makes a run
constexpr std::uint64_t kLargeBytesMin = 64 << 10;
constexpr std::size_t kWordBits = 64;

std::int64_t* offsets_of(std::byte* values) { return reinterpret_cast<std::int64_t*>(values); }

std::string_view cpp_name(Type type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return "bool";
    case TypeKind::int8:
      return "std::int8_t";
    case TypeKind::int16:
      return "std::int16_t";
    case TypeKind::int32:
      return "std::int32_t";
    case TypeKind::int64:
      return "std::int64_t";
    case TypeKind::uint8:
      return "std::uint8_t";
    case TypeKind::uint16:
      return "std::uint16_t";
    case TypeKind::uint32:
      return "std::uint32_t";
    case TypeKind::uint64:
      return "std::uint64_t";
    case TypeKind::float32:
      return "float";
    case TypeKind::float64:
      return "double";
    case TypeKind::decimal:
      return "Decimal";
    case TypeKind::timestamp:
      return "Timestamp";
    default:
      return "std::string_view";
  }
}

}  // namespace

RowStore::RowStore(history::DatasetEntry dataset, std::uint64_t memory_bytes,
                   const std::atomic<bool>& database_closed,
                   std::function<void(RowStore&)> hand_over)
    : dataset_(std::move(dataset)),
      chunk_bytes_max_(std::min(kChunkBytesMax, memory_bytes / kChunkShare)),
      hand_over_(std::move(hand_over)) {
  closed = &database_closed;
  const std::size_t columns = dataset_.schema->columns.size();
  const std::size_t here = columns <= kWordBits ? columns : kWordBits - 1;
  all = columns >= kWordBits ? ~0ull : (1ull << columns) - 1;
  more_set_.resize((columns - here + kWordBits - 1) / kWordBits);
  slots_.resize(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t behind = i - here;  // of those that `set` has bits of
    slots_[i].set = i < here ? &set : &more_set_[behind / kWordBits];
    slots_[i].bit = 1ull << (i < here ? i : behind % kWordBits);
  }
  begin_chunk(kChunkRowsMin);
}

bool RowStore::is_required(std::size_t column) const noexcept {
  return !dataset_.schema->columns[column].nullable;
}

std::uint32_t RowStore::width_of(std::size_t column) const noexcept {
  const Type type = dataset_.schema->columns[column].type;
  return model::is_text(type) ? sizeof(std::int64_t) : type_width(type);
}

const Column& RowStore::column_of(const RowSlot& slot) const noexcept {
  return dataset_.schema->columns[index_of(slot)];
}

RowSlot& RowStore::slot(std::string_view column, TypeKind kind) {
  const Schema& schema = *dataset_.schema;
  const auto at = schema.find(column);
  if (!at) {
    throw_error(ErrorCode::invalid_argument, "there is no column {} in {}{}", quoted(column),
                quoted(dataset_.name), nearest_hint(std::string(column), schema.names()));
  }
  const Type type = schema.columns[*at].type;
  const TypeKind given = kind == TypeKind::string && model::is_text(type) ? type.kind : kind;
  if (given != type.kind) {
    throw_error(ErrorCode::invalid_argument, "column {} is {}; take it as column<{}>",
                quoted(column), type_name(type), cpp_name(type));
  }
  return slots_[*at];
}

// A whole chunk's columns lie in large pages: first touches are most of what a row costs.
Buffer RowStore::memory(std::uint64_t bytes, std::byte** data) {
  if (bytes < kLargeBytesMin) return buffer_allocate(bytes, data);
  std::shared_ptr<std::byte> piece = pieces_.take(bytes);
  *data = piece.get();
  return {std::move(piece), {*data, bytes}};
}

// Gives the chunk there was; nothing changes where memory for another is missing. It has one row
// more than it hands over: the next one may be begun before that.
std::vector<RowStore::Lane> RowStore::begin_chunk(std::uint64_t rows) {
  std::uint64_t row_bytes = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) row_bytes += width_of(i);
  rows = std::min(rows, std::clamp(chunk_bytes_max_ / row_bytes, kChunkRowsMin, kChunkRowsMax));
  std::vector<Lane> lanes(slots_.size());
  std::vector<std::byte*> values(slots_.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::uint64_t bytes = (rows + 1) * width_of(i) + sizeof(std::int64_t);
    lanes[i].values = memory(bytes, &values[i]);
    std::memset(values[i], 0, sizeof(std::int64_t));  // the first text begins at 0
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) slots_[i].values = values[i];
  chunk_rows_ = rows;
  text_bytes_ = 0;
  row = 0;
  row_max = rows - 1;
  return std::exchange(lanes_, std::move(lanes));
}

void RowStore::unset() noexcept {
  set = 0;
  std::ranges::fill(more_set_, 0);
}

void RowStore::set_text(const RowSlot& slot, std::string_view text) {
  const Column& column = column_of(slot);
  if (text.size() > kStringBytesMax) {
    throw_error(ErrorCode::limit, "column {}: {} bytes; a value has at most {}",
                quoted(column.name), text.size(), kStringBytesMax);
  }
  if (column.type.kind == TypeKind::string && !model::utf8_valid(text)) {
    throw_error(ErrorCode::invalid_argument,
                "column {}: the text is not valid UTF-8; decode it first, or use a binary column",
                quoted(column.name));
  }
  Lane& lane = lanes_[index_of(slot)];
  std::int64_t* const at = offsets_of(slot.values) + row;
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  lane.bytes.resize(static_cast<std::size_t>(at[0]));  // a value set before gives way
  lane.bytes.insert(lane.bytes.end(), bytes, bytes + text.size());
  at[1] = static_cast<std::int64_t>(lane.bytes.size());
  text_bytes_ += text.size();  // what gave way counts too: the chunk only ends sooner
  if (text_bytes_ > chunk_bytes_max_) row_max = std::min(row_max, row);
}

// Throws for the first column that has to have a value; then the row begins anew, so that no value
// of it is taken for one of the next.
void RowStore::check_row() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (is_set(i) || !is_required(i) || mutant("row-misses-required")) continue;
    if (!mutant("refused-row-stays")) unset();
    throw_error(ErrorCode::invalid_argument,
                "column {} of {} has no value in this row, and is never null; the row was not "
                "appended: set all of it again",
                quoted(dataset_.schema->columns[i].name), quoted(dataset_.name));
  }
}

void RowStore::mark(std::size_t column, bool null) {
  Lane& lane = lanes_[column];
  if (lane.validity.empty()) {
    lane.validity.assign(model::bitmap_bytes(chunk_rows_ + 1), std::byte{0xff});
  }
  const auto bit = static_cast<std::byte>(1u << (row % 8));
  if (null) {
    lane.validity[row / 8] &= ~bit;
    ++lane.nulls;
  } else {
    lane.validity[row / 8] |= bit;
    --lane.nulls;
  }
  if (!null) return;
  std::byte* const values = slots_[column].values;
  if (model::is_text(dataset_.schema->columns[column].type)) {
    std::int64_t* const at = offsets_of(values) + row;
    lane.bytes.resize(static_cast<std::size_t>(at[0]));
    at[1] = at[0];
  } else {
    std::memset(values + row * width_of(column), 0, width_of(column));
  }
}

void RowStore::append() {
  if (ended_) {
    throw_error(ErrorCode::invalid_argument,
                "the recorder of this appender has committed or discarded; take a new one from the "
                "database");
  }
  check_row();
  std::vector<std::size_t> nulls;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!is_set(i)) nulls.push_back(i);
  }
  for (const std::size_t column : nulls) mark(column, true);
  const bool whole = row >= row_max || closed->load();
  unset();
  ++row;
  if (!whole) return;
  try {
    hand_over_(*this);
  } catch (...) {
    if (row != 0) {  // not taken: as if this row had not been appended
      --row;
      for (const std::size_t column : nulls) mark(column, false);
    }
    throw;
  }
}

// A value of the row that is being set, from the chunk before.
void RowStore::carry(std::size_t column, const Lane& from, std::uint64_t of) {
  const std::uint32_t width = width_of(column);
  const std::byte* const values = from.values.bytes.data() + of * width;
  if (!model::is_text(dataset_.schema->columns[column].type)) {
    std::memcpy(slots_[column].values, values, width);
    return;
  }
  const auto begin = load_le<std::int64_t>(values);
  const auto end = load_le<std::int64_t>(values + width);
  lanes_[column].bytes.assign(from.bytes.begin() + begin, from.bytes.begin() + end);
  offsets_of(slots_[column].values)[1] = end - begin;
}

Array RowStore::array_of(std::size_t column, Lane lane, std::uint64_t rows) const {
  const Type type = dataset_.schema->columns[column].type;
  Array out{.type = type, .length = rows, .null_count = lane.nulls};
  if (lane.nulls != 0) {
    lane.validity.resize(model::bitmap_bytes(rows));
    if (rows % 8 != 0) lane.validity.back() &= static_cast<std::byte>((1u << (rows % 8)) - 1);
    out.validity = buffer_of(std::move(lane.validity));
  }
  const std::uint64_t count = model::is_text(type) ? rows + 1 : rows;
  lane.values.bytes = lane.values.bytes.first(count * width_of(column));
  if (!model::is_text(type)) {
    out.values = std::move(lane.values);
    return out;
  }
  lane.bytes.resize(static_cast<std::size_t>(lane.values.as<std::int64_t>()[rows]));
  out.offsets = std::move(lane.values);
  out.values = buffer_of(std::move(lane.bytes));
  return out;
}

Batch RowStore::take() {
  Batch out{.schema = dataset_.schema, .rows = row};
  if (row == 0) return out;
  const std::uint64_t rows = row;
  out.columns.reserve(slots_.size());
  auto filled = begin_chunk(rows == chunk_rows_ ? rows * kChunkGrowth : chunk_rows_);
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (is_set(i)) carry(i, filled[i], rows);
    out.columns.push_back(array_of(i, std::move(filled[i]), rows));
  }
  return out;
}

void RowStore::end() noexcept {
  ended_ = true;
  row = 0;
  row_max = 0;
}

// ---- what otolith/rows.h calls ----------------------------------------------------------------

void refuse_time(const RowStore& store, const RowSlot& slot) {
  throw_error(ErrorCode::invalid_argument, "column {}: -2^63 is no time (NaT); {}",
              quoted(store.column_of(slot).name),
              store.column_of(slot).nullable ? "make it null" : "give each row a time");
}

void check_decimal(const RowStore& store, const RowSlot& slot, Decimal units) {
  const Column& column = store.column_of(slot);
  if (decimal_fits(units, column.type)) return;
  throw_error(ErrorCode::invalid_argument, "column {}: {} has more digits than {} holds",
              quoted(column.name), decimal_format(units, column.type.scale),
              type_name(column.type));
}

void set_text(RowStore& store, const RowSlot& slot, std::string_view text) {
  store.set_text(slot, text);
}

void append_row(RowStore& store) { store.append(); }

RowSlot& slot_of(RowStore& store, std::string_view column, TypeKind kind) {
  return store.slot(column, kind);
}

}  // namespace otolith::db
