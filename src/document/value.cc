#include "document/value.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"

namespace otolith::document {

namespace {

constexpr std::byte kNull[] = {std::byte{0xc0}};

[[noreturn]] void refuse(const char* what) {
  throw_error(ErrorCode::corrupt,
              "a document {}; its bytes changed after they were checked: run verify", what);
}

Kind kind_of(const Head& head, BytesView payload) {
  using Form = Head::Form;
  switch (head.form) {
    case Form::null:
      return Kind::null;
    case Form::boolean:
      return Kind::boolean;
    case Form::positive:
      return head.number <= INT64_MAX ? Kind::integer : Kind::unsigned_integer;
    case Form::negative:
      return Kind::integer;
    case Form::float32:
    case Form::float64:
      return Kind::float64;
    case Form::string:
      return Kind::string;
    case Form::binary:
      return Kind::binary;
    case Form::array:
      return Kind::array;
    case Form::map:
      return Kind::map;
    case Form::extension:
      break;
  }
  if (head.extension != kTimestampExtension || !timestamp_of(payload))
    refuse("has an extension of msgpack that is no time");
  return Kind::timestamp;
}

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  static constexpr std::array<std::string_view, 10> kNames = {
      "null",     "a boolean", "an integer", "an integer", "a float",
      "a string", "binary",    "an array",   "a map",      "a time"};
  return kNames[static_cast<std::size_t>(kind)];
}

Value::Value() noexcept : rest_(kNull) {}

Value::Value(BytesView bytes) : rest_(bytes) {
  const auto head = head_of(bytes);
  if (!head) refuse("ends too early, or is no msgpack");
  head_ = *head;
  kind_ = kind_of(head_, head_.form == Head::Form::extension ? payload() : BytesView());
}

bool Value::boolean() const {
  OTO_INVARIANT(kind_ == Kind::boolean);
  return head_.number != 0;
}

std::int64_t Value::integer() const {
  OTO_INVARIANT(kind_ == Kind::integer);
  return static_cast<std::int64_t>(head_.number);
}

std::uint64_t Value::unsigned_integer() const {
  OTO_INVARIANT(kind_ == Kind::unsigned_integer);
  return head_.number;
}

double Value::float64() const {
  OTO_INVARIANT(kind_ == Kind::float64);
  if (head_.form == Head::Form::float64) return std::bit_cast<double>(head_.number);
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head_.number)));
}

std::string_view Value::string() const {
  OTO_INVARIANT(kind_ == Kind::string);
  return as_text(payload());
}

BytesView Value::binary() const {
  OTO_INVARIANT(kind_ == Kind::binary);
  return payload();
}

Timestamp Value::timestamp() const {
  OTO_INVARIANT(kind_ == Kind::timestamp);
  return *timestamp_of(payload());
}

std::size_t Value::size() const {
  OTO_INVARIANT(kind_ == Kind::array || kind_ == Kind::map);
  return head_.number;
}

Children<Value> Value::items() const {
  OTO_INVARIANT(kind_ == Kind::array);
  return {behind_head(), head_.number};
}

Children<Field> Value::fields() const {
  OTO_INVARIANT(kind_ == Kind::map);
  return {behind_head(), head_.number};
}

std::optional<Value> Value::find(std::string_view key) const {
  if (kind_ != Kind::map) return std::nullopt;
  for (const Field& field : fields()) {
    if (field.key == key) return field.value;
  }
  return std::nullopt;
}

std::optional<Value> Value::item(std::size_t place) const {
  if (kind_ != Kind::array || place >= head_.number) return std::nullopt;
  auto at = items().begin();
  while (place-- != 0) ++at;
  return *at;
}

BytesView Value::bytes() const {
  const std::size_t size =
      head_.children() == 0 ? static_cast<std::size_t>(head_.size()) : value_size(rest_);
  if (size == 0) refuse("ends too early, or is no msgpack");
  return rest_.first(size);
}

template <typename T>
void Children<T>::Iterator::read() {
  if (left_ == 0) return;
  if constexpr (std::is_same_v<T, Field>) {
    const Value key(rest_);
    if (key.kind() != Kind::string) refuse("has a key that is no text");
    rest_ = rest_.subspan(key.bytes().size());
    now_ = {key.string(), Value(rest_)};
  } else {
    now_ = Value(rest_);
  }
}

template <typename T>
void Children<T>::Iterator::step() {
  if constexpr (std::is_same_v<T, Field>)
    rest_ = rest_.subspan(now_.value.bytes().size());
  else
    rest_ = rest_.subspan(now_.bytes().size());
}

template class Children<Value>;
template class Children<Field>;

bool operator==(const Value& a, const Value& b) { return std::ranges::equal(a.bytes(), b.bytes()); }

}  // namespace otolith::document
