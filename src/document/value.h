// One value of a document, where it lies: a view of msgpack that can be asked what it is.
//
// Role:    conditions, patches, differences, JSON text and Python look at documents through it.
// Shapes:  a view of the caller's bytes, valid as long as they are; 40 bytes, copied freely. An
//          array or a map is gone through front to back.
// Errors:  corrupt where the bytes are no msgpack, or none that a document holds: they were checked
//          on their way in. An accessor of another kind breaks an invariant.
// Threads: immutable.
// Why:     no tree is made: a condition on one field of a document of a hundred reads the heads
//          before it. Any well-formed msgpack can be looked at, canonical or not, so that looking
//          never reads beyond the end whatever a file holds.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "document/msgpack.h"
#include "otolith/timestamp.h"

namespace otolith::document {

enum class Kind : std::uint8_t {
  null,
  boolean,
  integer,           // within int64
  unsigned_integer,  // beyond it, within uint64
  float64,
  string,
  binary,
  array,
  map,
  timestamp,
};

/// "a string", "an array" …: for messages.
std::string_view kind_name(Kind kind) noexcept;

class Value;
struct Field;

/// Steps over the values of an array (T = Value) or the fields of a map (T = Field).
template <typename T>
class Children;

class Value {
 public:
  /// Null.
  Value() noexcept;
  /// The first value of the bytes.
  explicit Value(BytesView bytes);

  Kind kind() const noexcept { return kind_; }
  bool is_null() const noexcept { return kind_ == Kind::null; }
  bool is_integer() const noexcept {
    return kind_ == Kind::integer || kind_ == Kind::unsigned_integer;
  }

  bool boolean() const;
  std::int64_t integer() const;
  /// Of an unsigned_integer.
  std::uint64_t unsigned_integer() const;
  double float64() const;
  std::string_view string() const;
  BytesView binary() const;
  Timestamp timestamp() const;

  /// Items of an array, fields of a map.
  std::size_t size() const;
  Children<Value> items() const;
  Children<Field> fields() const;
  /// The value of a map's key; nullopt for other kinds, and where it has none.
  std::optional<Value> find(std::string_view key) const;
  /// An item of an array by its place from 0; nullopt for other kinds, and behind the end.
  std::optional<Value> item(std::size_t place) const;

  /// The value's own bytes, with all that is within it.
  BytesView bytes() const;

 private:
  BytesView payload() const noexcept { return rest_.subspan(head_.bytes, head_.number); }
  BytesView behind_head() const noexcept { return rest_.subspan(head_.bytes); }

  BytesView rest_;  // it, and what follows
  Head head_;
  Kind kind_ = Kind::null;
};

/// One key of a map, and its value.
struct Field {
  std::string_view key{};
  Value value{};
};

template <typename T>
class Children {
 public:
  class Iterator {
   public:
    Iterator() = default;
    Iterator(BytesView rest, std::size_t left) : rest_(rest), left_(left) { read(); }
    const T& operator*() const noexcept { return now_; }
    const T* operator->() const noexcept { return &now_; }
    Iterator& operator++() {
      if (--left_ != 0) {
        step();
        read();
      }
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return left_ == other.left_; }

   private:
    void read();
    void step();

    BytesView rest_;
    std::size_t left_ = 0;  // this one included
    T now_{};
  };

  Children(BytesView rest, std::size_t size) : rest_(rest), size_(size) {}
  Iterator begin() const { return Iterator(rest_, size_); }
  Iterator end() const { return {}; }
  std::size_t size() const noexcept { return size_; }

 private:
  BytesView rest_;
  std::size_t size_;
};

/// Equal as documents are: the same bytes in canonical form. Of views that both are canonical.
bool operator==(const Value& a, const Value& b);

}  // namespace otolith::document
