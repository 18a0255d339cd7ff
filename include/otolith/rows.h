// Rows one at a time into a recorder: what a logger writes with.
//
// Role:    record of the flow, where rows come singly and not as batches.
// Shapes:  a column is taken once, by its name and the C++ type of its values: bool, integers of 8
//          to 64 bits, float, double, Decimal, Timestamp, std::string_view (string and binary). A
//          row is set value by value, in any order, and appended; a nullable column that is not set
//          is null.
// Errors:  invalid_argument, at once, for a name or type that the table does not have, a text that
//          is no UTF-8, a time that is none, decimals of too many digits, and, by append, for a row
//          that leaves out a column which is never null: it appends nothing. Once recorder or
//          database has ended every append is refused. io and no_space where staged rows had to be
//          written: they end the recorder.
// Threads: thread-compatible: of one thread at a time, and of that of the recorder.
// Why:     a value is one store into the column's own memory and a row one comparison: a batch of a
//          row would be an allocation a column. Rows are handed to the recorder by chunks, without
//          a copy.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "otolith/decimal.h"
#include "otolith/schema.h"
#include "otolith/timestamp.h"

namespace otolith {

namespace db {

struct Staging;

/// Of one column: where its values go.
struct RowSlot {
  std::byte* values = nullptr;   // of the chunk; offsets (int64) of text
  std::uint64_t* set = nullptr;  // the word that has the column's bit
  std::uint64_t bit = 0;
};

/// The row that is being set, in the chunk of rows that were appended before it.
struct RowState {
  std::uint64_t row = 0;
  std::uint64_t row_max = 0;  // the row that hands the chunk over; 0 where nothing may be appended
  std::uint64_t set = 0;      // a bit for each of the first columns that has a value
  std::uint64_t all = 0;      // of each; more than there are where not all columns have a bit here
  const std::atomic<bool>* closed = nullptr;  // the database
};

class RowStore;  // db/row_store.h: a RowState with its slots and its memory

/// Throws for a value that is no time.
[[noreturn]] void refuse_time(const RowStore& store, const RowSlot& slot);
/// Throws for more digits than the column holds.
void check_decimal(const RowStore& store, const RowSlot& slot, Decimal units);
/// Sets a text, or throws for what is none.
void set_text(RowStore& store, const RowSlot& slot, std::string_view text);
/// The slow way of RowAppender::append: nulls, refusals, whole chunks.
void append_row(RowStore& store);
/// A column by name; throws unless it holds values of that kind.
RowSlot& slot_of(RowStore& store, std::string_view column, TypeKind kind);

/// The column type that holds values of a C++ type.
template <typename T>
constexpr TypeKind kind_of() {
  if constexpr (std::same_as<T, bool>) {
    return TypeKind::boolean;
  } else if constexpr (std::same_as<T, Timestamp>) {
    return TypeKind::timestamp;
  } else if constexpr (std::same_as<T, Decimal>) {
    return TypeKind::decimal;
  } else if constexpr (std::same_as<T, std::string_view>) {
    return TypeKind::string;  // or binary
  } else if constexpr (std::same_as<T, float>) {
    return TypeKind::float32;
  } else if constexpr (std::same_as<T, double>) {
    return TypeKind::float64;
  } else {
    static_assert(std::is_integral_v<T> && sizeof(T) <= 8,
                  "a column is of bool, integers, float, double, Decimal, Timestamp or "
                  "std::string_view");
    constexpr int first = static_cast<int>(std::is_signed_v<T> ? TypeKind::int8 : TypeKind::uint8);
    return static_cast<TypeKind>(first + (sizeof(T) > 1) + (sizeof(T) > 2) + (sizeof(T) > 4));
  }
}

}  // namespace db

/// A column of the row that is being set. Copies are of the same column.
template <typename T>
class RowColumn {
 public:
  /// Sets the value; the last one counts.
  RowColumn& operator=(T value) {
    set(value);
    return *this;
  }
  /// Sets the value, or null.
  template <std::same_as<std::optional<T>> Maybe>
  RowColumn& operator=(const Maybe& value) {
    if (value)
      set(*value);
    else
      set_null();
    return *this;
  }
  RowColumn& operator=(std::nullopt_t) {
    set_null();
    return *this;
  }
  RowColumn(const RowColumn&) = default;
  RowColumn& operator=(const RowColumn&) = delete;  // it would read as setting a value

  /// The same by name.
  void set(T value) {
    if constexpr (std::same_as<T, std::string_view>) {
      db::set_text(*store_, *slot_, value);
    } else {
      if constexpr (std::same_as<T, Timestamp>) {
        if (value.ns == kNotATime) db::refuse_time(*store_, *slot_);
      } else if constexpr (std::same_as<T, Decimal>) {
        db::check_decimal(*store_, *slot_, value);
      }
      reinterpret_cast<T*>(slot_->values)[state_->row] = value;
    }
    *slot_->set |= slot_->bit;
  }
  /// The row has no value here.
  void set_null() noexcept { *slot_->set &= ~slot_->bit; }

 private:
  friend class RowAppender;
  RowColumn(std::shared_ptr<db::RowStore> store, db::RowState& state, db::RowSlot& slot)
      : store_(std::move(store)), state_(&state), slot_(&slot) {}

  std::shared_ptr<db::RowStore> store_;
  db::RowState* state_;
  db::RowSlot* slot_;
};

/// Rows of one table within a recorder.
///
///     auto rows = recorder.rows("quotes");
///     auto time = rows.column<Timestamp>("time");
///     auto bid = rows.column<double>("bid");
///     for (const Quote& quote : feed) {
///       time = quote.time;
///       bid = quote.bid;
///       rows.append();
///     }
///     recorder.commit();
class RowAppender {
 public:
  /// A column to set. Its name and type are checked here, and never again.
  template <typename T>
  RowColumn<T> column(std::string_view name) {
    return RowColumn<T>(store_, *state_, db::slot_of(*store_, name, db::kind_of<T>()));
  }
  /// Appends the row that was set, and begins the next one, of which nothing is set.
  void append() {
    db::RowState& state = *state_;
    const bool plain = state.set == state.all && state.row < state.row_max &&
                       !state.closed->load(std::memory_order_relaxed);
    if (!plain) return db::append_row(*store_);
    ++state.row;
    state.set = 0;
  }
  /// Rows that can be appended before the recorder takes them over, which may write.
  std::uint64_t room() const noexcept {
    return state_->row < state_->row_max ? state_->row_max - state_->row : 0;
  }

 private:
  friend class Recorder;
  RowAppender(std::shared_ptr<db::RowStore> store, db::RowState& state)
      : store_(std::move(store)), state_(&state) {}

  std::shared_ptr<db::RowStore> store_;
  db::RowState* state_;
};

}  // namespace otolith
